// What does a fleet cost that has nothing to do?

import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, ownCpuNs, workersOf } from '../measure/process-tree.ts';
import { describe, type Settings, takeTurns } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { type Answer, type Comparison, type Measured, rowsOf } from '../result.ts';
import { type Subject, start } from '../subject.ts';
import { bareCluster, hello } from '../subjects.ts';

const SIZES = [4, 64];
const ROUNDS = 2;
/** What a start leaves to do, as compiling and collecting garbage, is over by then. */
const SETTLE_SECONDS = 20;
const WINDOW_SECONDS = 20;

export const rest: Question = {
  name: 'rest',
  asks: 'What does a fleet cost that has nothing to do?',
  how: `CPU time of the primary, and of a worker on average, in ${WINDOW_SECONDS} s that begin ${SETTLE_SECONDS} s after the start; no connection is open. By the scheduler's own count, which is exact to the nanosecond.`,
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const subjects: Subject[] = [];
  const comparisons: Comparison[] = [];
  for (const size of SIZES) {
    const pair = [bareCluster(size), hello(size)];
    const names = pair.map(({ name }) => name);
    subjects.push(...pair);
    const rounds = await takeTurns(
      pair,
      ({ name }) => name,
      { ...settings, rounds: ROUNDS },
      (subject) => atRest(subject, settings),
    );
    comparisons.push({
      title: `${size} workers at rest`,
      metrics: ['primaryPercent', 'workerPercent'],
      baseline: bareCluster(size).name,
      ratios: [],
      plot: 'primaryPercent',
      rows: rowsOf(names, rounds),
    });
  }
  return { comparisons, subjects: describe(subjects, new Map(), settings.node), failures: [] };
}

async function atRest(subject: Subject, { node, quick }: Settings): Promise<Measured> {
  const server = await start(subject, node);
  try {
    await sleep(quick ? 1000 : SETTLE_SECONDS * 1000);
    const workers = workersOf(server.pid);
    const others = childrenOf(server.pid).filter((pid) => !workers.includes(pid));
    const used = (): { primary: number; workers: number } => ({
      primary: [server.pid, ...others].reduce((sum, pid) => sum + ownCpuNs(pid), 0),
      workers: workers.reduce((sum, pid) => sum + ownCpuNs(pid), 0),
    });
    const [before, began] = [used(), performance.now()];
    await sleep(quick ? 1000 : WINDOW_SECONDS * 1000);
    const [after, ms] = [used(), performance.now() - began];
    const percent = (ns: number): number => (ns / 1e6 / ms) * 100;
    return {
      primaryPercent: percent(after.primary - before.primary),
      workerPercent: percent(after.workers - before.workers) / workers.length,
    };
  } finally {
    await server.stop();
  }
}
