// What the primary makes of the end of a worker, by all that it knows.

import { expect } from 'chai';
import { ARMED_MS } from '../../src/core/deadlines.ts';
import { statsOf } from '../helpers/stats.ts';
import { type FakeWorker, Scripted } from './scripted-world.ts';

const KILLED = { signal: 'SIGKILL' } as const;

/** A fleet of one that serves, whose kernel has counted so many kills. */
async function serving(kills?: number): Promise<{ world: Scripted; worker: FakeWorker }> {
  const world = new Scripted({ WEB_CONCURRENCY: '1', HANG_TIMEOUT: '0' });
  if (kills !== undefined) world.oomCount = { of: '/app', kills };
  await world.serving();
  return { world, worker: world.workers[0] as FakeWorker };
}

describe('the end of a worker', () => {
  it('by SIGKILL is the kernel’s where its counter rose, with memory by the last beat', async () => {
    const { world, worker } = await serving(7);
    worker.says({ type: 'beat', stats: statsOf({}, { rssMiB: 310.4 }) });
    worker.says({ type: 'holding', requests: ['GET /report'] });
    world.oomCount = { of: '/app', kills: 8 };
    await world.pass(400);
    world.exit(worker, KILLED);
    const why = 'the kernel killed for memory (rss 310 of 512 MiB), working on GET /report';
    expect(world.log.at(-1)).to.equal(`worker 0 (pid 100) crashed: SIGKILL after 0.4 s, ${why}, respawning`);
    world.alive.at(-1)?.ready();
    const status = world.commands?.status();
    expect(status?.workers[0]).to.include({ restarts: 1, lastExit: `SIGKILL, ${why}` });
    expect(status?.totals.exits).to.include({ 'out of memory': 1, crashed: 0, killed: 0 });
  });

  it('by SIGKILL is somebody’s where it did not rise', async () => {
    const { world, worker } = await serving(7);
    world.exit(worker, KILLED);
    expect(world.log.at(-1)).to.equal(
      'worker 0 (pid 100) crashed: SIGKILL after 0.0 s, killed from outside, respawning',
    );
    expect(world.commands?.status().totals.exits).to.include({ killed: 1 });
  });

  it('by SIGKILL is asked about where the counter cannot be read', async () => {
    const { world, worker } = await serving();
    world.exit(worker, KILLED);
    expect(world.log.at(-1)).to.equal(
      'worker 0 (pid 100) crashed: SIGKILL after 0.0 s, out of memory?, respawning',
    );
    expect(world.commands?.status().totals.exits).to.include({ crashed: 1 });
  });

  it('at boot, of memory, says so too', async () => {
    const world = new Scripted({ WEB_CONCURRENCY: '1' });
    world.oomCount = { of: '/app', kills: 0 };
    world.primary.dispatch({ type: 'wake' });
    world.oomCount = { of: '/app', kills: 1 };
    world.exit(world.workers[0] as FakeWorker, KILLED);
    await world.pass(1000);
    expect(world.log).to.deep.equal([
      'worker 0 died of SIGKILL before it was ready, the kernel killed for memory (limit 512 MiB)',
    ]);
    expect(world.exitCode).to.equal(1);
  });

  it('by our own kill is never held against anybody', async () => {
    const { world, worker } = await serving(7);
    worker.says({ type: 'holding', requests: ['GET /report'] });
    world.primary.dispatch({ type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' });
    await world.pass(9000);
    world.oomCount = { of: '/app', kills: 8 };
    expect(worker.killed).to.equal(true);
    world.exit(worker, KILLED);
    expect(world.log.filter((line) => /outside|memory|working/.test(line))).to.deep.equal([]);
  });

  it('by our own kill explains none of the kernel’s kills', async () => {
    const { world, worker } = await serving(7);
    world.primary.dispatch({ type: 'scale', workers: 2 });
    await world.pass(31_000);
    const late = world.workers[1] as FakeWorker;
    expect(late.killed).to.equal(true);
    world.oomCount = { of: '/app', kills: 8 };
    world.exit(late, KILLED);
    world.exit(worker, KILLED);
    expect(world.log.at(-1)).to.match(/worker 0 .* the kernel killed for memory/);
  });

  it('by a full heap is told by the heap’s limit, in the last figures or V8’s trace', async () => {
    const { world, worker } = await serving();
    worker.says({ type: 'beat', stats: statsOf({}, { heapLimitMiB: 1048 }) });
    world.exit(worker, { signal: 'SIGABRT' }, { heapFull: { atMiB: 1001 } });
    expect(world.log.at(-1)).to.include('SIGABRT after 0.0 s, heap out of memory at 1 048 MiB, respawning');
  });

  it('has the requests of its record rather than those that it has told of', async () => {
    const { world, worker } = await serving();
    worker.says({ type: 'holding', requests: ['GET /old'] });
    world.exit(
      worker,
      { signal: 'SIGSEGV' },
      { recorded: ['GET /a', 'GET /b', 'GET /a', 'GET /c', 'GET /d'] },
    );
    expect(world.log.at(-1)).to.include(
      'native crash, working on 2 × GET /a, GET /b, GET /c and 1 more, resp',
    );
  });

  it('has the place of the exit that its app called', async () => {
    const { world, worker } = await serving();
    worker.says({ type: 'last words', holding: [], exit: { place: 'jobs.js:17' } });
    world.exit(worker, { code: 3 });
    expect(world.log.at(-1)).to.equal(
      'worker 0 (pid 100) exited with 3 after 0.0 s: process.exit called at jobs.js:17, respawning',
    );
  });

  it('that is not explained has its slot’s next workers armed, for ten minutes', async () => {
    const { world, worker } = await serving();
    expect(worker.assignment.armedMs).to.equal(0);
    world.exit(worker, { signal: 'SIGSEGV' });
    const [, second] = world.workers;
    expect(second?.assignment.armedMs).to.equal(ARMED_MS);
    second?.ready();
    await world.pass(ARMED_MS - 1000);
    world.primary.dispatch({ type: 'reload' });
    expect(world.workers[2]?.assignment.armedMs).to.equal(1000);
    world.workers[2]?.ready();
    await world.pass(2000);
    world.exit(second as FakeWorker, { code: 0 });
    world.primary.dispatch({ type: 'reload' });
    expect(world.workers[3]?.assignment.armedMs).to.equal(0);
  });
});
