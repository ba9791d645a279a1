// A worker's beat: says that it lives, with its figures, and when it has served long enough.

import type { Config } from '../core/config.ts';
import type { Stats } from '../core/figures.ts';
import type { ReplaceReason } from '../core/notices.ts';
import { countLongLived } from '../http/long-lived.ts';
import type { Service } from '../http/service.ts';
import { Measures } from './measures.ts';

/** A beat at least so often; four within HANG_TIMEOUT where that is short. */
const BEAT_MS = 1000;
const MIN_BEAT_MS = 20;

/** What a beat has to say beside what is open on the service, and to whom. */
export interface Beating {
  readonly beat: (stats: Stats) => void;
  readonly replace: (why: ReplaceReason) => void;
  readonly unwell: () => string | null;
  readonly logLinesDropped: () => number;
}

/** The beat of one worker. */
export class Beat {
  readonly #service: Service;
  readonly #beating: Beating;
  readonly #measures = new Measures();
  readonly #every: number;
  readonly #maxRequests: number;
  readonly #maxMemoryMiB: number;
  #due = performance.now();

  /** Beats at once and from now on, without keeping the process alive. */
  constructor({ hangTimeoutMs, maxRequests, maxMemoryMiB }: Config, service: Service, beating: Beating) {
    this.#service = service;
    this.#beating = beating;
    const wanted = hangTimeoutMs > 0 ? hangTimeoutMs / 4 : BEAT_MS;
    this.#every = Math.max(MIN_BEAT_MS, Math.min(BEAT_MS, wanted));
    // Up to 10 % more each, so that workers forked together are not replaced together.
    this.#maxRequests = maxRequests > 0 ? Math.ceil(maxRequests * (1 + Math.random() / 10)) : Infinity;
    this.#maxMemoryMiB = maxMemoryMiB > 0 ? maxMemoryMiB : Infinity;
    this.#look();
    setInterval(() => this.#look(), this.#every).unref();
  }

  #look(): void {
    const { requests } = this.#service.counts;
    const { rssMiB } = this.say().gauges;
    if (requests >= this.#maxRequests) this.#beating.replace('MAX_REQUESTS');
    else if (rssMiB > this.#maxMemoryMiB) this.#beating.replace('MAX_MEMORY');
  }

  /** Says the figures as they are now; a worker's last ones before it ends. */
  say(): Stats {
    const { counts, connections, inFlight } = this.#service;
    const now = performance.now();
    const lateMs = Math.max(0, now - this.#due);
    this.#due = now + this.#every;
    const stats: Stats = {
      counters: {
        ...counts.read(connections),
        ...this.#measures.counters(),
        logLinesDropped: this.#beating.logLinesDropped(),
      },
      gauges: {
        ...this.#measures.gauges(lateMs),
        inFlight: inFlight.size,
        connections: connections.size,
        longLived: countLongLived(this.#service),
      },
      latency: counts.latency,
      unwell: this.#beating.unwell(),
    };
    this.#beating.beat(stats);
    return stats;
  }
}
