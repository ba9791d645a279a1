// A fleet without processes: workers that are objects, so that what the primary itself costs can be measured at any size.

import { statsOf } from '../../test/helpers/stats.ts';
import { type FakeWorker, Scripted } from '../../test/primary/scripted-world.ts';
import type { Measured } from '../result.ts';

const TICK_MS = 1000;
/** Beats, turns and statuses that are measured, and of each as many before that to warm up. */
const BEATS = 50_000;
const TURNS = 2000;
const STATUSES = 200;
/** A step of a reload's time: within it everybody has answered. */
const STEP_MS = 20;

/** What a beat, a turn of the policy, a status and a worker's replacement cost the primary of `workers`, µs of CPU. */
export async function simulated(workers: number): Promise<Measured> {
  const world = await new Scripted({ WEB_CONCURRENCY: String(workers), SETTLE_TIME: '0' }).serving();
  // It would keep every fleet there ever was, which is not the primary's cost.
  Object.assign(world.toldManager, { push: () => 0 });
  const beats = beater(world);
  beats(BEATS);
  const usPerBeat = cost(() => beats(BEATS)) / BEATS;
  const turns = (): void => {
    for (let turn = 0; turn < TURNS; turn++) world.primary.dispatch({ type: 'wake' });
  };
  turns();
  const usPerTurn = cost(turns) / TURNS;
  const statuses = (): void => {
    for (let i = 0; i < STATUSES; i++) JSON.stringify(world.commands?.status());
  };
  statuses();
  const usPerStatus = cost(statuses) / STATUSES;
  const before = process.cpuUsage();
  await reload(world);
  const { user, system } = process.cpuUsage(before);
  return { usPerBeat, usPerTurn, usPerStatus, usPerReplaced: (user + system) / workers };
}

function cost(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Has all workers beat in turn, a second passing with each round, until there have been so many beats. */
function beater(world: Scripted): (count: number) => void {
  const { workers } = world;
  let answers2xx = 0;
  return (count) => {
    for (let i = 0; i < count; i++) {
      const at = i % workers.length;
      if (at === 0) {
        answers2xx += 1;
        world.now += TICK_MS;
      }
      workers[at]?.says({ type: 'beat', stats: statsOf({ answers2xx }, { rssMiB: 60 }) });
    }
  };
}

/** One reload, in which every worker does at once what it is told. */
async function reload(world: Scripted): Promise<void> {
  const old = new Set(world.workers);
  let fresh = world.workers.length;
  const waiting = new Set(old);
  world.primary.dispatch({ type: 'reload' });
  while (old.size > 0) {
    for (; fresh < world.workers.length; fresh++) {
      world.workers[fresh]?.says({ type: 'hello' });
      world.workers[fresh]?.ready();
    }
    for (const worker of waiting) if (obeys(world, worker, old)) waiting.delete(worker);
    await world.pass(STEP_MS);
  }
}

/** Whether it has been told to go, and went. */
function obeys(world: Scripted, worker: FakeWorker, old: Set<FakeWorker>): boolean {
  const told = worker.sent.at(-1)?.type;
  if (told === 'leave') {
    worker.sent.length = 0;
    worker.says({ type: 'left' });
  }
  if (told !== 'drain') return false;
  world.exit(worker, { code: 0 });
  return old.delete(worker);
}
