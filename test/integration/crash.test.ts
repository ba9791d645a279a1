import { expect } from 'chai';
import { KINDS, Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, launch, type Running, serve } from '../helpers/server.ts';

const pidOf = async (server: Running): Promise<number> =>
  Number((await exchange(server.port, request('GET', '/'))).body);

describe('a worker that dies', () => {
  it('is named with signal and uptime, and is back well within a second', async () => {
    const server = await serve({ env: { WEB_CONCURRENCY: '1' } });
    const [victim] = server.workers();
    process.kill(victim ?? 0, 'SIGKILL');
    await server.says(
      /worker 0 \(pid \d+\) crashed: SIGKILL after \d+\.\d s, (?:killed from outside|out of memory\?), respawning\n/,
    );
    await eventually(
      async () => server.workers().length === 1 && (await answers(server)),
      'another worker serves',
      1000,
    );
    expect(server.workers()).to.not.include(victim);
  });

  it('is respawned later each time, and never given up while another serves', async function () {
    this.timeout(30_000);
    const server = await serve({ env: { LOG_LEVEL: 'debug' } });
    const victims = /worker 0 \(pid (\d+)\) ready after/g;
    for (const [i, delay] of [
      /, respawning\n/,
      /respawning in 0\.[456] s\n/,
      /respawning in (0\.[89]|1\.[012]) s\n/,
    ].entries()) {
      await eventually(() => [...server.out.matchAll(victims)].length === i + 1, 'worker 0 is ready');
      process.kill(Number([...server.out.matchAll(victims)].at(-1)?.[1]), 'SIGKILL');
      await eventually(() => server.err.split('\n').length === i + 2, 'its end is logged');
      expect(server.err).to.match(delay);
    }
    expect(server.err).to.not.include('giving up');
  });

  it('loses only what it was answering, with two workers under load', async function () {
    this.timeout(60_000);
    const server = await serve({ env: { ACCESS_LOG: 'false', LOG_LEVEL: 'debug' } });
    const meter = new Meter(
      server.port,
      KINDS.filter((kind) => kind.thinkMs < 1000),
    );
    await eventually(() => meter.tally.ok > 500, 'load');
    for (let i = 0; i < 8; i++) {
      const victim = server.workers()[i % 2];
      const before = meter.tally.ok;
      process.kill(victim ?? 0, 'SIGKILL');
      await eventually(() => server.out.match(/ ready after /g)?.length === i + 3, 'it is back');
      await eventually(() => meter.tally.ok > before + 500, 'load goes on');
    }
    const tally = await meter.stop();
    expect(tally, JSON.stringify(meter.losses)).to.include({ refused: 0, hang: 0, 'other status': 0 });
    // At most what its half of the connections had under way.
    expect(tally.reset + tally['cut off']).to.be.lessThan(8 * 28);
  });

  it('refuses nobody meanwhile, were it the only one: the primary holds the socket', async function () {
    this.timeout(30_000);
    const server = await serve({ env: { WEB_CONCURRENCY: '1', ACCESS_LOG: 'false', LOG_LEVEL: 'debug' } });
    const meter = new Meter(
      server.port,
      KINDS.filter((kind) => kind.thinkMs < 1000),
    );
    for (let i = 0; i < 3; i++) {
      await eventually(() => server.out.match(/ ready after /g)?.length === i + 1, 'a worker is ready');
      const before = meter.tally.ok;
      await eventually(() => meter.tally.ok > before + 200, 'load');
      process.kill(server.workers()[0] ?? 0, 'SIGKILL');
    }
    await eventually(() => server.out.match(/ ready after /g)?.length === 4, 'the last is back');
    const tally = await meter.stop();
    expect(tally, JSON.stringify(meter.losses)).to.include({ refused: 0, hang: 0, 'other status': 0 });
  });

  for (const times of [1, 3]) {
    it(`by a signal of the terminal's while it boots is no boot failure: ${times} times`, async () => {
      const server = launch({ env: { WEB_CONCURRENCY: '1', LOG_LEVEL: 'debug' } });
      for (let i = 0; i < times; i++) {
        let victim = 0;
        await eventually(() => {
          victim = server.workers().find((pid) => pid !== victim) ?? 0;
          return victim > 0;
        }, 'a worker boots');
        process.kill(victim, 'SIGINT');
        if (i > 0) break;
        await eventually(
          () => !server.workers().includes(victim) || server.out.includes('Visit'),
          'it died, or was ready',
        );
      }
      await server.serving();
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(server.err).to.equal('');
    });
  }
});

