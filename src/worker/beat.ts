// A worker's beat: says that it lives, with its figures, and when it has served long enough.

import type { Config } from '../core/config.ts';
import type { Stats } from '../core/figures.ts';
import type { Share } from '../core/memory-share.ts';
import type { Passed, ReplaceReason } from '../core/notices.ts';
import { residentBytes } from '../host/resident.ts';
import { countLongLived } from '../http/long-lived.ts';
import type { Service } from '../http/service.ts';
import { Measures } from './measures.ts';
import { MemoryWatch } from './memory-watch.ts';

/** A beat at least so often; four within HANG_TIMEOUT where that is short. */
const BEAT_MS = 1000;
const MIN_BEAT_MS = 20;
/** At rest, when there is nothing new to say, so often; well within the time after which a silent worker is not ready. */
const REST_MS = 3000;
/** So many beats in a row are without figures then: putting these together is a third of what a worker does at rest. */
const REST_BEATS = 3;
/** A beat that comes so late has something to say. */
const LATE_MS = 50;
const MIB = 1_048_576;

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
  readonly #everyAtRest: number;
  readonly #maxRequests: number;
  readonly #maxMemoryMiB: number;
  readonly #memory: MemoryWatch | undefined;
  #due = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #rests = false;
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
    const wanted = Math.max(MIN_BEAT_MS, hangTimeoutMs > 0 ? hangTimeoutMs / 4 : Infinity);
    this.#every = Math.min(BEAT_MS, wanted);
    this.#everyAtRest = Math.min(REST_MS, wanted);
    // Up to 10 % more each, so that workers forked together are not replaced together.
    this.#maxRequests = maxRequests > 0 ? Math.ceil(maxRequests * (1 + Math.random() / 10)) : Infinity;
    this.#maxMemoryMiB = maxMemoryMiB > 0 ? maxMemoryMiB : Infinity;
    this.#memory = share && new MemoryWatch(share, beating.replace);
    service.woken.push(() => this.#wake());
    this.#look();
  }

  /** A connection is open: from now on there is something to say, and to look after. */
  #wake(): void {
    this.#measures.wake();
    if (this.#rests) this.#lookIn(this.#every);
  }

  #lookIn(ms: number): void {
    this.#rests = ms > this.#every;
    this.#due = performance.now() + ms;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    const isAtRest = this.#isAtRest();
    if (isAtRest && this.#restedBeats < REST_BEATS) {
      this.#restedBeats += 1;
      this.#beating.alive();
    } else this.say();
    this.#lookIn(isAtRest ? this.#everyAtRest : this.#every);
    if (this.#service.counts.requests >= this.#maxRequests) this.#beating.replace('MAX_REQUESTS');
    else if (this.#passesMaxMemory()) this.#beating.replace('MAX_MEMORY');
    else this.#memory?.look();
  }

  /** It is read only where there is a limit. */
  #passesMaxMemory(): boolean {
    return this.#maxMemoryMiB !== Infinity && residentBytes() / MIB > this.#maxMemoryMiB;
  }

  /** Whether there is nothing new to say since the last figures. */
  #isAtRest(): boolean {
    const { counts, connections } = this.#service;
    return (
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
