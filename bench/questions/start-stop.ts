// How soon does it serve, how soon is it gone, and how much memory does each process take?

import { KEEP_ALIVE, load } from '../measure/load.ts';
import { memory } from '../measure/process-tree.ts';
import { absentOf, describe, present, type Settings, takeTurns } from '../measure/turns.ts';
import { gunicorn } from '../peers/gunicorn.ts';
import { nginx } from '../peers/nginx.ts';
import { pm2 } from '../peers/pm2.ts';
import { puma } from '../peers/puma.ts';
import { watt } from '../peers/watt.ts';
import type { Question } from '../question.ts';
import { type Answer, type Measured, rowsOf } from '../result.ts';
import { type Subject, start } from '../subject.ts';
import { bareCluster, hello } from '../subjects.ts';

const POLL_MS = 1;
/** So long a server is loaded before its memory is read: what it has then is what it serves with. */
const SETTLE_SECONDS = 0.5;

export const startStop: Question = {
  name: 'start-stop',
  asks: 'How soon does it serve, how soon is it gone, what memory do its processes take?',
  how: 'From the spawn to the first answer, asking every millisecond; memory after half a second of load; from TERM to the end of the root process.',
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const subjects = [bareCluster(2), hello(2), pm2(2), watt(2), nginx(2), puma(2), gunicorn(4)];
  const absent = absentOf(subjects, settings.node);
  const names = subjects.map(({ name }) => name);
  const rounds = await takeTurns(
    present(subjects, absent),
    ({ name }) => name,
    settings,
    (subject) => once(subject, settings.node),
  );
  return {
    comparisons: [
      {
        title: 'start, stop, memory',
        metrics: ['firstAnswerMs', 'stopMs', 'primaryMiB', 'workerMiB', 'rssMiB'],
        baseline: 'bare node:cluster, 2 workers',
        ratios: ['firstAnswerMs'],
        plot: 'firstAnswerMs',
        rows: rowsOf(names, rounds, absent),
      },
    ],
    subjects: describe(subjects, absent, settings.node),
    failures: [],
  };
}

async function once(subject: Subject, node: string): Promise<Measured> {
  const server = await start(subject, node, POLL_MS);
  const firstAnswerMs = performance.now() - server.spawnedAt;
  let measured: Measured = {};
  try {
    await load(KEEP_ALIVE, server.port, server.pid, SETTLE_SECONDS);
    measured = memory(server.pid);
  } finally {
    measured = { firstAnswerMs, ...measured, stopMs: await server.stop() };
  }
  return measured;
}