describe('TERM to a worker alone', () => {
  it('has it replaced first; then it drains', async () => {
    const server = await serve({ args: [fixture('pid.js')], env: { WEB_CONCURRENCY: '1' } });
    const old = await pidOf(server);
    const idle = await Raw.open(server.port);
    await idle.send(request('GET', '/')).answer();
    const meter = new Meter(
      server.port,
      KINDS.filter((kind) => kind.thinkMs < 1000),
    );
    process.kill(old, 'SIGTERM');
    await server.says(/replacing worker 0 \(pid \d+\): TERM\n/);
    await eventually(async () => (await pidOf(server)) !== old, 'another answers');
    const last = await idle.send(request('GET', '/')).answer();
    expect(last).to.deep.include({ body: String(old) });
    expect(last.headers).to.include({ connection: 'close' });
    await eventually(() => !server.workers().includes(old), 'it has gone');
    const { ok, ...lost } = await meter.stop();
    expect(ok).to.be.greaterThan(0);
    expect(lost, JSON.stringify(meter.losses)).to.deep.equal(NOTHING_LOST);
  });
});

describe('recycling', () => {
  it('replaces a worker after MAX_REQUESTS, losing nothing, never two at once', async function () {
    this.timeout(60_000);
    const server = await serve({ env: { MAX_REQUESTS: '2000', ACCESS_LOG: 'false' } });
    const meter = new Meter(
      server.port,
      KINDS.filter((kind) => kind.thinkMs < 1000),
    );
    let most = 0;
    await eventually(
      () => {
        most = Math.max(most, server.workers().length);
        return (server.out.match(/replacing worker \d \(pid \d+\): MAX_REQUESTS\n/g)?.length ?? 0) >= 4;
      },
      'four were recycled',
      40_000,
    );
    const { ok, ...lost } = await meter.stop();
    expect(ok).to.be.greaterThan(4000);
    expect(lost, JSON.stringify(meter.losses)).to.deep.equal(NOTHING_LOST);
    expect(server.err).to.equal('');
    expect(most).to.be.lessThan(6);
  });

  it('replaces a worker that passes MAX_MEMORY', async () => {
    const server = await serve({
      args: [fixture('grows.js')],
      env: { WEB_CONCURRENCY: '1', MAX_MEMORY: '250' },
    });
    const [old] = server.workers();
    await exchange(server.port, request('GET', '/grow'));
    await server.says(/replacing worker 0 \(pid \d+\): MAX_MEMORY\n/);
    await eventually(() => !server.workers().includes(old ?? 0), 'it has gone');
  });
});

describe('TTIN and TTOU', () => {
  it('add and take away a worker, never below one', async () => {
    const server = await serve({ env: { WEB_CONCURRENCY: '1' } });
    server.signal('SIGTTIN');
    await eventually(() => server.workers().length === 2, 'two workers');
    server.signal('SIGTTIN');
    await eventually(() => server.workers().length === 3, 'three workers');
    await server.says(/scaling from 2 to 3 workers\n/);
    for (const left of [2, 1]) {
      server.signal('SIGTTOU');
      await eventually(() => server.workers().length === left, `${left} left`);
    }
    server.signal('SIGTTOU');
    server.signal('SIGUSR1');
    await server.says(/ignored SIGUSR1/);
    expect(server.workers()).to.have.length(1);
    expect(server.err).to.equal('');
  });
});

/** Whether it answers at all. */
async function answers(server: Running): Promise<boolean> {
  try {
    return (await exchange(server.port, request('GET', '/'))).status === 200;
  } catch {
    return false;
  }
}
