// Fleets that run from code, as the package has it: started, steered, observed, and left by their caller in every way.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { Fleet, FleetOptions } from '../../src/index.ts';
import { freePort } from '../helpers/free-port.ts';
import { losesNothing } from '../helpers/project.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, eventuallyReceived, fixture, launch, ROOT, type Running } from '../helpers/server.ts';

const LIBRARY = pathToFileURL(join(ROOT, 'dist', 'lib', 'index.mjs')).href;
const { startFleet, FleetError } = (await import(LIBRARY)) as typeof import('../../src/index.ts');

const get = async (port: number, path = '/'): Promise<string> =>
  (await exchange(port, request('GET', path, 'Connection: close'))).body;

const exists = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** What a promise rejects with. */
const reasonOf = (promise: Promise<unknown>): Promise<Error & { code?: unknown }> =>
  promise.then(
    () => {
      throw new Error('expected a rejection, got none');
    },
    (error) => error,
  );

describe('startFleet', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-fleet-'));
  const fleets: Fleet[] = [];
  const start = async (options: FleetOptions = {}): Promise<Fleet> => {
    const fleet = await startFleet({ port: 0, workers: 2, stdio: 'ignore', ...options });
    fleets.push(fleet);
    return fleet;
  };

  afterEach(async () => {
    for (const fleet of fleets.splice(0)) await fleet.stop();
  });
  after(() => rmSync(folder, { recursive: true }));

  it('resolves when the whole fleet serves, tells the events of the start, and stops leaving nothing', async () => {
    const fleet = await start({ app: fixture('pid.js') });
    const ready: number[] = [];
    fleet.on('ready', ({ pid }) => ready.push(pid));
    const { workers, state, pid } = await fleet.status();
    expect([state, pid]).to.deep.equal(['running', fleet.pid]);
    expect(ready).to.have.members(workers.map((worker) => worker.pid));
    expect(ready).to.include(Number(await get(fleet.port)));
    const closed: unknown[] = [];
    fleet.on('closed', (exit) => closed.push(exit));
    expect(await fleet.stop()).to.deep.equal({ code: 0, signal: null });
    expect(await fleet.stop()).to.deep.equal(await fleet.closed);
    expect(closed).to.deep.equal([{ code: 0, signal: null }]);
    expect([fleet.pid, ...ready].filter(exists)).to.deep.equal([]);
    expect((await reasonOf(fleet.reload())).message).to.equal('the fleet has stopped');
  });

  it('reloads under load without a loss, scales, rolls back, and tells each by its event', async () => {
    const fleet = await start({ app: fixture('echo.js'), env: { KEEP_PREVIOUS: 60 } });
    const told: string[] = [];
    for (const event of ['reloading', 'reloaded', 'rolledBack', 'scaled', 'kept'] as const)
      fleet.on(event, ({ text }) => told.push(`${event}: ${text.replace(/\d+\.\d+ s.*|60.*/, '..')}`));
    await losesNothing(fleet.port, () => fleet.reload());
    expect((await fleet.status()).generation).to.equal(2);
    await fleet.rollback();
    expect((await fleet.status()).generation).to.equal(1);
    await fleet.scale(3);
    expect((await fleet.status()).wanted).to.equal(3);
    expect(told).to.deep.equal([
      'reloading: reloading: generation 2',
      'kept: generation 1 stands by with 2 workers for ..',
      'reloaded: reloaded: generation 2 serves after ..',
      'rolledBack: rolled back: generation 1 serves again after ..',
      'scaled: scaling from 2 to 3 workers',
    ]);
    expect((await reasonOf(fleet.scale(0))).message).to.equal(
      'workers: expected an integer from 1 to 512, got `0`',
    );
  });

  it('rejects a reload that is abandoned, with the reason, and tells of a crash', async () => {
    const app = join(folder, 'breaks.mjs');
    writeFileSync(app, 'export default (req, res) => res.end(String(process.pid));');
    const fleet = await start({ app });
    const reasons: string[] = [];
    fleet.on('reloadAbandoned', ({ reason }) => reasons.push(reason));
    writeFileSync(app, "throw new Error('no database');");
    expect((await reasonOf(fleet.reload())).message).to.match(/^reload abandoned: .*no database/);
    expect(reasons.join()).to.include('no database');
    writeFileSync(app, 'export default (req, res) => res.end(String(process.pid));');
    const pid = Number(await get(fleet.port));
    const crashed = new Promise<{ pid: number; how: string }>((resolve) => fleet.once('crashed', resolve));
    process.kill(pid, 'SIGKILL');
    expect(await crashed).to.deep.include({ pid, how: 'SIGKILL', nextMs: 0 });
  });

  it('rejects with the line of the primary and its exit code where it cannot serve', async () => {
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const cannot: readonly (readonly [FleetOptions, string | RegExp, number | null])[] = [
      [{ port }, `Port ${port} is already in use`, 1],
      [{ app: './missing.js' }, './missing.js: expected a module, got no such file', 78],
      [{ app: fixture('broken/throws.js') }, /./, 1],
      [{ node: '/nowhere/node' }, 'the primary cannot be started: spawn /nowhere/node ENOENT', null],
      [{ node: '/bin/false' }, 'the primary ended with code 1 before it served', 1],
    ];
    for (const [options, message, code] of cannot) {
      const error = await reasonOf(start(options));
      expect(error).to.be.instanceOf(FleetError);
      if (typeof message === 'string') expect(error.message).to.equal(message);
      else expect(error.message).to.match(message);
      expect(error.message).not.to.include('\n');
      expect(error.code).to.equal(code);
    }
    taken.close();
  });

  it('stops by its signal: a fleet that serves, one that still boots, and one that never began', async () => {
    const serving = new AbortController();
    const fleet = await start({ signal: serving.signal });
    serving.abort();
    expect(await fleet.closed).to.deep.equal({ code: 0, signal: null });

    const booting = new AbortController();
    const mark = `never-${process.pid}`;
    const waits = start({
      app: fixture('boots-when-told.js'),
      env: { BOOTS_WHEN: join(folder, mark) },
      signal: booting.signal,
      stdio: 'ignore',
    });
    setTimeout(() => booting.abort(new Error('not wanted any more')), 300);
    expect((await reasonOf(waits)).message).to.equal('not wanted any more');

    const error = await reasonOf(start({ signal: AbortSignal.abort(new Error('too late')) }));
    expect(error.message).to.equal('too late');
  });

  it('gives its log as streams', async () => {
    const fleet = await start({ stdio: 'pipe' });
    let out = '';
    fleet.stdout?.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    await fleet.stop();
    await eventually(
      () => /Server listening on port \d+\n.*\nReceived stop.*\nServer closed successfully\n$/.test(out),
      'its log',
    );
  });

  it('refuses an upgrade in one line, and takes the other commands', async () => {
    const fleet = await start();
    const command = async (...args: string[]) => {
      const running = launch({ args, env: { PORT: String(fleet.port) } });
      return { ...(await running.end()), out: running.out, err: running.err };
    };
    expect(await command('upgrade')).to.deep.include({
      code: 1,
      err: 'upgrade abandoned: this fleet runs from code (startFleet): stop it and start another, or reload it for new code of the app\n',
    });
    expect(await command('reload')).to.deep.include({ code: 0, err: '' });
    expect(await command('stop')).to.deep.include({ code: 0, err: '' });
    expect(await fleet.closed).to.deep.equal({ code: 0, signal: null });
  });

  it('gives the fleet none of what means this process: the app sees what it would see without it', async () => {
    const names = ['NOTIFY_SOCKET', 'LISTEN_FDS', 'pm_id', 'HELLO_SERVER_CALLER'];
    const before = { ...process.env };
    Object.assign(process.env, { NOTIFY_SOCKET: join(folder, 'none'), LISTEN_FDS: '1', pm_id: '4' });
    try {
      const fleet = await start({ app: fixture('tells-env.js'), env: { GREETING: 'hi' } });
      const [greeting, slot, ...own] = await Promise.all(
        ['GREETING', 'HELLO_SERVER_WORKER_SLOT', ...names].map((name) => get(fleet.port, `/${name}`)),
      );
      expect(greeting).to.equal('hi');
      expect(slot).to.match(/^[01]$/);
      expect(new Set(own)).to.deep.equal(new Set(['unset']));
      // A socket that nobody has bound is one that systemd cannot be told on: who tries says so.
      const said: string[] = [];
      fleet.on('notice', ({ text }) => said.push(text));
      await fleet.stop();
      expect(said.filter((text) => text.includes('systemd'))).to.deep.equal([]);
      expect(said).to.include('Server closed successfully');
    } finally {
      for (const name of names) delete process.env[name];
      Object.assign(process.env, before);
    }
  });

  it('has a control socket of its own where systemd gave its caller a folder', async () => {
    const runtime = mkdtempSync(join(folder, 'run-'));
    const one = await start({ env: { RUNTIME_DIRECTORY: runtime } });
    const other = await start({ env: { RUNTIME_DIRECTORY: runtime } });
    for (const { port, pid } of [one, other]) {
      const status = launch({ args: ['status', '--json'], env: { PORT: String(port) } });
      expect(await status.end()).to.deep.equal({ code: 0, signal: null });
      expect(JSON.parse(status.out)).to.deep.include({ port, pid });
    }
  });

  it('runs in a worker of a cluster', async () => {
    const file = join(folder, 'in-cluster.mjs');
    writeFileSync(
      file,
      `const { startFleet } = await import(${JSON.stringify(LIBRARY)});
       const fleet = await startFleet({ port: 0, workers: 1, stdio: 'ignore' });
       const answer = await fetch(\`http://127.0.0.1:\${fleet.port}/\`);
       process.send(await answer.text(), async () => { await fleet.stop(); process.exit(0); });`,
    );
    cluster.setupPrimary({ exec: file });
    const worker = cluster.fork();
    const exited = once(worker, 'exit');
    const [said] = await once(worker, 'message');
    expect(said).to.equal('Hello, World!');
    expect(await exited).to.deep.equal([0, null]);
  });
});

