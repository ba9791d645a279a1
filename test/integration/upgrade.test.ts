// The primary renews itself: under load, on another Node, with another environment; and where it cannot, nothing has changed.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { KINDS } from '../helpers/meter.ts';
import { get, Raw } from '../helpers/raw.ts';
import { losingNothing } from '../helpers/reload.ts';
import { eventually, fixture, type Running, VERSION } from '../helpers/server.ts';
import { RELAYS, Upgradable } from '../helpers/upgrade.ts';

const PROGRAM = `hello-server ${VERSION} on Node ${process.version}`;
/** An upgrade brings two generations where the process stays, as an interim primary has one of its own. */
const GENERATIONS = RELAYS ? 2 : 1;
const QUICK = KINDS.filter(({ thinkMs }) => thinkMs < 1000);

describe('upgrade', function () {
  this.timeout(60_000);
  let place: Upgradable;
  beforeEach(() => {
    place = new Upgradable();
  });
  afterEach(() => place.remove());

  const upgraded = async (): Promise<void> => {
    const { code, out, err } = await place.run('upgrade');
    expect({ code, err }, out).to.deep.equal({ code: 0, err: '' });
  };
  /** Ends the server, whichever process it is by now. */
  const stop = async (server: Running): Promise<void> => {
    expect((await place.run('stop')).code).to.equal(0);
    await eventually(() => server.pids().length === 0, `nothing left\n${server.log}`);
    expect((await server.end()).code).to.equal(0);
  };
  const asked = async (server: Running, path = '/'): Promise<string> => (await get(server, path)).body;

  it('loses no request, and says stage by stage what happens', async () => {
    const server = await place.serve();
    await losingNothing(
      server,
      async () => {
        for (let i = 1; i <= 2; i++) {
          const { code, out, err } = await place.run('upgrade');
          expect({ code, err }).to.deep.equal({ code: 0, err: '' });
          expect(out.split('\n').filter((line) => !line.startsWith('worker '))).to.deep.equal([
            'upgrading: a successor boots 2 workers',
            `the successor serves (pid ${/pid (\d+)/.exec(out)?.[1]}, ${PROGRAM}): draining 2 workers of this one`,
            `renewed ${PROGRAM}: generation ${1 + i * GENERATIONS} serves`,
            '',
          ]);
        }
      },
      QUICK,
    );
    const { pid, generation, version, state } = await place.status();
    expect({ generation, version, state }).to.deep.equal({
      generation: 1 + 2 * GENERATIONS,
      version: VERSION,
      state: 'running',
    });
    expect(pid === server.pid).to.equal(RELAYS);
    await stop(server);
    expect(server.err).to.equal('');
    expect(server.out.match(/renewed/g)).to.have.length(2);
    expect(server.out.match(/Received stop/g)).to.have.length(1);
    expect(server.out.match(/Server closed/g)).to.have.length(1);
  });

  it('is asked for by USR2, too, and can be reloaded and scaled before and after', async () => {
    const server = await place.serve({ args: [fixture('pid.js')] });
    await place.run('scale', '3');
    process.kill((await place.status()).pid, 'SIGUSR2');
    await eventually(() => /renewed/.test(server.out), 'renewed');
    expect((await place.status()).wanted).to.equal(3);
    const { code, out } = await place.run('reload');
    expect({ code, last: out.trimEnd().split('\n').at(-1) }).to.deep.equal({
      code: 0,
      last: `reloaded: generation ${2 + GENERATIONS} serves`,
    });
    expect((await place.run('scale', '1')).code).to.equal(0);
    await upgraded();
    expect((await place.status()).wanted).to.equal(1);
    await stop(server);
  });

  it('carries over how often workers ended', async () => {
    const server = await place.serve({ env: { WEB_CONCURRENCY: '1' } });
    process.kill(server.workers()[0] ?? 0, 'SIGKILL');
    await eventually(async () => (await place.status()).workers[0]?.restarts === 1, 'a restart');
    await upgraded();
    expect((await place.status()).workers[0]?.restarts).to.equal(1);
    await stop(server);
  });

  it('takes up all that the env file says by then, in what runs and in what workers find', async () => {
    const file = join(place.folder, 'env');
    writeFileSync(file, 'LOG_FORMAT=text\nGREETING=one\nWEB_CONCURRENCY=1\n');
    const server = await place.serve({
      args: ['--env-file', file, fixture('tells-env.js')],
      // What a service manager has read from the same file before is the file's.
      env: { GREETING: 'one', WEB_CONCURRENCY: undefined },
    });
    expect(await asked(server, '/GREETING')).to.equal('one');
    writeFileSync(file, 'LOG_FORMAT=json\nGREETING=two\nWEB_CONCURRENCY=2\n');
    await upgraded();
    expect(await asked(server, '/GREETING')).to.equal('two');
    expect((await place.status()).wanted).to.equal(2);
    expect(server.out).to.match(/"msg":"renewed /);
    await stop(server);
  });

  it('has an app lead in one fleet at a time', async () => {
    const leads = join(place.folder, 'leads');
    const server = await place.serve({
      args: [fixture('leads.js')],
      env: { HOW: 'well', LEADS: leads, DRAIN_TIMEOUT: '2' },
    });
    const words = (): string[] =>
      existsSync(leads)
        ? readFileSync(leads, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => line.split(' ')[0] ?? '')
        : [];
    await eventually(() => words().length === 1, 'leads');
    await upgraded();
    await eventually(() => words().length === 3, 'leads again');
    await stop(server);
    expect(words()).to.deep.equal(['begins', 'ends', 'begins', 'ends']);
  });

  describe('changes nothing', () => {
    /** Expects that it fails with this line, and that the same workers serve as before. */
    const fails = async (server: Running, line: string | RegExp, ...args: string[]): Promise<void> => {
      const before = server.workers();
      const { code, err } = await place.run('upgrade', ...args);
      expect(code).to.equal(1);
      if (typeof line === 'string') expect(err).to.equal(`upgrade abandoned: ${line}\n`);
      else expect(err).to.match(line);
      await eventually(() => server.workers().length === before.length, 'no more workers');
      expect(server.workers()).to.deep.equal(before);
      expect((await place.status()).state).to.equal('running');
      expect((await get(server)).status).to.equal(200);
    };
    const script = (name: string, text: string): string => {
      const path = join(place.folder, name);
      writeFileSync(path, `#!/bin/sh\n${text}\n`);
      chmodSync(path, 0o755);
      return path;
    };

    it('where the new code does not boot', async () => {
      const file = join(place.folder, 'env');
      writeFileSync(file, '');
      const server = await place.serve({ args: ['--env-file', file, fixture('tells-env.js')] });
      writeFileSync(file, 'BROKEN=1\n');
      await fails(server, /^upgrade abandoned: .*broken by its environment\n$/);
      expect(server.err).to.match(/^upgrade abandoned: .*broken by its environment\n/);
      writeFileSync(file, '');
      await upgraded();
      await stop(server);
    });

    it('where the environment cannot be read, or asks for another socket', async () => {
      const file = join(place.folder, 'env');
      writeFileSync(file, '');
      const server = await place.serve({ args: ['--env-file', file] });
      writeFileSync(file, 'KEEP_PREVIOUS=x\nMAX_MEMORY=y\n');
      await fails(server, /^upgrade abandoned: MAX_MEMORY: expected .*; KEEP_PREVIOUS: expected .*\n$/);
      writeFileSync(file, 'HOST=127.0.0.1\n');
      await fails(
        server,
        'HOST: expected none as before, got 127.0.0.1: an upgrade keeps the listening socket, a restart changes it',
      );
      await stop(server);
    });

    it('on a Node that is not there, is too old, or is none', async () => {
      const server = await place.serve();
      const missing = join(place.folder, 'missing');
      await fails(server, `${missing}: expected Node there, got ENOENT`, '--node', missing);
      const old = script('old', 'echo v18.20.4');
      await fails(server, `${old}: expected Node 20.19 or later, got v18.20.4`, '--node', old);
      const odd = script('odd', 'echo hello');
      await fails(server, `${odd}: expected Node 20.19 or later, got something else`, '--node', odd);
      const liar = script('liar', '[ "$1" = --version ] && echo v99.0.0 || exit 3');
      await fails(server, 'the successor ended before it served', '--node', liar);
      await stop(server);
    });

    it('during a reload, a start or a stop, or twice at once', async () => {
      const server = await place.serve({
        args: [fixture('slow-boot.js')],
        env: { SHUTDOWN_DELAY: '1', SETTLE_TIME: '0', DRAIN_TIMEOUT: '1' },
      });
      server.signal('SIGHUP');
      await server.says(/reloading: generation 2/);
      const during = await place.run('upgrade');
      expect({ code: during.code, err: during.err }).to.deep.equal({
        code: 1,
        err: 'no upgrade: a reload is under way\n',
      });
      await server.says(/reloaded: generation 2/);
      const first = place.begin('upgrade');
      await eventually(() => /a successor boots/.test(first.out), 'a successor boots');
      const second = await place.run('upgrade');
      expect({ code: second.code, err: second.err }).to.deep.equal({
        code: 1,
        err: 'an upgrade is under way\n',
      });
      expect((await place.run('reload')).err).to.equal('an upgrade is under way\n');
      expect((await first.end(30_000)).code).to.equal(0);
      const stopping = place.begin('stop');
      await eventually(() => /Received stop/.test(stopping.out), 'a stop');
      expect((await place.run('upgrade')).err).to.equal('the fleet is stopping\n');
      await stopping.end();
      await eventually(() => server.pids().length === 0, 'nothing left');
    });

    // Where the process stays there is no such case.
    (RELAYS ? () => {} : it)('where the end of this process would be the end of the server', async () => {
      const server = await place.serve({ env: { pm_id: '0' } });
      await fails(
        server,
        /^upgrade abandoned: pm2 would take the end of this process for a crash, and Node v\S+ cannot .*\n$/,
      );
      await stop(server);
    });
  });

  describe('whose successor is killed', () => {
    it('while it boots, fails, and the old one serves on', async () => {
      const when = join(place.folder, 'when');
      writeFileSync(when, '');
      const server = await place.serve({ args: [fixture('boots-when-told.js')], env: { BOOTS_WHEN: when } });
      rmSync(when);
      const command = place.begin('upgrade');
      await eventually(() => successor(server) > 0, 'a successor');
      process.kill(successor(server), 'SIGKILL');
      expect((await command.end(30_000)).code).to.equal(1);
      expect(command.err).to.equal('upgrade abandoned: the successor ended before it served\n');
      writeFileSync(when, '');
      expect(await asked(server)).to.equal('told');
      await upgraded();
      await stop(server);
    });

    it('while the old one drains, has the old one serve again', async () => {
      const server = await place.serve({ args: [fixture('wait.js')], env: { DRAIN_TIMEOUT: '20' } });
      const raw = await Raw.open(server.port);
      raw.send('GET /?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually(async () => (await place.status()).now.inFlight === 1, 'a request in flight');
      const command = place.begin('upgrade');
      await eventually(() => /the successor serves/.test(server.out), 'the successor serves');
      const [, pid] = /the successor serves \(pid (\d+)/.exec(server.out) ?? [];
      process.kill(Number(pid), 'SIGKILL');
      await eventually(() => /upgrade abandoned: the successor ended/.test(server.err), 'abandoned');
      await eventually(
        async () => (await place.status().catch(() => undefined))?.state === 'running',
        'running',
      );
      expect((await place.status()).pid).to.equal(server.pid);
      expect((await command.end()).code).to.equal(1);
      expect(command.err).to.equal(
        RELAYS
          ? 'upgrade abandoned: the successor ended\n'
          : 'upgrade failed: it was abandoned on the way: the log says why\n',
      );
      expect((await raw.answer()).body).to.equal('waited 1500');
      await upgraded();
      await stop(server);
    });
  });

  it('whose old primary is killed leaves nothing but what serves', async () => {
    const when = join(place.folder, 'when');
    writeFileSync(when, '');
    const server = await place.serve({
      args: [fixture('boots-when-told.js')],
      env: { BOOTS_WHEN: when, SHUTDOWN_TIMEOUT: '2' },
    });
    rmSync(when);
    place.begin('upgrade');
    await eventually(() => successor(server) > 0, 'a successor boots');
    server.signal('SIGKILL');
    writeFileSync(when, '');
    if (RELAYS) await eventually(() => server.pids().length === 0, `nothing left\n${server.log}`);
    else {
      await eventually(
        async () => (await place.status().catch(() => undefined))?.state === 'running',
        'it serves',
      ).catch((error: Error) => {
        throw new Error(`${error.message}\n${server.log}\n${server.pids()}`);
      });
      expect((await place.run('stop')).code).to.equal(0);
      await eventually(() => server.pids().length === 0, `nothing left\n${server.log}`);
    }
  });

  // Where the successor stays there is no such stage.
  (RELAYS ? describe : () => {})('in which the process has become the new program', () => {
    /** Leaves the new program booting, its interim primary serving. */
    const becoming = async (): Promise<{ server: Running; interim: number; boot: () => void }> => {
      const when = join(place.folder, 'when');
      writeFileSync(when, '');
      const server = await place.serve({
        args: [fixture('boots-when-told.js')],
        env: { BOOTS_WHEN: when, SHUTDOWN_TIMEOUT: '2' },
      });
      // Half a request keeps an old worker until the new program cannot boot at once.
      const raw = (await Raw.open(server.port)).send('GET / HTTP/1.1\r\n');
      await eventually(async () => (await place.status()).now.connections === 1, 'a connection');
      place.begin('upgrade');
      await eventually(() => /the successor serves/.test(server.out), 'the successor serves');
      rmSync(when);
      raw.send('Host: a\r\n\r\n');
      expect((await raw.answer()).body).to.equal('told');
      await eventually(() => /this process becomes/.test(server.out), 'becomes the new program');
      const interim = Number(/the successor serves \(pid (\d+)/.exec(server.out)?.[1]);
      await eventually(() => server.workers().length === 4, 'both fleets');
      expect(await asked(server)).to.equal('told');
      return { server, interim, boot: () => writeFileSync(when, '') };
    };

    it('serves although the interim primary is killed', async () => {
      const { server, interim, boot } = await becoming();
      process.kill(interim, 'SIGKILL');
      boot();
      await eventually(() => /renewed/.test(server.out), 'renewed');
      expect(await asked(server)).to.equal('told');
      expect((await place.status()).pid).to.equal(server.pid);
      await stop(server);
    });

    it('leaves nothing when it is killed itself', async () => {
      const { server } = await becoming();
      server.signal('SIGKILL');
      await eventually(() => server.pids().length === 0, `nothing left\n${server.log}`);
    });

    it('is stopped together with the interim primary', async () => {
      const { server } = await becoming();
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      await eventually(() => server.pids().length === 0, `nothing left\n${server.log}`);
    });
  });

  it('is stopped as a whole, whatever is in flight where', async () => {
    const server = await place.serve({
      args: [fixture('wait.js')],
      env: { DRAIN_TIMEOUT: '30', SHUTDOWN_TIMEOUT: '8' },
    });
    const old = (await Raw.open(server.port)).send('GET /?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(async () => (await place.status()).now.inFlight === 1, 'a request in flight');
    place.begin('upgrade');
    await eventually(() => /the successor serves/.test(server.out), 'the successor serves');
    const fresh = (await Raw.open(server.port)).send('GET /?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n');
    // One of the old workers has gone, the other one still answers.
    await eventually(() => server.workers().length <= 3, 'both fleets');
    const pid = Number(/the successor serves \(pid (\d+)/.exec(server.out)?.[1]);
    process.kill(RELAYS ? server.pid : pid, 'SIGTERM');
    expect((await old.answer()).body).to.equal('waited 1500');
    expect((await fresh.answer()).body).to.equal('waited 1500');
    await eventually(() => server.pids().length === 0, `nothing left\n${server.log}`);
    expect((await server.end()).code).to.equal(0);
  });
});

/** The pid of the primary that boots beside this one; 0 = there is none. */
const successor = (server: Running): number =>
  server.pids().find((pid) => pid !== server.pid && isSuccessor(pid)) ?? 0;

/** Whether the process is a successor: Node, which was given the file behind `--`, as these tests do not. */
function isSuccessor(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    return line.split('\0')[1] === '--';
  } catch {
    return false;
  }
}
