// What the figures have to be, each a comparison within one run, and whether they are. Pure.

import { against, figure, rowOf } from './figures.ts';
import type { Comparison, MetricName, Result, Row } from './result.ts';

/** A bound on one figure. */
export interface Target {
  readonly says: string;
  readonly question: string;
  readonly comparison: string;
  readonly subject: string;
  readonly metric: MetricName;
  /** The subject it is set against; without one the figure itself is bound. */
  readonly against?: string;
  readonly how: 'ratio' | 'difference' | 'value';
  readonly bound: 'at most' | 'at least';
  readonly value: number;
  readonly unit?: string;
  /** Why it may be missed, where that is known. */
  readonly ifMissed?: string;
}

const HELLO_2 = 'hello-server, 2 workers';
const BARE_2 = 'bare node:cluster, 2 workers';
const GUNICORN = 'gunicorn + Flask, 4 workers';

const onNode = (major: number, value: number, ifMissed?: string): Target => ({
  says: `CPU per request against the three-line server, Node ${major}`,
  question: 'nodes',
  comparison: `Node ${major}`,
  subject: `hello-server, 1 worker, Node ${major}`,
  metric: 'cpuUsPerRequest',
  against: `bare node:http, Node ${major}`,
  how: 'ratio',
  bound: 'at most',
  value,
  ...(ifMissed === undefined ? {} : { ifMissed }),
});

const ofLog = (format: string, value: number): Target => ({
  says: `CPU per request with the request log against without, ${format}`,
  question: 'log-cost',
  comparison: 'the request log',
  subject: `hello-server, 1 worker, ${format}`,
  metric: 'cpuUsPerRequest',
  against: 'hello-server, 1 worker, log off',
  how: 'ratio',
  bound: 'at most',
  value,
});

/** @param than the other that it is set against, of ours; without one, the same app under node:cluster */
const ofApp = (says: string, tag: string, value: number, than?: string): Target => ({
  says: `CPU per request of ${says}`,
  question: 'as-it-is',
  comparison: tag,
  subject: `hello-server, 1 worker, ${tag}`,
  metric: 'cpuUsPerRequest',
  against: than === undefined ? `bare node:cluster, 1 worker, ${tag}` : `hello-server, 1 worker, ${than}`,
  how: 'ratio',
  bound: 'at most',
  value,
  ifMissed:
    than === undefined
      ? 'validation, counting, two readings of the clock and the Server line are 0.6 to 0.8 µs a request; with Express that is less than the rounds differ'
      : 'its listener is looked up at each request, as the app may exchange it: 0.2 µs',
});

const keepAlive = { question: 'keep-alive', comparison: 'several processes', subject: HELLO_2 } as const;
const startStop = { question: 'start-stop', comparison: 'start, stop, memory', subject: HELLO_2 } as const;
const reloading = {
  question: 'reload',
  comparison: 'speed meanwhile, at full load',
  subject: `${HELLO_2}, reloading`,
  against: `${HELLO_2}, no reload`,
  how: 'ratio',
} as const;

/** What is bound of a fleet at rest. */
const atRest = (
  workers: number,
  metric: 'primaryPercent' | 'workerPercent',
  value: number,
  ifMissed?: string,
): Target => ({
  says: `CPU of ${metric === 'primaryPercent' ? 'the primary' : 'a worker'} at rest, ${workers} workers`,
  question: 'rest',
  comparison: `${workers} workers at rest`,
  subject: `hello-server, ${workers} workers`,
  metric,
  how: 'value',
  bound: 'at most',
  value,
  unit: '% of a core',
  ...(ifMissed === undefined ? {} : { ifMissed }),
});

const perRequest =
  'its log line costs 0.4 µs a request, its two more header lines 0.4, validation, counting and the clock 0.3';
// Measured: bare node:http, just started, 86 us a request in its first second, 45 to 55 in those after; ours 87, 46 to 50.
const firstSecond =
  'in its first second a process compiles what it runs, and a request costs it 1.8 times the CPU, the three-line server too; a reload starts two on the two cores';
