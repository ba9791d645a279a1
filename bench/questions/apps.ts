// What does an unmodified app get from each process manager?

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KEEP_ALIVE } from '../measure/load.ts';
import { lossesOf, lostByUs, METER } from '../measure/losses.ts';
import { absentOf, compareUnderLoad, describe, present, type Settings, takeTurns } from '../measure/turns.ts';
import { PACKAGES, SUBJECTS } from '../paths.ts';
import { pm2 } from '../peers/pm2.ts';
import { watt } from '../peers/watt.ts';
import type { Question } from '../question.ts';
import { type Answer, type Comparison, type Measured, type MetricName, rowsOf } from '../result.ts';
import { type Subject, SubjectError, start } from '../subject.ts';
import { bareCluster, hello } from '../subjects.ts';

const BOOTS = 5;
const LOSS_ROUNDS = 2;
const RELOADS = 3;
const POLL_MS = 1;
const NEXT = join(SUBJECTS, 'next');
const METRICS: readonly MetricName[] = [
  'requestsPerSecond',
  'p99Ms',
  'cpuUsPerRequest',
  'rssMiB',
  'firstAnswerMs',
  'reloads',
  'ok',
  'lost',
];

export const apps: Question = {
  name: 'apps',
  asks: 'What does an unmodified app get from each process manager?',
  how: `One route of Express, Fastify and Next (its standalone server), two workers each, each manager at its defaults: ours with its request log in a file, the others without one, as they have none. Speed, CPU and memory under the load of keep-alive; the first answer, from the spawn on, at the median of ${BOOTS} starts; then ${LOSS_ROUNDS * RELOADS} reloads, each manager by its own, under the loss meter: ${METER}. Bare node:cluster has no reload.`,
  ask: askAll,
};

interface Framework {
  readonly title: string;
  readonly subjects: readonly Subject[];
}

function served(title: string, file: string, project?: string): Framework {
  const change = { tag: title, app: file };
  return {
    title,
    subjects: [
      bareCluster(2, change),
      hello(2, change),
      pm2(2, change),
      watt(2, project === undefined ? change : { ...change, project }),
    ],
  };
}

const FRAMEWORKS: readonly Framework[] = [
  served('Express', join(SUBJECTS, 'express.cjs')),
  served('Fastify', join(SUBJECTS, 'fastify.cjs')),
  served('Next', join(NEXT, '.next', 'standalone', 'bench', 'subjects', 'next', 'server.js'), NEXT),
];

async function askAll(settings: Settings): Promise<Answer> {
  build(settings);
  const subjects = FRAMEWORKS.flatMap((framework) => framework.subjects);
  const absent = absentOf(subjects, settings.node);
  const comparisons: Comparison[] = [];
  const failures: string[] = [];
  for (const framework of FRAMEWORKS) {
    const { title } = framework;
    const baseline = framework.subjects[0]?.name ?? '';
    const under = await compareUnderLoad(
      [{ title, baseline, subjects: framework.subjects }],
      KEEP_ALIVE,
      settings,
    );
    const able = present(framework.subjects, absent);
    const alone = await aloneInTurns(able, settings);
    const rows = rowsOf(
      framework.subjects.map(({ name }) => name),
      alone,
      absent,
    ).map((row) => ({
      ...row,
      rounds: {
        ...under.comparisons[0]?.rows.find((each) => each.subject === row.subject)?.rounds,
        ...row.rounds,
      },
    }));
    const metrics = rows.some((row) => row.rounds.errors?.some((errors) => errors > 0))
      ? [...METRICS, 'errors' as const]
      : METRICS;
    comparisons.push({
      title,
      metrics,
      baseline,
      ratios: ['requestsPerSecond', 'cpuUsPerRequest'],
      plot: 'requestsPerSecond',
      rows,
    });
    failures.push(...under.failures, ...rows.flatMap(lostByUs));
  }
  return { comparisons, subjects: describe(subjects, absent, settings.node), failures };
}

/** What each shows that has the machine for itself: its first answer, then its reloads. */
async function aloneInTurns(
  subjects: readonly Subject[],
  settings: Settings,
): Promise<Map<string, readonly Measured[]>> {
  const name = (subject: Subject): string => subject.name;
  const boots = await takeTurns(
    subjects,
    name,
    { ...settings, rounds: settings.quick ? 1 : BOOTS },
    (subject) => firstAnswer(subject, settings),
  );
  const losses = await takeTurns(
    subjects.filter(({ reload }) => reload !== undefined),
    name,
    { ...settings, rounds: settings.quick ? 1 : LOSS_ROUNDS },
    (subject) => lossesOf(subject, settings.node, { reloads: settings.quick ? 1 : RELOADS }),
  );
  return new Map([...boots].map(([each, rounds]) => [each, [...rounds, ...(losses.get(each) ?? [])]]));
}

async function firstAnswer(subject: Subject, { node }: Settings): Promise<Measured> {
  const server = await start(subject, node, POLL_MS);
  const firstAnswerMs = performance.now() - server.spawnedAt;
  await server.stop();
  return { firstAnswerMs };
}

/** Makes what Next serves, where that has not been made. */
function build({ node, progress }: Settings): void {
  if (existsSync(join(NEXT, '.next', 'BUILD_ID')) && existsSync(join(NEXT, '.next', 'standalone'))) return;
  progress('building the app of Next');
  try {
    execFileSync(node, [join(PACKAGES, 'next', 'dist', 'bin', 'next'), 'build'], {
      cwd: NEXT,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
      stdio: 'pipe',
    });
  } catch (error) {
    throw new SubjectError(`Next: expected its app to be built, got ${String(error)}`);
  }
}
