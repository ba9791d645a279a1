// What can be seen of a fleet in trouble, by tests that take their time: blocked, stopped and spinning processes.

import { expect } from 'chai';
import { Meter } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { samplesAt, seen, statusAt } from '../helpers/seen.ts';
import { eventually, fixture, stays } from '../helpers/server.ts';

/** What an answer of a health check says. */
const health = async (url: string): Promise<string> => {
  const answer = await fetch(url);
  const { reason } = (await answer.json()) as { readonly reason: string };
  return `${answer.status} ${reason}`;
};

describe('the figures', () => {
  it('see a block of an idle worker’s event loop', async () => {
    const { server, admin } = await seen({ args: [fixture('blocks.js')], env: { WEB_CONCURRENCY: '1' } });
    await eventually(async () => ((await statusAt(admin)).workers[0]?.uptime ?? 0) > 2, 'it is idle');
    for (let i = 0; i < 3; i++) {
      await exchange(server.port, request('GET', '/'));
      await eventually(
        async () => ((await statusAt(admin)).workers[0]?.eventLoopDelay ?? 0) >= 300,
        'the block is seen',
      );
      await eventually(
        async () => ((await statusAt(admin)).workers[0]?.eventLoopDelay ?? 0) < 100,
        'it is over',
      );
    }
  });

  it('have no false rate after a pause of the primary', async () => {
    const { server, admin } = await seen();
    const meter = new Meter(server.port, [
      { name: 'keep-alive', clients: 2, thinkMs: 40, fresh: false, bodyBytes: 0 },
    ]);
    await eventually(async () => (await statusAt(admin)).now.requestsPerSecond > 50, 'load');
    server.signal('SIGSTOP');
    const stopped = meter.tally.ok;
    await eventually(() => meter.tally.ok > stopped + 400, 'the workers go on');
    server.signal('SIGCONT');
    const rates: number[] = [];
    await stays(async () => rates.push((await statusAt(admin)).now.requestsPerSecond), 'it is watched', 2500);
    await meter.stop();
    expect(Math.max(...rates)).to.be.below(2.5 * Math.min(...rates));
  });
});

describe('health', () => {
  it('shows a stopped worker as what it is, in the status and in the metrics', async () => {
    const { server, admin } = await seen({ env: { HANG_TIMEOUT: '0' } });
    const [victim = 0] = server.workers();
    process.kill(victim, 'SIGSTOP');
    await eventually(
      async () => (await statusAt(admin)).workers.some(({ unwell }) => unwell === 'does not respond'),
      'it is seen',
    );
    const samples = await samplesAt(admin);
    expect(samples.get('hello_server_unwell_workers')).to.equal(1);
    const late = [0, 1].map((worker) =>
      samples.get(`hello_server_event_loop_delay_seconds{worker="${worker}",quantile="1"}`),
    );
    expect(Math.max(...late.map(Number))).to.be.above(4);
    process.kill(victim, 'SIGCONT');
    await eventually(
      async () => (await statusAt(admin)).workers.every(({ unwell }) => unwell === null),
      'it is back',
    );
  });

  it('fails at neither while one worker spins and another serves', async () => {
    const { server, admin } = await seen({ args: [fixture('hangs.js')], env: { HANG_TIMEOUT: '8' } });
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/spin'));
    await eventually(
      async () => /does not respond/.test(await health(`${admin}/readyz`)),
      'it is seen to be silent',
    );
    await stays(
      async () =>
        /^200 1 of 2 workers ready: worker \d does not respond$/.test(await health(`${admin}/readyz`)),
      'it is ready by the other worker',
      500,
    );
    expect(await health(`${admin}/livez`)).to.match(/^200 /);
    await server.says(/hung/);
    await eventually(
      async () => (await health(`${admin}/readyz`)) === '200 2 of 2 workers ready',
      'it is replaced',
    );
    await eventually(async () => (await statusAt(admin)).totals.exits.hung === 1, 'its end is counted');
  });
});