const perBoot =
  'a process of ours reads and compiles 200 kB of its own, makes pipes for its log and an inspector port: 15 to 20 ms of CPU beside the 25 to 45 of a bare Node';

export const TARGETS: readonly Target[] = [
  onNode(20, 1, perRequest),
  onNode(24, 0.97, perRequest),
  // Profile of the JavaScript alone, against the three-line server: what differs by more than 0.05 us a request.
  onNode(
    26,
    0.97,
    'a request costs 0.8 µs more for its three headers, 0.4 for its log line, 0.3 for validation and counting, and 0.4 less for garbage',
  ),
  ofLog('text', 1.08),
  ofLog('json', 1.1),
  ofApp('an app that listens itself against the same app exported', 'as it is', 1.01, 'exported'),
  ofApp('Express against the same app under node:cluster', 'Express', 1.03),
  ofApp('Fastify against the same app under node:cluster', 'Fastify', 1.03),
  {
    says: 'two workers, kept connections, requests/s against node:cluster',
    ...keepAlive,
    metric: 'requestsPerSecond',
    against: BARE_2,
    how: 'ratio',
    bound: 'at least',
    value: 1,
  },
  {
    says: 'two workers, a connection per request, requests/s against node:cluster',
    ...keepAlive,
    question: 'connections',
    metric: 'requestsPerSecond',
    against: BARE_2,
    how: 'ratio',
    bound: 'at least',
    value: 1.6,
    ifMissed:
      'the load generator needs one of the two cores to ask so often; CPU per request is little more than half of theirs',
  },
  {
    says: 'requests/s against gunicorn + Flask with 4 workers',
    ...keepAlive,
    metric: 'requestsPerSecond',
    against: GUNICORN,
    how: 'ratio',
    bound: 'at least',
    value: 10,
    ifMissed: 'the load generator needs one of the two cores to ask ours so often',
  },
  {
    says: 'CPU per request against gunicorn + Flask with 4 workers',
    ...keepAlive,
    metric: 'cpuUsPerRequest',
    against: GUNICORN,
    how: 'ratio',
    bound: 'at most',
    value: 0.1,
  },
  { ...onNode(24, 3.2), says: 'CPU per request against nginx, Node 24', against: 'nginx, 1 worker' },
  {
    says: 'first answer of two workers against node:cluster',
    ...startStop,
    metric: 'firstAnswerMs',
    against: BARE_2,
    how: 'ratio',
    bound: 'at most',
    value: 1.15,
    ifMissed: perBoot,
  },
  {
    says: "a worker's RSS beyond the bare worker's",
    ...startStop,
    metric: 'workerMiB',
    against: BARE_2,
    how: 'difference',
    bound: 'at most',
    value: 20,
    unit: 'MiB',
  },
  {
    says: "the primary's RSS",
    ...startStop,
    metric: 'primaryMiB',
    how: 'value',
    bound: 'at most',
    value: 70,
    unit: 'MiB',
  },
  {
    says: 'p99 in the 2 s of a reload at full load against without',
    ...reloading,
    metric: 'p99Ms',
    bound: 'at most',
    value: 1.3,
    ifMissed: firstSecond,
  },
  {
    says: 'requests/s in the 2 s of a reload at full load against without',
    ...reloading,
    metric: 'requestsPerSecond',
    bound: 'at least',
    value: 0.85,
    ifMissed: firstSecond,
  },
  {
    says: 'memory of an idle connection against node:http',
    question: 'idle-connections',
    comparison: 'idle connections',
    subject: 'hello-server, 1 worker',
    metric: 'kibPerConnection',
    against: 'bare node:http',
    how: 'ratio',
    bound: 'at most',
    value: 1.05,
  },
  atRest(4, 'primaryPercent', 0.2),
  atRest(4, 'workerPercent', 0.05),
  atRest(
    64,
    'primaryPercent',
    0.5,
    'each of 64 workers says every three seconds that it lives, and each time a process wakes that has slept: 0.2 ms',
  ),
  atRest(64, 'workerPercent', 0.05),
  {
    says: 'start of 64 workers against node:cluster',
    question: 'scale',
    comparison: 'start of 64 workers',
    subject: 'hello-server, 64 workers',
    metric: 'wholeMs',
    against: 'bare node:cluster, 64 workers',
    how: 'ratio',
    bound: 'at most',
    value: 1,
    ifMissed: perBoot,
  },
  {
    says: 'CPU of the primary for each worker that a reload of 64 replaces, beyond that of a start',
    question: 'scale',
    comparison: 'a fleet of 64',
    subject: 'its reload',
    metric: 'primaryMsPerWorker',
    against: 'its start',
    how: 'difference',
    bound: 'at most',
    value: 2,
    unit: 'ms',
    ifMissed:
      'the policy has 0.24 ms of it; a program that makes pipes, six sockets for each process and their ends the rest',
  },
  {
    says: 'the longest status while 64 workers are replaced',
    question: 'scale',
    comparison: 'a reload',
    subject: 'hello-server, 64 workers',
    metric: 'statusMs',
    how: 'value',
    bound: 'at most',
    value: 20,
    unit: 'ms',
  },
  {
    says: 'the worker with the most of 200 kept connections on 4 workers against the mean',
    question: 'balance',
    comparison: '4 workers',
    subject: 'hello-server, 4 workers',
    metric: 'worstLater',
    how: 'value',
    bound: 'at most',
    value: 1.5,
  },
];

