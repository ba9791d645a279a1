// A worker is killed (kill -9): how long until the fleet is whole again, and what do the clients see?

import { ask } from '../measure/ask.ts';
import { workersOf } from '../measure/process-tree.ts';
import { describe, type Settings, takeTurns } from '../measure/turns.ts';
import { pm2 } from '../peers/pm2.ts';
import type { Question } from '../question.ts';
import { type Answer, type Measured, rowsOf } from '../result.ts';
import { type Server, type Subject, SubjectError, start } from '../subject.ts';
import { bareCluster, hello, status } from '../subjects.ts';

const CLIENTS = 4;
const THINK_MS = 5;
/** Before the kill, and after the fleet is whole again. */
const AROUND_MS = 500;
const WHOLE_MS = 30_000;

export const recovery: Question = {
  name: 'recovery',
  asks: 'A worker is killed with -9: how long until the fleet is whole again?',
  how: `${CLIENTS} clients, each connecting anew every ${THINK_MS} ms. Whole again is when \`status\` says so (ours), or when the new worker has answered (pm2). The gap is the longest time between two answers to any of them; lost is what was not answered, or not within 5 s.`,
  ask: askAll,
};

/** Whether a killed worker's place is taken by one that serves. */
type Whole = (server: Server, fleet: Fleet) => Promise<boolean>;

interface Fleet {
  readonly workers: number;
  /** The pid that was killed. */
  readonly victim: number;
  /** The pids that have answered, where they tell. */
  readonly seen: ReadonlySet<string>;
}

interface Case {
  readonly subject: Subject;
  readonly workers: number;
  readonly whole: Whole;
}

const byStatus: Whole = async (server, { workers, victim }) => {
  const { workers: fleet } = await status(server);
  return fleet.filter(({ stage, pid }) => stage === 'ready' && pid !== victim).length >= workers;
};

const byAnswer: Whole = async (server, { workers, victim, seen }) => {
  const live = workersOf(server.pid).filter((pid) => pid !== victim);
  return live.length >= workers && live.every((pid) => seen.has(String(pid)));
};

async function askAll(settings: Settings): Promise<Answer> {
  const cases: Case[] = [2, 1].flatMap((workers) => [
    { subject: hello(workers), workers, whole: byStatus },
    { subject: pm2(workers, { env: { TELL_PID: '1' } }), workers, whole: byAnswer },
  ]);
  const measured = await takeTurns(
    cases,
    ({ subject }) => subject.name,
    settings,
    (each) => once(each, settings.node),
  );
  const none = bareCluster(2).name;
  const names = [...cases.map(({ subject }) => subject.name), none];
  const subjects = cases.map(({ subject }) => subject);
  return {
    comparisons: [
      {
        title: 'kill -9 of a worker',
        metrics: ['wholeAgainMs', 'gapMs', 'lost'],
        ratios: [],
        plot: 'wholeAgainMs',
        rows: rowsOf(names, measured, new Map([[none, 'node:cluster forks no worker anew']])),
      },
    ],
    subjects: describe(subjects, new Map(), settings.node),
    failures: [],
  };
}

async function once({ subject, workers, whole }: Case, node: string): Promise<Measured> {
  const server = await start(subject, node);
  try {
    const clients = new Clients(server.port);
    let wholeAgainMs: number;
    try {
      await pause(AROUND_MS);
      const [victim] = workersOf(server.pid);
      if (victim === undefined) throw new SubjectError(`${subject.name}: expected a worker, found none`);
      process.kill(victim, 'SIGKILL');
      const killed = performance.now();
      await until(() => whole(server, { workers, victim, seen: clients.seen }), subject);
      wholeAgainMs = performance.now() - killed;
      await pause(AROUND_MS);
    } finally {
      await clients.stop();
    }
    return { wholeAgainMs, gapMs: clients.gapMs, lost: clients.lost };
  } finally {
    await server.stop();
  }
}

async function until(condition: () => Promise<boolean>, { name }: Subject): Promise<void> {
  const deadline = performance.now() + WHOLE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new SubjectError(`${name}: expected the fleet to be whole again within ${WHOLE_MS} ms`);
    await pause(5);
  }
}

/** Clients that connect anew for each request. */
class Clients {
  /** Longest time between two answers, ms. */
  gapMs = 0;
  lost = 0;
  /** The workers that have answered, where they tell. */
  readonly seen = new Set<string>();
  #last = performance.now();
  #stopped = false;
  readonly #clients: readonly Promise<void>[];

  constructor(port: number) {
    this.#clients = Array.from({ length: CLIENTS }, () => this.#run(port));
  }

  async #run(port: number): Promise<void> {
    while (!this.#stopped) {
      const reply = await ask(port);
      if (reply?.status === 200) {
        const now = performance.now();
        this.gapMs = Math.max(this.gapMs, now - this.#last);
        this.#last = now;
        this.seen.add(String(reply.headers.worker));
      } else this.lost += 1;
      await pause(THINK_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
