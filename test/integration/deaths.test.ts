// Each way in which a worker dies, with what the log, the status and the metrics say of it.

import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { type Seen, samplesAt, seen, statusAt } from '../helpers/seen.ts';
import { eventually, eventuallyReceived, fixture, launch, type Running, serve } from '../helpers/server.ts';

const ENV = { WEB_CONCURRENCY: '1' };
const DIES = { args: [fixture('dies.js')], env: ENV };
/** The worker tells of a request that it has held for 100 ms, and looks every 100 ms: one as old as this has been told. */
const TOLD = '/begin?ms=450';

/** What is counted of the ends of workers, apart from those asked for. */
async function exitsAt(admin: string): Promise<Record<string, number>> {
  const samples = await samplesAt(admin);
  const counted = [...samples].flatMap(([name, value]) => {
    const [, reason] = /^hello_server_worker_exits_total\{reason="(\w+)"\}$/.exec(name) ?? [];
    return reason !== undefined && value > 0 ? [[reason, value] as const] : [];
  });
  return Object.fromEntries(counted);
}

const lastExit = async (admin: string): Promise<string | null | undefined> =>
  (await statusAt(admin)).workers[0]?.lastExit;

/** Sends a request that is not expected to be answered, and goes on when it has come. */
async function hold(server: Running, target: string): Promise<Raw> {
  const raw = (await Raw.open(server.port)).send(request('GET', target));
  await eventuallyReceived(server, raw);
  return raw;
}

/** Waits for the worker that takes the place of another one, or of the first. */
async function another(server: Running, old: number): Promise<number> {
  await eventually(
    () => server.workers().length === 1 && !server.workers().includes(old),
    `another worker than ${old}\n${server.log}`,
  );
  let pid = 0;
  await eventually(async () => {
    const answer = await exchange(server.port, request('GET', '/')).catch(() => undefined);
    pid = Number(answer?.body);
    return pid > 0 && pid !== old;
  }, 'it answers');
  return pid;
}

/** The worker there is dies of a request; returns its successor's pid. */
async function dies(server: Running, target: string): Promise<number> {
  const [old = 0] = server.workers();
  (await Raw.open(server.port)).send(request('GET', target));
  return another(server, old);
}

const dying = (): Promise<Seen> => seen(DIES);

