// What does a reload cost the clients: requests lost, and how much slower is what is not lost?

import { Meter } from '../../test/helpers/meter.ts';
import { KEEP_ALIVE, load, speedOf } from '../measure/load.ts';
import { LOSS_METRICS, lossesOf, lostByUs, METER } from '../measure/losses.ts';
import { cpuUs } from '../measure/process-tree.ts';
import { absentOf, describe, type Settings, stopAll, takeTurns } from '../measure/turns.ts';
import { gunicorn } from '../peers/gunicorn.ts';
import { nginx } from '../peers/nginx.ts';
import { pm2 } from '../peers/pm2.ts';
import { puma } from '../peers/puma.ts';
import { watt, wattCreated } from '../peers/watt.ts';
import type { Question } from '../question.ts';
import { type Answer, type Comparison, type Measured, rowsOf } from '../result.ts';
import { type Server, type Subject, start } from '../subject.ts';
import { hello } from '../subjects.ts';

const FAR_MS = 25;
/** In each round. */
const RELOADS = 5;
const WARM_UP_SECONDS = 1;
/** A reload of two workers takes about 1.3 s, one of them that its old ones stand by; what it leaves behind shows too. */
const WINDOW_SECONDS = 2;

export const reload: Question = {
  name: 'reload',
  asks: 'What does a reload cost the clients?',
  how: `Each system by its own reload, over and over, under the loss meter of the tests: ${METER}. Every request ends in exactly one column. Ours is also asked from ${FAR_MS} ms away. Then its speed, once warm, in the ${WINDOW_SECONDS} s that begin with a reload and in as many without, for the clients of keep-alive, which take all there is, and for those of the meter.`,
  ask: askAll,
};

/** A row of the table of losses. */
interface Case {
  readonly name: string;
  readonly subject: Subject;
  readonly delayMs: number;
}

async function askAll(settings: Settings): Promise<Answer> {
  const near = [
    hello(2),
    hello(1),
    nginx(2),
    puma(2),
    gunicorn(4),
    gunicorn(4, 'gthread'),
    pm2(2),
    watt(2),
    wattCreated(2),
  ];
  const cases: Case[] = [
    ...near.map((subject) => ({ name: subject.name, subject, delayMs: 0 })),
    ...[hello(2), hello(1)].map((subject) => ({
      name: `${subject.name}, ${FAR_MS} ms away`,
      subject,
      delayMs: FAR_MS,
    })),
  ];
  const losses = await countLosses(cases, settings);
  const absent = absentOf(near, settings.node);
  const comparisons = [
    losses,
    await compareSpeed('speed meanwhile, at full load', eager, settings),
    await compareSpeed("speed meanwhile, the meter's clients", thinking, settings),
  ];
  return {
    comparisons,
    subjects: describe(near, absent, settings.node),
    failures: comparisons.flatMap(({ rows }) => rows.flatMap(lostByUs)),
  };
}

async function countLosses(cases: readonly Case[], settings: Settings): Promise<Comparison> {
  const absent = absentOf(
    cases.map(({ subject }) => subject),
    settings.node,
  );
  const able = cases.filter(({ subject }) => !absent.has(subject.name));
  const rounds = await takeTurns(
    able,
    ({ name }) => name,
    { ...settings, rounds: 2 },
    ({ subject, delayMs }) =>
      lossesOf(subject, settings.node, { reloads: settings.quick ? 2 : RELOADS, delayMs }),
  );
  return {
    title: 'requests lost',
    metrics: LOSS_METRICS,
    ratios: [],
    plot: 'lost',
    rows: rowsOf(
      cases.map(({ name }) => name),
      rounds,
      absent,
    ),
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The same clients on two servers of ours, of which one reloads once while it is measured. */
async function compareSpeed(title: string, clients: Clients, settings: Settings): Promise<Comparison> {
  const calm = hello(2, { tag: 'no reload' });
  const reloading = hello(2, { tag: 'reloading' });
  const servers: Server[] = [];
  try {
    for (const subject of [calm, reloading]) servers.push(await start(subject, settings.node));
    const rounds = await takeTurns(
      servers,
      ({ subject }) => subject.name,
      settings,
      async (server) => {
        await clients(server, WARM_UP_SECONDS);
        const asked = clients(server, WINDOW_SECONDS);
        return server.subject === reloading ? whileReloading(server, asked) : asked;
      },
    );
    return {
      title,
      metrics: ['requestsPerSecond', 'p50Ms', 'p99Ms', 'p999Ms', 'cpuUsPerRequest', 'reloads', 'lost'],
      baseline: calm.name,
      ratios: ['requestsPerSecond', 'p99Ms', 'cpuUsPerRequest'],
      plot: 'p99Ms',
      rows: rowsOf([calm.name, reloading.name], rounds),
    };
  } finally {
    await stopAll(servers);
  }
}

/** One reload while the clients ask. */
async function whileReloading(server: Server, asked: Promise<Measured>): Promise<Measured> {
  const [measured] = await Promise.all([asked, server.subject.reload?.(server)]);
  return { ...measured, reloads: 1 };
}

/** Clients that ask for some seconds. */
type Clients = (server: Server, seconds: number) => Promise<Measured>;

const eager: Clients = async ({ port, pid }, seconds) => {
  const { errors, ...measured } = await load(KEEP_ALIVE, port, pid, seconds);
  return { ...measured, reloads: 0, lost: errors };
};

const thinking: Clients = async ({ port, pid }, seconds) => {
  const cpuBefore = cpuUs(pid);
  const began = performance.now();
  const meter = new Meter(port);
  await pause(seconds * 1000);
  await meter.stop();
  const cpu = cpuUs(pid) - cpuBefore;
  const elapsedMs = performance.now() - began;
  return { ...speedOf(meter.latencies, elapsedMs, cpu), reloads: 0, lost: meter.lost };
};
