// Are the connections spread over the workers?

import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FRESH, load } from '../measure/load.ts';
import { openFiles, ownCpuNs, workersOf } from '../measure/process-tree.ts';
import { describe, type Settings, takeTurns } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { type Answer, type Comparison, type Measured, rowsOf } from '../result.ts';
import { type Server, type Subject, start } from '../subject.ts';
import { bareCluster, hello } from '../subjects.ts';

const SIZES = [2, 4, 8];
const CLIENTS = 200;
/** A client thinks up to so long between two requests. */
const THINK_MS = 1000;
const AT_ONCE_MS = 500;
const LATER_MS = 5000;

export const balance: Question = {
  name: 'balance',
  asks: 'Are the connections spread over the workers?',
  how: `${CLIENTS} clients connect at once, and keep their connection for one request after another, thinking up to ${THINK_MS / 1000} s in between; how many connections the worker with the most has, against the mean, after ${AT_ONCE_MS / 1000} s and after ${LATER_MS / 1000} s, and how many requests were lost. Then, for requests with a connection each, the CPU time of the worker that works most against the mean. Bare node:cluster deals connections out in turn, in its primary.`,
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const subjects: Subject[] = [];
  const comparisons: Comparison[] = [];
  for (const size of SIZES) {
    const pair = [bareCluster(size, { env: { KEEP_ALIVE_MS: '65000' } }), hello(size)];
    subjects.push(...pair);
    const rounds = await takeTurns(
      pair,
      ({ name }) => name,
      settings,
      (subject) => spreadOf(subject, settings),
    );
    comparisons.push({
      title: `${size} workers`,
      metrics: ['worstAtOnce', 'worstLater', 'worstFresh', 'lost'],
      ratios: [],
      plot: 'worstLater',
      rows: rowsOf(
        pair.map(({ name }) => name),
        rounds,
      ),
    });
  }
  const failures = comparisons.flatMap(({ rows }) =>
    rows
      .filter(({ subject, rounds }) => subject.startsWith('hello-server') && rounds.lost?.some((n) => n > 0))
      .map(({ subject }) => `${subject}: requests were lost by spreading connections`),
  );
  return { comparisons, subjects: describe(subjects, new Map(), settings.node), failures };
}

async function spreadOf(subject: Subject, { node, seconds }: Settings): Promise<Measured> {
  const server = await start(subject, node);
  try {
    const kept = await keptBy(server);
    const workers = workersOf(server.pid);
    const before = workers.map(ownCpuNs);
    await load(FRESH, server.port, server.pid, seconds);
    const used = workers.map((pid, i) => ownCpuNs(pid) - (before[i] ?? 0));
    return { ...kept, worstFresh: worst(used) };
  } finally {
    await server.stop();
  }
}

/** The largest share against the mean. */
const worst = (shares: readonly number[]): number =>
  Math.max(...shares) / (shares.reduce((sum, share) => sum + share, 0) / shares.length);

async function keptBy(server: Server): Promise<Measured> {
  const workers = workersOf(server.pid);
  // Let the start come to an end: then open files change with connections alone.
  await sleep(AT_ONCE_MS);
  const own = workers.map(openFiles);
  const connections = (): number[] => workers.map((pid, i) => openFiles(pid) - (own[i] ?? 0));
  const clients = { goOn: true, lost: 0 };
  const ended = Array.from({ length: CLIENTS }, () => client(server.port, clients));
  await sleep(AT_ONCE_MS);
  const worstAtOnce = worst(connections());
  await sleep(LATER_MS - AT_ONCE_MS);
  const worstLater = worst(connections());
  clients.goOn = false;
  await Promise.all(ended);
  return { worstAtOnce, worstLater, lost: clients.lost };
}

async function client(port: number, clients: { readonly goOn: boolean; lost: number }): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (clients.goOn) {
    await new Promise<void>((resolve) => {
      const lost = (): void => {
        clients.lost += 1;
        resolve();
      };
      const request = get({ host: '127.0.0.1', port, agent }, (answer) =>
        answer.resume().once('end', resolve).once('error', lost),
      );
      request.once('error', lost);
    });
    await sleep(Math.random() * THINK_MS);
  }
  agent.destroy();
}
