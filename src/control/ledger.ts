// What the fleet has counted: sums that a worker's end takes nothing from, the last minutes second by second, and what
// has happened last.

import { EXIT_REASONS, type ExitReason } from '../core/ending.ts';
import {
  addGrowth,
  COUNTERS,
  copyOf,
  type Gauges,
  hasGrown,
  most,
  NO_STATS,
  NO_SUMS,
  newTally,
  type Stats,
  type Sums,
} from '../core/figures.ts';
import type { Effect } from '../core/fleet.ts';
import type { Notice } from '../core/notices.ts';
import { lineOf } from '../log/wording.ts';
import { type Rates, Recent, ratesBetween, rounded } from './recent.ts';
import { type Happened, type History, SERIES, type SeriesName } from './status.ts';

/** The history has a point a second, for so many seconds. */
export const SAMPLE_MS = 1000;
const POINTS = 900;
/** What was answered in the last minutes is of one to two times this. */
const MINUTES_MS = 120_000;
/** So many events are kept. */
const EVENTS = 30;
/** Each is cut to so many characters: an app's error may be of any length. */
const EVENT_CHARS = 500;
/** No worker answers, sends or works faster than this: what says so is nonsense. A second, of each counter. */
const MOST_PER_SECOND = 1e8;
const MOST_BYTES_PER_SECOND = 1e11;

/** One worker's figures. */
export interface WorkerFigures {
  readonly stats: Stats;
  readonly rates: Rates | undefined;
}

interface Live {
  readonly slot: number;
  readonly recent: Recent;
  /** What it has counted, as far as it is believed. */
  sums: Sums;
  stats: Stats;
  /** When it has beaten last. */
  at: number;
}

/** One slot's share, over all its workers. */
export interface SlotFigures {
  /** Processor time, and that of garbage collection, ms. */
  readonly cpuMs: number;
  readonly gcMs: number;
  /** Of its newest worker. */
  readonly gauges: Gauges | undefined;
}

type Point = Readonly<Record<SeriesName, number | null>>;

