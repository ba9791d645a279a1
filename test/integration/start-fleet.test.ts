// startFleet(): a fleet that a program runs, from its start to its end and that of the program.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Fleet, FleetEventName } from '../../src/index.ts';
import { freePort } from '../helpers/free-port.ts';
import { Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, fixture, MAIN, ROOT } from '../helpers/server.ts';

const { startFleet, FleetError } = (await import(
  join(ROOT, 'dist', 'lib', 'index.js')
)) as typeof import('../../src/index.ts');

const SETTINGS = { SETTLE_TIME: 0, ACCESS_LOG: false } as const;
const app = fixture('module.mjs');

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const answer = async (port: number, path = '/'): Promise<string> =>
  (await exchange(port, request('GET', path, 'Connection: close'))).body;

/** Runs a command of hello-server against a fleet; resolves with how it ended. */
async function cli(port: number, ...args: string[]): Promise<{ code: number; err: string }> {
  const child = spawn(process.execPath, ['--', MAIN, ...args], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, err };
}

describe('startFleet', function () {
  this.timeout(40_000);
  const fleets: Fleet[] = [];
  const programs: ChildProcess[] = [];
  const start = async (options: Parameters<typeof startFleet>[0]): Promise<Fleet> => {
    const fleet = await startFleet({ port: 0, stdio: 'ignore', env: SETTINGS, ...options });
    fleets.push(fleet);
    return fleet;
  };
  afterEach(async () => {
    for (const program of programs.splice(0)) program.kill('SIGKILL');
    for (const fleet of fleets.splice(0)) await fleet.stop();
  });

  it('serves an app, reloads it without losing a request, changes its size, and tells what happens', async () => {
    const fleet = await start({ app, workers: 2 });
    const told: string[] = [];
    for (const event of ['reloading', 'reloaded', 'scaled', 'stopping'] satisfies FleetEventName[])
      fleet.on(event, ({ text }) => told.push(`${event}: ${text}`));
    const pids: number[] = [];
    fleet.on('ready', ({ pid }) => pids.push(pid));
    const gone: number[] = [];
    fleet.on('gone', ({ pid }) => gone.push(pid));
    const before = (await fleet.status()).workers.map(({ pid }) => pid);
    const meter = new Meter(fleet.port);
    await eventually(() => meter.tally.ok > 300, 'load');
    await fleet.reload();
    await fleet.reload({ force: true });
    const { ok, ...lost } = await meter.stop();
    expect(lost).to.deep.equal(NOTHING_LOST);
    await fleet.scale(1);
    await eventually(() => before.every((pid) => gone.includes(pid)), 'the first workers gone');
    const status = await fleet.status();
    expect({
      port: status.port,
      pid: status.pid,
      generation: status.generation,
      wanted: status.wanted,
    }).to.deep.equal({
      port: fleet.port,
      pid: fleet.pid,
      generation: 3,
      wanted: 1,
    });
    expect(pids).to.have.lengthOf(4);
    expect(await fleet.stop()).to.deep.equal({ code: 0, signal: null });
    expect(told.map((text) => text.replace(/ after.*/, ''))).to.deep.equal([
      'reloading: reloading: generation 2',
      'reloaded: reloaded: generation 2 serves',
      'reloading: reloading: generation 3',
      'reloaded: reloaded: generation 3 serves',
      'scaled: scaling from 2 to 1 workers',
      'stopping: Received stop, shutting down gracefully...',
    ]);
  });

  it('rejects a reload that is abandoned, with its reason, and a rollback where nothing stands by', async () => {
    const fleet = await start({
      app: fixture('boots-once.js'),
      workers: 1,
      env: { ...SETTINGS, BOOTS_ONCE: `fleet-${process.pid}` },
    });
    const failed = async (work: Promise<void>): Promise<string> =>
      work.then(
        () => 'it did not',
        (error: Error) => error.message,
      );
    expect(await failed(fleet.rollback())).to.match(/^nothing to roll back to: /);
    expect(await failed(fleet.scale(0))).to.equal('workers: expected an integer from 1 to 512, got `0`');
    const event = new Promise<string>((resolve) => fleet.once('abandoned', ({ text }) => resolve(text)));
    expect(await failed(fleet.reload())).to.match(/^reload abandoned: /);
    expect(await event).to.match(/^reload abandoned, the old generation goes on: /);
    expect(await answer(fleet.port)).to.not.equal('');
  });

  it('stops when its signal aborts, in order: what is in flight is answered', async () => {
    const controller = new AbortController();
    const fleet = await start({ app: fixture('wait.js'), workers: 1, signal: controller.signal });
    const inFlight = answer(fleet.port, '/?ms=3000');
    await eventually(
      async () => ((await fleet.status()).workers[0]?.inFlight ?? 0) > 0,
      'a request in flight',
    );
    controller.abort();
    expect(await inFlight).to.not.equal('');
    expect(await fleet.closed).to.deep.equal({ code: 0, signal: null });
  });

  it('rejects with the reason of a signal that aborts before it serves, and leaves nothing', async () => {
    const already = AbortSignal.abort(new Error('no more'));
    expect(await startFleet({ signal: already }).catch((error) => error.message)).to.equal('no more');
    const controller = new AbortController();
    const began = startFleet({
      ...{ app: fixture('slow-boot.js'), port: 0, stdio: 'ignore' as const },
      signal: controller.signal,
    }).catch((error) => error.message);
    setImmediate(() => controller.abort(new Error('too late')));
    expect(await began).to.equal('too late');
  });

  it('rejects with what the primary says where it cannot serve', async () => {
    const port = await freePort();
    const taken = createServer().listen(port);
    await once(taken, 'listening');
    const problem = await startFleet({ port, stdio: 'ignore' }).catch((error) => error);
    taken.close();
    expect(problem).to.be.instanceOf(FleetError);
    expect([problem.message, problem.code]).to.deep.equal([`Port ${port} is already in use`, 1]);
    const missing = await startFleet({ app: 'nope.js', port: 0, stdio: 'ignore', cwd: ROOT }).catch((e) => e);
    expect([missing.message, missing.code]).to.deep.equal([
      'nope.js: expected a module, got no such file',
      78,
    ]);
    const node = await startFleet({ node: '/nowhere/node', stdio: 'ignore' }).catch((error) => error);
    expect([node.message, node.code]).to.deep.equal(['/nowhere/node: expected Node there, got ENOENT', null]);
  });

  it('refuses an upgrade, of which the program would not hear, and events that there are not', async () => {
    const fleet = await start({ app, workers: 1 });
    const { code, err } = await cli(fleet.port, 'upgrade');
    expect([code, err]).to.deep.equal([
      1,
      'upgrade abandoned: a program runs this fleet by startFleet(): start that anew\n',
    ]);
    expect(() => fleet.on('read' as FleetEventName, () => {})).to.throw(
      TypeError,
      'event: expected one of listening, ',
    );
  });

  it('leaves no trace of itself in the environment of the app', async () => {
    const fleet = await start({
      app: fixture('tells-env.js'),
      workers: 1,
      env: { ...SETTINGS, TELL: 'HELLO_SERVER_OWNER' },
    });
    expect(await answer(fleet.port)).to.not.include('HELLO_SERVER_OWNER');
  });

  describe('when its program', () => {
    const program = async (): Promise<{
      child: ChildProcess;
      pid: number;
      port: number;
      said: () => string;
    }> => {
      const child = spawn(process.execPath, [fixture('runs-a-fleet.mjs'), fixture('wait.js')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      programs.push(child);
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      await eventually(() => /^fleet \d+ on \d+$/m.test(out), 'a fleet', 15_000);
      const [, pid, port] = /^fleet (\d+) on (\d+)$/m.exec(out) ?? [];
      return { child, pid: Number(pid), port: Number(port), said: () => out };
    };

    it('is killed: answers what is in flight, and ends', async () => {
      const { child, pid, port } = await program();
      const inFlight = answer(port, '/?ms=3000');
      await eventually(
        async () => (await cli(port, 'status')).code === 0 && (await answer(port)) !== '',
        'it serves',
      );
      child.kill('SIGKILL');
      expect(await inFlight).to.not.equal('');
      await eventually(() => !lives(pid), 'the primary gone', 12_000);
    });

    it('blocks for good: serves and reloads on', async () => {
      const { child, pid, port, said } = await program();
      child.kill('SIGUSR2');
      await eventually(() => said().includes('blocks'), 'the program blocks');
      for (let i = 0; i < 3; i++) expect((await cli(port, 'reload')).code).to.equal(0);
      expect(await answer(port)).to.not.equal('');
      child.kill('SIGKILL');
      await eventually(() => !lives(pid), 'the primary gone', 12_000);
    });
  });
});