describe('a program that runs a fleet', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-caller-'));
  after(() => rmSync(folder, { recursive: true }));

  /** Starts it; with the pid of its primary and the port of its fleet. */
  const run = async ({
    block = '',
    app = fixture('dies.js'),
  } = {}): Promise<{
    caller: Running;
    pid: number;
    port: number;
  }> => {
    const port = await freePort();
    const caller = launch({
      main: fixture('runs-fleet.mjs'),
      detached: true,
      env: { LIBRARY, OPTIONS: JSON.stringify({ app, port, workers: 1 }), PORT: undefined, BLOCK: block },
    });
    const [, pid] = await caller.says(/^fleet (\d+) on \d+$/m, 20_000);
    await caller.serving();
    return { caller, pid: Number(pid), port };
  };

  it('may be killed: the fleet stops in order, and answers what is in flight', async () => {
    const { caller, pid, port } = await run();
    const worker = await get(port);
    const inFlight = (await Raw.open(port)).send(request('GET', '/wait?ms=500', 'Connection: close'));
    await eventuallyReceived(caller, inFlight);
    caller.signal('SIGKILL');
    await eventually(() => !exists(pid), 'the fleet has stopped');
    expect((await inFlight.answer()).body).to.equal(worker);
    expect(caller.out).to.include('Received disconnect, shutting down gracefully...\n');
    expect(caller.out).to.include('Server closed successfully\n');
    expect(caller.pids()).to.deep.equal([]);
  });

  it('has its signals for itself: a Ctrl-C in its terminal leaves the fleet alone', async () => {
    const { caller, port } = await run();
    caller.interrupt();
    await caller.says(/^got INT$/m);
    expect(await get(port)).to.match(/^\d+$/);
    expect(caller.out).not.to.include('shutting down');
    caller.signal('SIGKILL');
    await eventually(() => caller.pids().length === 0, 'nothing is left');
  });

  it('may block its event loop: the fleet reloads and answers, however much there would be to tell', async () => {
    const block = join(folder, 'block');
    writeFileSync(block, '');
    const { caller, pid, port } = await run({ block });
    caller.signal('SIGUSR2');
    const command = async (name: string): Promise<unknown> =>
      (await launch({ args: [name], env: { PORT: String(port) } }).end()).code;
    const ignored = (): number => caller.out.split('ignored SIGUSR1').length - 1;
    // More than a channel takes that nobody reads, and than may wait behind it.
    await eventually(
      async () => {
        // One that comes before the last was heard is the same signal.
        for (let i = 0; i < 200; i += 1) {
          process.kill(pid, 'SIGUSR1');
          await new Promise((resolve) => setImmediate(resolve));
        }
        return ignored() >= 4000;
      },
      'thousands of notices',
      40_000,
    );
    expect(await command('reload')).to.equal(0);
    expect(await get(port)).to.match(/^\d+$/);
    rmSync(block);
    const [, missed] = await caller.says(/^missed (\d+)$/m);
    expect(Number(missed)).to.be.greaterThan(0);
    expect(await command('stop')).to.equal(0);
    await caller.says(/^closed 0 null$/m);
    expect(await caller.end()).to.deep.equal({ code: 0, signal: null });
  });
});
