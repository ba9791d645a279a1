// Rates over the last seconds, out of sums that only grow.

import { answersIn, type Sums, since } from '../core/figures.ts';
import { quantile } from '../core/latency.ts';

/** What is shown is what happened within one to two times this. */
export const SHOWN_MS = 5000;
/** Less time than this makes no rate. */
const LEAST_MS = 200;

interface Mark {
  readonly at: number;
  readonly sums: Sums;
}

/** What has happened in a stretch of time; times in ms. */
export interface Rates {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
  /** Shares of a processor, 0 to 1 and above with threads. */
  readonly cpu: number;
  readonly gc: number;
}

/** The rates between two marks; undefined where they are too close together. */
export function ratesBetween(before: Mark, after: Mark): Rates | undefined {
  const ms = after.at - before.at;
  if (ms < LEAST_MS) return undefined;
  const sums = since(before.sums, after.sums);
  const { answers5xx, cpuUserMs, cpuSystemMs, gcMs } = sums.counters;
  return {
    requestsPerSecond: rounded((answersIn(sums) * 1000) / ms),
    errorsPerSecond: rounded((answers5xx * 1000) / ms),
    latencyP50: roundedOrNull(quantile(sums.latency, 0.5)),
    latencyP99: roundedOrNull(quantile(sums.latency, 0.99)),
    cpu: rounded((cpuUserMs + cpuSystemMs) / ms),
    gc: rounded(gcMs / ms),
  };
}

/** The last seconds of sums that are noted now and then. */
export class Recent {
  #older: Mark;
  #newer: Mark;
  #latest: Mark;

  readonly #windowMs: number;

  /** @param windowMs what is told is of one to two times so long */
  constructor(sums: Sums, at: number, windowMs = SHOWN_MS) {
    this.#windowMs = windowMs;
    this.#older = { at, sums };
    this.#newer = this.#older;
    this.#latest = this.#older;
  }

  note(sums: Sums, at: number): void {
    this.#latest = { at, sums };
    if (at - this.#newer.at < this.#windowMs) return;
    this.#older = this.#newer;
    this.#newer = this.#latest;
  }

  /** What was added in that time. */
  get added(): Sums {
    return since(this.#older.sums, this.#latest.sums);
  }

  get rates(): Rates | undefined {
    return ratesBetween(this.#older, this.#latest);
  }
}

export const rounded = (value: number): number => Math.round(value * 1000) / 1000;
const roundedOrNull = (value: number | null): number | null => (value === null ? null : rounded(value));
