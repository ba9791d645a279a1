// Finds out why a worker died: from its last words, its last figures, what it had recorded, and the kernel's count of kills.

import { causeOf, type Ending } from '../core/ending.ts';
import type { Gauges } from '../core/figures.ts';
import { type LastWords, MOST_HELD } from '../core/last-words.ts';
import { OomCounts } from '../core/oom-count.ts';
import type { FromWorker } from '../core/protocol.ts';
import type { Found, World } from './world.ts';

/** What is known of the deaths of all workers. */
export class Deaths {
  readonly #world: Pick<World, 'elapsed' | 'oomCount' | 'memoryLimitMiB'>;
  readonly #figures: (id: number) => Gauges | undefined;
  readonly #counts = new OomCounts();
  /** What each worker has said that it is working on, and, at its end, why that came. */
  readonly #words = new Map<number, LastWords>();
  /** Those that the primary kills. */
  readonly #ours = new Set<number>();

  /** @param figures a worker's last ones */
  constructor(
    world: Pick<World, 'elapsed' | 'oomCount' | 'memoryLimitMiB'>,
    figures: (id: number) => Gauges | undefined,
  ) {
    this.#world = world;
    this.#figures = figures;
  }

  /** To be called every second: a death is held against what was counted before it. */
  look(): void {
    const now = this.#world.elapsed();
    if (this.#counts.isDue(now)) this.#counts.note(this.#world.oomCount(), now);
  }

  /** A worker says what it is working on. */
  heard(id: number, message: Extract<FromWorker, { type: 'holding' | 'last words' }>): void {
    if (message.type === 'holding') this.#words.set(id, { holding: message.requests });
    else this.#words.set(id, message);
  }

  /** The primary kills a worker: there is nothing to be found out about its end. */
  ours(id: number): void {
    this.#ours.add(id);
  }

  /** The end of a worker with all that is known of it. */
  explain(id: number, ending: Ending, { heapFull, recorded }: Found = {}): Ending {
    const words = this.#words.get(id);
    if (this.#ours.has(id) || 'cannotFork' in ending) return ending;
    const { rssMiB, heapLimitMiB } = this.#figures(id) ?? {};
    const isKilled = 'signal' in ending && ending.signal === 'SIGKILL';
    const oomKilled = isKilled ? this.#counts.explains(this.#world.oomCount()) : undefined;
    const limitMiB = oomKilled ? this.#world.memoryLimitMiB() : undefined;
    const cause = causeOf({
      ending,
      exit: words?.exit,
      heapFull,
      oomKilled,
      rssMiB,
      heapLimitMiB,
      limitMiB,
    });
    // What was recorded is all that it held at the very end; what it said before that may be over.
    const holding = (recorded ?? words?.holding ?? []).slice(0, MOST_HELD);
    return { ...ending, ...(cause && { cause }), ...(holding.length > 0 && { holding }) };
  }

  /** Nothing more comes from a worker. */
  forget(id: number): void {
    this.#words.delete(id);
    this.#ours.delete(id);
  }
}