describe('the death of a worker', () => {
  describe('by an error that nobody caught', () => {
    for (const [path, origin] of [
      ['/throw', 'uncaughtException: thrown in the open'],
      ['/reject', 'unhandledRejection: rejected in the open'],
    ] as const) {
      it(`names the request, which has its 500 at once where it alone is in flight: ${path}`, async () => {
        const { server, admin } = await dying();
        const [old = 0] = server.workers();
        expect(await exchange(server.port, request('GET', `${path}?token=secret`))).to.deep.include({
          status: 500,
          body: 'Internal Server Error',
        });
        await server.says(new RegExp(`^${origin}, working on GET ${path}\n {4}Error: `, 'm'));
        await another(server, old);
        await eventually(
          async () => (await lastExit(admin)) === `${origin}, working on GET ${path}`,
          'the last exit',
        );
        await eventually(async () => (await exitsAt(admin)).fatal_error === 1, 'it is counted');
        expect((await statusAt(admin)).totals).to.include({ failed: 1 });
        expect(server.err).to.not.include('secret');
      });
    }

    it('answers the others, where several are in flight', async () => {
      const server = await serve(DIES);
      const held = await hold(server, '/wait?ms=2000');
      const guilty = await hold(server, '/throw');
      await server.says(/^uncaughtException: thrown in the open, working on GET \/throw and GET \/wait\n/m);
      expect((await held.answer()).status).to.equal(200);
      guilty.destroy();
    });

    it('leaves an answer alone that has begun', async () => {
      const server = await serve(DIES);
      const [old] = server.workers();
      const begun = await hold(server, '/begin?ms=1000');
      await exchange(server.port, request('GET', '/later?ms=50'));
      await server.says(/^uncaughtException: thrown in the open, working on GET \/begin\n/m);
      const { status, body } = await begun.answer();
      expect({ status, body }).to.deep.equal({ status: 200, body: `begun ${old}` });
    });
  });

  it('by process.exit() while it serves: where it was called', async () => {
    const { server, admin } = await dying();
    const [old = 0] = server.workers();
    const raw = await hold(server, '/exit');
    await server.says(/the app called process\.exit\(3\) at test\/fixtures\/dies\.js:10: its worker is /);
    raw.destroy();
    await another(server, old);
    const said = 'exited with 3: process.exit called at test/fixtures/dies.js:10, working on GET /exit';
    await eventually(async () => (await lastExit(admin)) === said, 'the last exit');
    expect(await exitsAt(admin)).to.deep.equal({ exit_called: 1 });
  });

  it('by a heap that is full: at how many MiB', async () => {
    const { server, admin } = await seen({
      ...DIES,
      env: { ...ENV, NODE_OPTIONS: '--max-old-space-size=64' },
    });
    await dies(server, '/heap');
    await server.says(
      /worker 0 \(pid \d+\) crashed: SIG\w+ after \d+\.\d s, heap out of memory at \d+ MiB, respawning\n/,
    );
    expect(await lastExit(admin)).to.match(/^SIG\w+, heap out of memory at \d+ MiB$/);
    expect(await exitsAt(admin)).to.deep.equal({ heap_out_of_memory: 1 });
  });

  it('by a heap that is full at boot: at how many MiB, by V8’s own trace', async () => {
    const server = launch({
      args: [fixture('grows-at-boot.js')],
      env: { ...ENV, NODE_OPTIONS: '--max-old-space-size=32' },
    });
    expect(await server.end()).to.deep.equal({ code: 1, signal: null });
    expect(server.err).to.match(
      /^worker 0 died of SIG\w+ before it was ready, heap out of memory at \d\d MiB\n/m,
    );
  });

  it('by abort(): that it was native code', async () => {
    const { server, admin } = await dying();
    await dies(server, '/abort');
    await server.says(
      /crashed: SIGABRT after \d+\.\d s, abort or a failed assertion in native code, respawning\n/,
    );
    expect(await lastExit(admin)).to.equal('SIGABRT, abort or a failed assertion in native code');
    expect(await exitsAt(admin)).to.deep.equal({ aborted: 1 });
  });

  for (const signal of ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE'] as const) {
    it(`by ${signal}: that native code crashed`, async () => {
      const { server, admin } = await dying();
      const [old = 0] = server.workers();
      process.kill(old, signal);
      await another(server, old);
      await server.says(new RegExp(`crashed: ${signal} after \\d+\\.\\d s, native crash, respawning\n`));
      expect(await lastExit(admin)).to.equal(`${signal}, native crash`);
      expect(await exitsAt(admin)).to.deep.equal({ native_crash: 1 });
    });
  }

  it('by somebody’s SIGKILL: that it was killed from outside, with the request that was held for a while', async () => {
    const { server, admin } = await dying();
    const [old = 0] = server.workers();
    await hold(server, '/wait?ms=60000&token=secret');
    await exchange(server.port, request('GET', TOLD));
    process.kill(old, 'SIGKILL');
    await another(server, old);
    const [, why, holding] = await server.says(
      /crashed: SIGKILL after \d+\.\d s, (killed from outside|out of memory\?), working on (GET \/wait(?: and GET \/begin)?), respawning\n/,
    );
    expect(await lastExit(admin)).to.equal(`SIGKILL, ${why}, working on ${holding}`);
    expect(await exitsAt(admin)).to.deep.equal({ [why === 'out of memory?' ? 'crashed' : 'killed']: 1 });
    expect(server.err).to.not.include('secret');
  });

  it('says nothing of a request that was answered before', async () => {
    const { server, admin } = await dying();
    const [old = 0] = server.workers();
    // The second beat comes long after the worker has looked for what it holds.
    for (const requests of [1, 2]) {
      await exchange(server.port, request('GET', requests === 1 ? TOLD : '/'));
      await eventually(async () => (await statusAt(admin)).workers[0]?.requests === requests, 'a beat');
    }
    process.kill(old, 'SIGSEGV');
    await another(server, old);
    await server.says(/crashed: SIGSEGV after \d+\.\d s, native crash, respawning\n/);
  });
});

describe('a request that kills its worker', () => {
  it('is named at the second death, and as poison at the third', async function () {
    this.timeout(40_000);
    const { server, admin } = await dying();
    await dies(server, '/segv?first');
    await server.says(/crashed: SIGSEGV after \d+\.\d s, native crash, respawning\n/);
    await dies(server, '/segv?second');
    await server.says(/native crash, working on GET \/segv, respawning in \d\.\d s\n/);
    expect(server.err).to.not.include('being worked on');
    await dies(server, '/segv?third');
    await server.says(
      /^GET \/segv was being worked on when 2 workers died within 10 minutes: it may be what kills them\n/m,
    );
    await dies(server, '/segv?fourth');
    expect(server.err.match(/being worked on/g)).to.have.length(1);
    expect((await samplesAt(admin)).get('hello_server_poison_requests_total')).to.equal(1);
    expect((await statusAt(admin)).totals.poison).to.equal(1);
  });

  it('is told from those that were answered before', async function () {
    this.timeout(40_000);
    const server = await serve(DIES);
    const armed = await dies(server, '/kill');
    for (let i = 0; i < 300; i++)
      expect((await exchange(server.port, request('GET', `/?${i}`))).status).to.equal(200);
    await hold(server, '/wait?ms=60000');
    (await Raw.open(server.port)).send(request('GET', '/exit-at-once'));
    await another(server, armed);
    await server.says(
      /worker 0 \(pid \d+\) crashed: code 7 after \d+\.\d s, working on GET \/exit-at-once and GET \/wait, respawning/,
    );
  });

  it('leaves no file behind', async function () {
    this.timeout(40_000);
    const server = await serve(DIES);
    await dies(server, '/segv');
    await dies(server, '/segv');
    const { readdirSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const left = ['/dev/shm', tmpdir()].flatMap((folder) =>
      readdirSync(folder).filter((name) => name.startsWith(`hello-server-${server.pid}-`)),
    );
    expect(left).to.deep.equal([]);
  });
});