/** What became of a target. */
export type Verdict =
  | { readonly state: 'met'; readonly got: number }
  | { readonly state: 'missed'; readonly got: number; readonly byPercent: number }
  | { readonly state: 'not measured'; readonly why: string };

/** Judges a target by the results there are; the number judged has the two digits that are shown. */
export function judge(target: Target, results: readonly Result[]): Verdict {
  const result = results.find(({ question }) => question === target.question);
  if (!result) return { state: 'not measured', why: `\`${target.question}\` was not run` };
  const comparison = result.comparisons.find(({ title }) => title === target.comparison);
  if (!comparison) return { state: 'not measured', why: `no ${target.comparison}` };
  const value = read(target, comparison);
  if (typeof value === 'string') return { state: 'not measured', why: value };
  const got = Number(value.toFixed(2));
  const over = target.bound === 'at most' ? got / target.value - 1 : 1 - got / target.value;
  return over <= 0
    ? { state: 'met', got }
    : { state: 'missed', got, byPercent: Math.max(1, Math.round(over * 100)) };
}

/** The figure a target bounds, or why there is none. */
function read({ subject, against: other, metric, how }: Target, comparison: Comparison): number | string {
  const row = rowOf(comparison, subject);
  const base = other === undefined ? row : rowOf(comparison, other);
  const missing = row === undefined ? subject : other;
  if (!row || !base) return `no ${missing}`;
  const value = how === 'value' ? figure(row, metric) : against(row, base, metric, how)?.median;
  return value ?? reason(row) ?? reason(base) ?? `no ${metric}`;
}

const reason = ({ note }: Row): string | undefined => note;

/** A verdict in words: `met: 1.02`, `missed by 4 %: 1.12`. */
export function worded(verdict: Verdict, { unit, ifMissed }: Target): string {
  const of = unit === undefined ? '' : ` ${unit}`;
  switch (verdict.state) {
    case 'met':
      return `met: ${verdict.got.toFixed(2)}${of}`;
    case 'missed':
      return `missed by ${verdict.byPercent} %: ${verdict.got.toFixed(2)}${of}${ifMissed ? `; ${ifMissed}` : ''}`;
    case 'not measured':
      return `not measured: ${verdict.why}`;
  }
}

/** A bound in words: `≤ 1.08`. */
export const bound = ({ bound, value, unit, how }: Target): string =>
  `${bound === 'at most' ? '≤' : '≥'} ${how === 'ratio' ? `${value.toFixed(2)} ×` : value}${unit === undefined ? '' : ` ${unit}`}`;