/** The books of one primary. */
export class Ledger {
  readonly #total = newTally();
  readonly #slots = new Map<number, { cpuMs: number; gcMs: number }>();
  readonly #live = new Map<number, Live>();
  readonly #recent: Recent;
  readonly #minutes: Recent;
  readonly #history: (Point | undefined)[] = [];
  readonly #events: { readonly at: number; readonly level: Happened['level']; readonly text: string }[] = [];
  readonly exits = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, 0])) as Record<
    ExitReason,
    number
  >;
  readonly reloads = { done: 0, abandoned: 0 };
  /** Requests named as poison. */
  poison = 0;
  #sampled: { readonly at: number; readonly sums: Sums };

  /** @param at when it begins, ms of the same clock as all that follow */
  constructor(at: number) {
    this.#recent = new Recent(NO_SUMS, at);
    this.#minutes = new Recent(NO_SUMS, at, MINUTES_MS);
    this.#sampled = { at, sums: NO_SUMS };
  }

  /** A worker's beat; `at` is in ms, as below. What it sends can only add to the sums: what it added is returned. */
  beat(id: number, slot: number, stats: Stats, at: number): { readonly before: Sums; readonly now: Sums } {
    let live = this.#live.get(id);
    if (!live) {
      live = { slot, recent: new Recent(NO_SUMS, at), sums: NO_SUMS, stats: NO_STATS, at };
      this.#live.set(id, live);
    }
    const before = live.sums;
    if (!isPlausible(before, stats, at - live.at)) return { before, now: before };
    live.at = at;
    const sums = hasGrown(before, stats) ? stats : most(before, stats);
    live.sums = sums;
    live.stats = stats;
    live.recent.note(sums, at);
    addGrowth(this.#total, before, sums);
    const share = this.#slots.get(slot) ?? { cpuMs: 0, gcMs: 0 };
    share.cpuMs += cpuMsIn(sums) - cpuMsIn(before);
    share.gcMs += sums.counters.gcMs - before.counters.gcMs;
    this.#slots.set(slot, share);
    return { before, now: sums };
  }

  /** A worker has gone, and nothing more comes from it. */
  forget(id: number): void {
    this.#live.delete(id);
  }

  /** Counts what the policy does. */
  show(effect: Effect): void {
    if (effect.do === 'ended') this.exits[effect.reason] += 1;
    else if (effect.do === 'log' && effect.notice.notice === 'poison') this.poison += 1;
    else if (effect.do === 'reloaded') this.reloads.done += 1;
    else if (effect.do === 'abandoned') this.reloads.abandoned += 1;
  }

  /** Keeps what is logged, as far as it is not for debugging. */
  happened(notice: Notice, at: number): void {
    const { level, text } = lineOf(notice);
    if (level === 'trace' || level === 'debug' || notice.notice === 'visit') return;
    this.#events.unshift({ at, level, text: text.slice(0, EVENT_CHARS) });
    this.#events.length = Math.min(EVENTS, this.#events.length);
  }

  /** Adds a point to the history; to be called each second. */
  sample(at: number, primaryRssMiB: number): void {
    const now = { at, sums: copyOf(this.#total) };
    const rates = ratesBetween(this.#sampled, now);
    const missed = Math.round((at - this.#sampled.at) / SAMPLE_MS) - 1;
    for (let i = 0; i < Math.min(missed, POINTS); i++) this.#history.push(undefined);
    this.#sampled = now;
    this.#recent.note(now.sums, at);
    this.#minutes.note(now.sums, at);
    const { eventLoopDelay, rss, inFlight, connections } = this.gauges();
    this.#history.push({
      requestsPerSecond: rates?.requestsPerSecond ?? null,
      errorsPerSecond: rates?.errorsPerSecond ?? null,
      latencyP50: rates?.latencyP50 ?? null,
      latencyP99: rates?.latencyP99 ?? null,
      eventLoopDelay,
      rss: rounded(rss + primaryRssMiB),
      inFlight,
      connections,
    });
    this.#history.splice(0, this.#history.length - POINTS);
  }

  get total(): Sums {
    return this.#total;
  }

  /** What was answered in the last minutes. */
  get lastMinutes(): Sums {
    return this.#minutes.added;
  }

  get rates(): Rates | undefined {
    return this.#recent.rates;
  }

  /** What all workers have open now, and their memory in MiB; and the latest event loop of all, ms. */
  gauges(): Pick<Gauges, 'inFlight' | 'connections' | 'longLived'> & {
    readonly rss: number;
    readonly eventLoopDelay: number | null;
  } {
    const all = [...this.#live.values()].map(({ stats }) => stats.gauges);
    const sum = (of: (gauges: Gauges) => number): number => all.reduce((so, gauges) => so + of(gauges), 0);
    return {
      inFlight: sum((gauges) => gauges.inFlight),
      connections: sum((gauges) => gauges.connections),
      longLived: sum((gauges) => gauges.longLived),
      rss: rounded(sum((gauges) => gauges.rssMiB)),
      eventLoopDelay: all.length === 0 ? null : Math.max(...all.map((gauges) => gauges.loopDelayP99Ms)),
    };
  }

  /** A worker's figures; undefined before its first beat. */
  worker(id: number): WorkerFigures | undefined {
    const live = this.#live.get(id);
    return live && { stats: live.stats, rates: live.recent.rates };
  }

  /** The share of each slot that has ever had a worker which served. */
  slots(): ReadonlyMap<number, SlotFigures> {
    const newest = new Map<number, Gauges>();
    for (const { slot, stats } of this.#live.values()) newest.set(slot, stats.gauges);
    return new Map([...this.#slots].map(([slot, share]) => [slot, { ...share, gauges: newest.get(slot) }]));
  }

  events(now: number): Happened[] {
    return this.#events.map(({ at, level, text }) => ({ ago: rounded((now - at) / 1000), level, text }));
  }

  history(): History {
    const series = SERIES.map((name) => [name, this.#history.map((point) => point?.[name] ?? null)]);
    return { step: SAMPLE_MS / 1000, series: Object.fromEntries(series) as History['series'] };
  }
}

const cpuMsIn = ({ counters }: Sums): number => counters.cpuUserMs + counters.cpuSystemMs;

/** Whether a worker can have counted that in the time since its last beat. */
function isPlausible(before: Sums, now: Sums, ms: number): boolean {
  const seconds = ms / 1000 + 60; // a beat may have waited in the channel
  return COUNTERS.every((name) => {
    const most = name.startsWith('bytes') ? MOST_BYTES_PER_SECOND : MOST_PER_SECOND;
    return now.counters[name] - before.counters[name] <= most * seconds;
  });
}
