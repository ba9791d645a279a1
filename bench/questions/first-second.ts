// What does a worker's first second cost, and what do a warm-up and Node's compile cache save of it?

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change } from '../change.ts';
import { KEEP_ALIVE, type LoadMeasured, load } from '../measure/load.ts';
import { describe, type Settings, takeTurns } from '../measure/turns.ts';
import { SUBJECTS } from '../paths.ts';
import type { Question } from '../question.ts';
import { type Answer, type Measured, rowsOf } from '../result.ts';
import { type Subject, start } from '../subject.ts';
import { bareHttp, hello } from '../subjects.ts';

const POLL_MS = 1;
const WARM_UP = join(SUBJECTS, 'warm-up.mjs');

export const firstSecond: Question = {
  name: 'first-second',
  asks: 'What does the first second of a worker cost, and what do warm-up and compile cache save?',
  how: 'One worker, loaded from its first answer on: its first second, and the second after three more. The warm-up asks itself 1000 times before it serves; the compile cache (NODE_COMPILE_CACHE, from Node 22 on) is filled before.',
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const cache = mkdtempSync(join(tmpdir(), 'hello-server-bench-cache-'));
  try {
    const cached = (change: Change): Subject => ({
      ...hello(1, { env: { NODE_COMPILE_CACHE: cache }, ...change }),
      // Not the folder's path, which is of no interest.
      settings: `${hello(1, change).settings}, NODE_COMPILE_CACHE`,
    });
    const warmUp = { app: WARM_UP };
    const subjects = [
      bareHttp(),
      hello(1),
      cached({ tag: 'compile cache' }),
      hello(1, { tag: 'warm-up', ...warmUp }),
      cached({ tag: 'both', ...warmUp }),
    ];
    // Who has a cache fills it.
    for (const subject of subjects) await once(subject, settings.node);
    const seconds = new Map<string, { readonly first: LoadMeasured; readonly fifth: LoadMeasured }[]>();
    const firsts = await takeTurns(
      subjects,
      ({ name }) => name,
      settings,
      async (subject) => {
        const { firstAnswerMs, ...measured } = await once(subject, settings.node);
        seconds.set(subject.name, [...(seconds.get(subject.name) ?? []), measured]);
        return { firstAnswerMs, ...measured.first };
      },
    );
    const fifths = new Map<string, Measured[]>(
      [...seconds].map(([name, rounds]) => [name, rounds.map(({ fifth }) => fifth)]),
    );
    const names = subjects.map(({ name }) => name);
    const common = { baseline: hello(1).name, plot: 'cpuUsPerRequest' } as const;
    return {
      comparisons: [
        {
          title: 'the first second',
          metrics: ['firstAnswerMs', 'requestsPerSecond', 'p50Ms', 'p99Ms', 'cpuUsPerRequest'],
          ratios: ['p99Ms', 'cpuUsPerRequest'],
          rows: rowsOf(names, firsts),
          ...common,
        },
        {
          title: 'the fifth second',
          metrics: ['requestsPerSecond', 'p50Ms', 'p99Ms', 'cpuUsPerRequest'],
          ratios: ['p99Ms', 'cpuUsPerRequest'],
          rows: rowsOf(names, fifths),
          ...common,
        },
      ],
      subjects: describe(subjects, new Map(), settings.node),
      failures: [],
    };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

async function once(
  subject: Subject,
  node: string,
): Promise<{ readonly firstAnswerMs: number; readonly first: LoadMeasured; readonly fifth: LoadMeasured }> {
  const server = await start(subject, node, POLL_MS);
  try {
    const firstAnswerMs = performance.now() - server.spawnedAt;
    const first = await load(KEEP_ALIVE, server.port, server.pid, 1);
    await load(KEEP_ALIVE, server.port, server.pid, 3);
    return { firstAnswerMs, first, fifth: await load(KEEP_ALIVE, server.port, server.pid, 1) };
  } finally {
    await server.stop();
  }
}
