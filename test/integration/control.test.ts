import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status, Top } from '../../src/control/status.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { Releases } from '../helpers/releases.ts';
import {
  eventually,
  fixture,
  launch,
  MAIN,
  type Running,
  remove,
  serve,
  VERSION,
} from '../helpers/server.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'hello-server-'));

/** Runs a command against the control socket at `path`. */
const command = (path: string, ...args: string[]) => withEnv({ CONTROL_SOCKET: path }, ...args);

const withEnv = (env: Record<string, string>, ...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH, ...env },
  });

const statusAt = (path: string): Status => JSON.parse(command(path, 'status', '--json').stdout);

describe('the control socket', () => {
  let place: string;
  let path: string;
  beforeEach(() => {
    place = folder();
    path = join(place, 'control.sock');
  });
  afterEach(() => remove(place));
  const controlled = (env: Record<string, string> = {}, args: string[] = []): Promise<Running> =>
    serve({ env: { CONTROL_SOCKET: path, ...env }, args });

  describe('status', () => {
    it('is a table that names every worker', async () => {
      const server = await controlled();
      await exchange(server.port, request('GET', '/'));
      const { stdout, status } = command(path, 'status');
      expect(status).to.equal(0);
      const [head, identity, figures, , above, headings, ...rest] = stdout.trimEnd().split('\n');
      expect(head).to.match(
        new RegExp(
          `^hello-server ${VERSION.replaceAll('.', '\\.')} running on port ${server.port}: 2 of 2 workers ready, generation 1, up \\d+s$`,
        ),
      );
      expect(identity).to.equal(`ready for traffic, pid ${server.pid}, Node ${process.version}, app Hello`);
      expect(figures).to.match(
        /^[\d.]+ requests\/s {2}p50 .* {2}0 5xx\/s {2}0 in flight {2}\d connections? {2}\d+ MiB$/,
      );
      expect(above?.trim()).to.match(/^in +loop +heap +rss +restarts,$/);
      expect(headings?.trim().split(/ {2,}/)).to.deep.equal([
        'worker',
        'pid',
        'gen',
        'stage',
        'uptime',
        'req/s',
        'p99',
        '5xx/s',
        'flight',
        'conns',
        'delay',
        'MiB',
        'MiB',
        'last exit',
      ]);
      expect(
        rest
          .slice(0, 2)
          .map((line) => Number(line.trim().split(/ +/)[1]))
          .sort(),
      ).to.deep.equal(server.workers().sort());
    });

    it('is stable json', async () => {
      const server = await controlled({ WEB_CONCURRENCY: '1' });
      const [first] = server.workers();
      process.kill(first ?? 0, 'SIGKILL');
      await eventually(
        () => statusAt(path).workers[0]?.stage === 'ready' && statusAt(path).workers[0]?.pid !== first,
        'it is back',
      );
      await eventually(() => statusAt(path).workers[0]?.requests !== null, 'it has beaten');
      const status = statusAt(path);
      expect(Object.keys(status)).to.deep.equal([
        'version',
        'node',
        'pid',
        'uptime',
        'state',
        'port',
        'host',
        'app',
        'generation',
        'wanted',
        'reload',
        'previous',
        'workers',
        'totals',
        'now',
        'health',
        'events',
      ]);
      expect(status).to.include({
        pid: server.pid,
        state: 'running',
        port: server.port,
        host: null,
        app: null,
        generation: 1,
        wanted: 1,
        node: process.version,
      });
      const [worker] = status.workers;
      expect(Object.keys(worker ?? {})).to.deep.equal([
        'worker',
        'slot',
        'pid',
        'generation',
        'stage',
        'uptime',
        'requests',
        'inFlight',
        'connections',
        'longLived',
        'eventLoopDelay',
        'eventLoopDelayP50',
        'eventLoopDelayP99',
        'eventLoopUtilization',
        'rss',
        'heapUsed',
        'heapLimit',
        'memoryShare',
        'cpu',
        'gc',
        'requestsPerSecond',
        'errorsPerSecond',
        'latencyP50',
        'latencyP99',
        'unwell',
        'restarts',
        'lastExit',
      ]);
      expect(worker).to.include({
        worker: 0,
        slot: 0,
        generation: 1,
        stage: 'ready',
        restarts: 1,
        inFlight: 0,
      });
      expect(worker?.lastExit).to.match(/^SIGKILL, (killed from outside|out of memory\?)$/);
    });

    it('has the metrics of all workers beside it', async () => {
      const server = await controlled();
      await exchange(server.port, request('GET', '/'));
      await eventually(
        () => command(path, 'metrics').stdout.includes('\nhttp_requests_total{code="2xx"} 1\n'),
        'the request is counted',
      );
    });

    it('tells the requests in flight, the longest first, and the worker that does not answer', async () => {
      const server = await controlled({ WEB_CONCURRENCY: '1' }, [fixture('hangs.js')]);
      const top = (): Top => JSON.parse(command(path, 'top', '--json').stdout);
      expect(command(path, 'top')).to.include({ stdout: 'no requests in flight\n', status: 0 });
      const first = await Raw.open(server.port);
      first.send(request('GET', '/wait'));
      await eventually(() => top().total === 1, 'one is in flight');
      const second = await Raw.open(server.port);
      second.send(request('GET', '/wait'));
      await eventually(() => top().total === 2, 'two are in flight');
      const { requests, silent } = top();
      expect(silent).to.deep.equal([]);
      expect(requests.map(({ method, target, worker }) => `${worker} ${method} ${target}`)).to.deep.equal([
        '0 GET /wait',
        '0 GET /wait',
      ]);
      expect(requests[0]?.age).to.be.above(requests[1]?.age ?? 0);
      expect(command(path, 'top').stdout).to.match(/^ *age +worker .*\n *[\d.]+s +0 .* GET +\/wait/);
      const third = await Raw.open(server.port);
      third.send(request('GET', '/spin'));
      await eventually(() => top().silent.length === 1, 'the worker does not answer');
      expect(command(path, 'top').stdout).to.match(
        /^no requests in flight.*\nworker 0 \(pid \d+\) did not answer: /,
      );
    });

    it('tells a fleet that stops', async () => {
      const server = await controlled({ SHUTDOWN_DELAY: '2' });
      server.signal('SIGTERM');
      await eventually(() => statusAt(path).state === 'stopping', 'it stops');
      expect(command(path, 'reload')).to.include({ stderr: 'the fleet is stopping\n', status: 1 });
      expect(command(path, 'scale', '3')).to.include({ stderr: 'the fleet is stopping\n', status: 1 });
      expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    });
  });

  it('reload tells worker by worker what happens, and ends when the new generation serves', async () => {
    const server = await controlled();
    const before = server.workers();
    const { stdout, status } = command(path, 'reload');
    expect(status).to.equal(0);
    expect(stdout).to.match(/^reloading: generation 2\n/);
    expect(stdout.match(/worker [01] \(pid \d+\) ready after/g)).to.have.length(2);
    expect(stdout).to.match(/reloaded: generation 2 serves\n$/);
    const { workers } = statusAt(path);
    expect(workers.filter((w) => w.stage === 'ready').map((w) => w.generation)).to.deep.equal([2, 2]);
    for (const pid of before)
      expect(workers.find((w) => w.stage === 'ready' && w.pid === pid)).to.equal(undefined);
  });

  it('reload says why it was abandoned, and fails', async () => {
    const releases = new Releases();
    releases.deploy('pid.js');
    const server = await controlled({}, [releases.app]);
    const before = server.workers();
    releases.deploy('broken/rejects.js');
    const { stderr, status } = command(path, 'reload');
    expect(stderr).to.match(/^reload abandoned: \S+app\.mjs: ready failed: no database\n$/);
    expect(status).to.equal(1);
    await eventually(() => String(server.workers()) === String(before), 'the old ones go on');
    releases.deploy('slow-boot.js');
    expect(command(path, 'reload').status).to.equal(0);
    releases.remove();
  });

  it('reload during a reload waits for the one after it', async () => {
    const server = await controlled({ WEB_CONCURRENCY: '1' }, [fixture('slow-boot.js')]);
    server.signal('SIGHUP');
    await server.says(/reloading: generation 2\n/);
    const { stdout, status } = command(path, 'reload');
    expect(status).to.equal(0);
    expect(stdout).to.match(/reloaded: generation 3 serves\n$/);
  });

  it('scale ends when so many workers serve', async () => {
    const server = await controlled({ WEB_CONCURRENCY: '1' });
    expect(command(path, 'scale', '3')).to.deep.include({ status: 0 });
    expect(server.workers()).to.have.length(3);
    const { stdout } = command(path, 'scale', '1');
    expect(stdout).to.match(/^scaling from 3 to 1 workers\n(.*\n)*1 worker serves\n$/);
    await eventually(() => server.workers().length === 1, 'one is left');
    expect(command(path, 'scale', '1')).to.include({ stdout: '1 worker serves\n', status: 0 });
  });

  it('stop returns when all is gone', async () => {
    const server = await controlled({ WEB_CONCURRENCY: '1' });
    const { stdout, status } = command(path, 'stop');
    expect(server.pids()).to.deep.equal([]);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^Received stop, shutting down gracefully\.\.\.\n(.*\n)*stopped\n$/);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.match(
      /Received stop, shutting down gracefully\.\.\.\nServer closed successfully\n$/,
    );
    expect(existsSync(path)).to.equal(false);
  });

  it('is open to its owner alone', async () => {
    await controlled();
    expect(statSync(path).mode & 0o777).to.equal(0o600);
  });

  describe('at its default place', () => {
    it('is found by the port, in a folder of the user alone', async () => {
      for (const variable of ['XDG_RUNTIME_DIR', 'TMPDIR', 'RUNTIME_DIRECTORY']) {
        const tmp = { TMPDIR: place, [variable]: place };
        const server = await serve({ env: tmp });
        const { stdout, stderr } = withEnv({ ...tmp, PORT: String(server.port) }, 'status');
        expect(stdout, stderr).to.include(`running on port ${server.port}`);
        const below =
          variable === 'XDG_RUNTIME_DIR'
            ? 'hello-server'
            : variable === 'TMPDIR'
              ? `hello-server-${process.getuid?.()}`
              : '.';
        expect(statSync(join(place, below)).mode & 0o777).to.equal(0o700);
        await server.stop();
      }
    });

    it('that cannot be used costs a warning, never the start', async () => {
      const own = join(place, `hello-server-${process.getuid?.()}`);
      mkdirSync(own, { mode: 0o755 });
      chmodSync(own, 0o755);
      const server = await serve({ env: { TMPDIR: place } });
      expect(server.out).to.match(
        /^no control socket, so status, reload, scale and stop do not work: \S+ is open to other users\nServer listening/,
      );
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    });

    it('in a folder of another user is not used', async () => {
      expect(process.getuid?.(), 'this test needs another user, so root; elsewhere a folder of root').to.be.a(
        'number',
      );
      const own = join(place, `hello-server-${process.getuid?.()}`);
      mkdirSync(own, { mode: 0o700 });
      if (process.getuid?.() === 0) chownSync(own, 65_534, 65_534);
      else chmodSync(own, 0o770);
      const server = await serve({ env: { TMPDIR: place } });
      expect(server.out).to.match(
        /^no control socket, .*: \S+ (belongs to another user|is open to other users)\n/,
      );
    });
  });

  describe('bad cases', () => {
    it('no server: says where it looked', () => {
      const { stderr, status } = withEnv({ TMPDIR: place, PORT: '1' }, 'status');
      expect(stderr).to.match(
        new RegExp(
          `^no server answers; looked at ${place}/hello-server-\\d+/1\\.sock, /run/hello-server/control\\.sock.*\n$`,
        ),
      );
      expect(status).to.equal(1);
      for (const name of ['reload', 'stop'])
        expect(command(path, name)).to.include({
          stderr: `no server answers; looked at ${path}\n`,
          status: 1,
        });
    });

    it('a socket left by a primary that was killed is replaced', async () => {
      const killed = await controlled();
      killed.signal('SIGKILL');
      await killed.end();
      expect(existsSync(path)).to.equal(true);
      expect(command(path, 'status').status).to.equal(1);
      await controlled();
      expect(command(path, 'status').status).to.equal(0);
    });

    it('a socket that answers is never taken: an explicit one is exit 1', async () => {
      const first = await controlled();
      const second = launch({ env: { CONTROL_SOCKET: path } });
      expect(await second.end()).to.deep.equal({ code: 1, signal: null });
      expect(second.err).to.equal(
        `CONTROL_SOCKET: cannot use ${path}: ${path} is in use by another server\n`,
      );
      expect(statusAt(path).pid).to.equal(first.pid);
    });

    it('what is no socket stays', async () => {
      writeFileSync(path, 'precious');
      const server = launch({ env: { CONTROL_SOCKET: path } });
      expect(await server.end()).to.deep.equal({ code: 1, signal: null });
      expect(server.err).to.equal(`CONTROL_SOCKET: cannot use ${path}: ${path} is there and no socket\n`);
      expect(statSync(path).size).to.equal(8);
    });

    it('two starts on one port at the same moment: one serves, the other says why not', async () => {
      const free = createServer().listen(0);
      const address = free.address();
      const port = typeof address === 'object' ? String(address?.port) : '';
      await new Promise((resolve) => free.close(resolve));
      const both = [1, 2].map(() => launch({ env: { PORT: port, TMPDIR: place } }));
      const loser = await Promise.race(both.map((server) => server.end().then(() => server)));
      expect(loser.err).to.equal(`Port ${port} is already in use\n`);
      expect(await loser.end()).to.deep.equal({ code: 1, signal: null });
      const winner = both.find((server) => server !== loser);
      await winner?.serving();
      expect(withEnv({ TMPDIR: place, PORT: port }, 'status').status).to.equal(0);
      expect(winner?.err).to.equal('');
    });

    for (const args of [
      ['scale', '0'],
      ['scale'],
      ['scale', 'two'],
      ['scale', '1', '2'],
      ['status', '--yaml'],
      ['reload', 'now'],
      ['stop', '-f'],
    ]) {
      it(`wrong usage is exit 2, with what was expected: ${args.join(' ')}`, () => {
        const { stderr, status } = command(path, ...args);
        expect(stderr).to.match(new RegExp(`^expected ${args[0]}.*, got \`${args.join(' ')}\`\n$`));
        expect(status).to.equal(2);
      });
    }
  });
});
