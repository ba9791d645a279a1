// Which worker is profiled: the one that was asked for or else the busiest, and none twice at a time.

import type { Asked, Begun, Profiling } from '../control/profile.ts';
import { type Fleet, serves, type Worker } from '../core/fleet.ts';
import { nameOf } from '../core/turn.ts';
import type { Workers } from './workers.ts';

/** What profiles are made of. */
export interface Profiled {
  readonly fleet: () => Fleet;
  /** The share of time that a worker's event loop was busy, 0 to 1. */
  readonly utilization: (id: number) => number;
  readonly workers: Workers;
  /** The slot whose heap is being taken. */
  readonly held: () => number | undefined;
}

export class Profiles {
  readonly #profiled: Profiled;
  /** Workers that are being profiled, with their slots. */
  readonly #running = new Map<number, number>();

  constructor(profiled: Profiled) {
    this.#profiled = profiled;
  }

  /** Begins a profile; a text that says why there is none. */
  async begin({ worker: slot, seconds }: Asked): Promise<Begun | string> {
    const w = this.#pick(slot);
    if (!w) return slot === undefined ? 'no worker serves' : `no worker ${slot} serves`;
    if (this.#running.has(w.id)) return `worker ${w.slot} is being profiled`;
    const { workers, held } = this.#profiled;
    if (held() !== undefined) return `the heap of worker ${held()} is being taken`;
    this.#running.set(w.id, w.slot);
    const end = (): void => {
      this.#running.delete(w.id);
      workers.send(w.id, { type: 'close inspector' });
    };
    let profiling: Profiling | undefined;
    try {
      profiling = await workers.profile(w.id, seconds);
    } finally {
      // Whatever kept it from being begun, another can be taken later.
      if (!profiling) end();
    }
    if (!profiling) return `worker ${w.slot} cannot be profiled now`;
    void profiling.ended.then(end);
    return { of: nameOf(w), profiling };
  }

  /** The slot of one that is being profiled; undefined = none is. */
  get slot(): number | undefined {
    return [...this.#running.values()][0];
  }

  #pick(slot: number | undefined): Worker | undefined {
    const { fleet, utilization } = this.#profiled;
    const able = fleet().workers.filter((w) => serves(w) && (slot === undefined || w.slot === slot));
    return able.toSorted((a, b) => b.generation - a.generation || utilization(b.id) - utilization(a.id))[0];
  }
}
