// A worker's beat: says that it lives, with its figures, and when it has served long enough.

import type { Config } from '../core/config.ts';
import type { Stats } from '../core/figures.ts';
import type { Share } from '../core/memory-share.ts';
import type { Passed, ReplaceReason } from '../core/notices.ts';
import { countLongLived } from '../http/long-lived.ts';
import type { Service } from '../http/service.ts';
import { Measures } from './measures.ts';
import { MemoryWatch } from './memory-watch.ts';

/** A beat at least so often; four within HANG_TIMEOUT where that is short. */
const BEAT_MS = 1000;
const MIN_BEAT_MS = 20;
/** At rest so many beats go without figures, between two that have them, and every other of them is not even sent. */
const REST_BEATS = 3;
/** A beat that comes so late has something to say. */
const LATE_MS = 50;

/** What a beat has to say beside what is open on the service, and to whom. */
export interface Beating {
  readonly beat: (stats: Stats) => void;
  /** Says that it lives, and no more. */
  readonly alive: () => void;
  readonly replace: (why: ReplaceReason, passed?: Passed) => void;
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
  readonly #memory: MemoryWatch | undefined;
  #due = performance.now();
  /** Whether a beat that is left out is a small part of HANG_TIMEOUT, which counts from the last that was sent. */
  readonly #mayPause: boolean;
  #restedBeats = 0;
  /** What the last figures said. */
  #accepted = 0;
  #unwell: string | null = null;

  /** Beats at once and from now on, without keeping the process alive. */
  constructor(
    { hangTimeoutMs, maxRequests, maxMemoryMiB }: Config,
    service: Service,
    beating: Beating,
    share: Share | undefined = undefined,
  ) {
    this.#service = service;
    this.#beating = beating;
    const wanted = hangTimeoutMs > 0 ? hangTimeoutMs / 4 : BEAT_MS;
    this.#every = Math.max(MIN_BEAT_MS, Math.min(BEAT_MS, wanted));
    this.#mayPause = hangTimeoutMs === 0 || wanted >= 5 * this.#every;
    // Up to 10 % more each, so that workers forked together are not replaced together.
    this.#maxRequests = maxRequests > 0 ? Math.ceil(maxRequests * (1 + Math.random() / 10)) : Infinity;
    this.#maxMemoryMiB = maxMemoryMiB > 0 ? maxMemoryMiB : Infinity;
    this.#memory = share && new MemoryWatch(share, beating.replace);
    service.woken.push(() => this.#measures.wake());
    this.#look();
    setInterval(() => this.#look(), this.#every).unref();
  }

  #look(): void {
    if (this.#isAtRest()) {
      this.#restedBeats += 1;
      this.#due = performance.now() + this.#every;
      if (!this.#mayPause || this.#restedBeats % 2 === 0) this.#beating.alive();
      return;
    }
    const { requests } = this.#service.counts;
    const { rssMiB } = this.say().gauges;
    if (requests >= this.#maxRequests) this.#beating.replace('MAX_REQUESTS');
    else if (rssMiB > this.#maxMemoryMiB) this.#beating.replace('MAX_MEMORY');
    else this.#memory?.look();
  }

  /** Whether there is nothing to say since the last figures, and these are not old. */
  #isAtRest(): boolean {
    const { counts, connections } = this.#service;
    return (
      this.#restedBeats < REST_BEATS &&
      connections.size === 0 &&
      counts.accepted === this.#accepted &&
      this.#beating.unwell() === this.#unwell &&
      performance.now() - this.#due < LATE_MS &&
      this.#measures.isAtRest
    );
  }

  /** Says the figures as they are now; a worker's last ones before it ends. */
  say(): Stats {
    const { counts, connections, inFlight } = this.#service;
    const now = performance.now();
    const lateMs = Math.max(0, now - this.#due);
    this.#due = now + this.#every;
    this.#restedBeats = 0;
    this.#accepted = counts.accepted;
    this.#unwell = this.#beating.unwell();
    const stats: Stats = {
      counters: {
        ...counts.read(connections),
        ...this.#measures.counters(),
        logLinesDropped: this.#beating.logLinesDropped(),
      },
      gauges: {
        ...this.#measures.gauges({
          lateMs,
          longestTurnMs: this.#service.takeLongestTurn(),
          isAlone: connections.size === 0,
        }),
        inFlight: inFlight.size,
        connections: connections.size,
        longLived: countLongLived(this.#service),
      },
      latency: counts.latency,
      unwell: this.#unwell,
    };
    this.#beating.beat(stats);
    return stats;
  }
}
