// A worker's figures: what it counts, what it measures, and how they are added up over workers and time.

import { LATENCY_BUCKETS } from './latency.ts';

/** What the primary is like itself. */
export interface OwnProcess {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Since the epoch. */
  readonly startSeconds: number;
  /** null = not known, as where there is no /proc. */
  readonly openFds: number | null;
  readonly maxFds: number | null;
}

/** What only grows in the life of a worker. */
export const COUNTERS = [
  /** Answers by class of their status; `other` is what HTTP does not know. */
  'answers2xx',
  'answers3xx',
  'answers4xx',
  'answers5xx',
  'answersOther',
  /** Answers that we gave in the app's place, by status; they count among the answers too. */
  'refused400',
  'refused408',
  'refused431',
  /** Requests in which the app threw or rejected. */
  'failed',
  /** Requests whose client left before its answer was whole. */
  'left',
  /** Listeners that ran too long in one piece. */
  'slowTurns',
  /** Connections accepted, and those of them that were upgraded. */
  'accepted',
  'upgraded',
  /** Connections that a drain cut at its deadline. */
  'cut',
  'bytesReceived',
  'bytesSent',
  'logLinesDropped',
  /** Times in ms: of the answers together, in garbage collection, of the processor in the app's and in the kernel's code. */
  'latencyMs',
  'gcMs',
  'cpuUserMs',
  'cpuSystemMs',
] as const;
export type Counters = Readonly<Record<(typeof COUNTERS)[number], number>>;

/** What goes up and down. */
export const GAUGES = [
  'inFlight',
  'connections',
  /** Of the connections, WebSockets and the like; and event streams. */
  'longLived',
  /** How late the event loop was since the last beat, ms. */
  'loopDelayP50Ms',
  'loopDelayP99Ms',
  'loopDelayMaxMs',
  /** The share of time that the event loop was busy since the last beat, 0 to 1. */
  'loopUtilization',
  'rssMiB',
  'heapUsedMiB',
  'heapLimitMiB',
] as const;
export type Gauges = Readonly<Record<(typeof GAUGES)[number], number>>;

/** A worker's figures, sent with every beat. */
export interface Stats {
  readonly counters: Counters;
  readonly gauges: Gauges;
  /** Answers by latency: see latency.ts. */
  readonly latency: readonly number[];
  /** Why the app says that it is unwell; null = it does not. */
  readonly unwell: string | null;
}

/** Counters with their histogram, of one worker or of many. */
export interface Sums {
  readonly counters: Counters;
  readonly latency: readonly number[];
}

/** Sums that are added to in place: a beat of each of many workers comes every second. */
export interface Tally {
  readonly counters: { -readonly [Name in keyof Counters]: Counters[Name] };
  readonly latency: number[];
}

/** Reads each of the names; a loop, as objects are made of entries at ten times the cost. */
function record<K extends string>(names: readonly K[], value: (name: K) => number): Record<K, number> {
  const all = {} as Record<K, number>;
  for (const name of names) all[name] = value(name);
  return all;
}

export const newTally = (): Tally => ({
  counters: record(COUNTERS, () => 0),
  latency: new Array<number>(LATENCY_BUCKETS).fill(0),
});
export const NO_SUMS: Sums = newTally();

/** Of a worker that has not beaten yet. */
export const NO_STATS: Stats = { ...newTally(), gauges: record(GAUGES, () => 0), unwell: null };

/** The sums as they are now, whatever is added later. */
export const copyOf = ({ counters, latency }: Sums): Sums => ({
  counters: { ...counters },
  latency: [...latency],
});

/** Adds to `tally` what `now` has more than `before`; never less than nothing. */
export function addGrowth(tally: Tally, before: Sums, now: Sums): void {
  for (const name of COUNTERS) {
    const growth = now.counters[name] - before.counters[name];
    if (growth > 0) tally.counters[name] += growth;
  }
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    const growth = (now.latency[bucket] ?? 0) - (before.latency[bucket] ?? 0);
    if (growth > 0) tally.latency[bucket] = (tally.latency[bucket] ?? 0) + growth;
  }
}

/** What `now` has more than `before`; never less than nothing. */
export function since(before: Sums, now: Sums): Sums {
  const tally = newTally();
  addGrowth(tally, before, now);
  return tally;
}

/** Both together. */
export function plus(a: Sums, b: Sums): Sums {
  const tally = newTally();
  addGrowth(tally, NO_SUMS, a);
  addGrowth(tally, NO_SUMS, b);
  return tally;
}

/** The larger of each: counters that a worker sends do not go back, whatever it sends. */
export function most(before: Sums, now: Sums): Sums {
  const tally = newTally();
  addGrowth(tally, NO_SUMS, before);
  addGrowth(tally, before, now);
  return tally;
}

/** Whether nothing in `now` is less than in `before`. */
export const hasGrown = (before: Sums, now: Sums): boolean =>
  COUNTERS.every((name) => now.counters[name] >= before.counters[name]) &&
  now.latency.every((count, bucket) => count >= (before.latency[bucket] ?? 0));

/** All answers. */
export const answersIn = ({ counters: c }: Sums): number =>
  c.answers2xx + c.answers3xx + c.answers4xx + c.answers5xx + c.answersOther;

/** The figures in what a worker has sent; undefined where one is missing or makes no sense. */
export function statsIn(value: unknown): Stats | undefined {
  if (!isObject(value)) return undefined;
  const { counters, gauges, latency, unwell } = value;
  if (!hasAll(counters, COUNTERS) || !hasAll(gauges, GAUGES)) return undefined;
  if (!Array.isArray(latency) || latency.length !== LATENCY_BUCKETS || !latency.every(isAmount))
    return undefined;
  if (unwell !== null && typeof unwell !== 'string') return undefined;
  return {
    counters: record(COUNTERS, (name) => counters[name]),
    gauges: record(GAUGES, (name) => gauges[name]),
    latency: [...latency],
    unwell: unwell === null ? null : unwell.slice(0, MAX_REASON_CHARS),
  };
}

/** The app's own words for why it is unwell are cut to so many characters. */
const MAX_REASON_CHARS = 200;

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

function hasAll<K extends string>(value: unknown, names: readonly K[]): value is Record<K, number> {
  return isObject(value) && names.every((name) => isAmount(value[name]));
}
