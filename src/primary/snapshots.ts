// Whose heap is written: the worker that was asked for or else the one with the largest, one at a time, and only with room.
// It is replaced first; when it has left the rotation its heap is taken, and then it drains.

import type { HeapAsked, HeapBegun, Snapshot } from '../control/heap.ts';
import type { Profiling } from '../control/profile.ts';
import { type Effect, type Event, type Fleet, serves, type Worker } from '../core/fleet.ts';
import { nameOf } from '../core/turn.ts';
import type { Workers } from './workers.ts';

/** A snapshot takes about so many times the heap. */
const TIMES_HEAP = 10;
/** What the worker has open is waited for so long: it answers nothing while its heap is taken. */
const OPEN_MS = 5000;
/** Figures that it sends after it has left the rotation come within this time, and how often they are looked at. */
const FIGURES_MS = 1200;
const POLL_MS = 200;

/** What snapshots are made of; memory in MiB. */
export interface Held {
  readonly fleet: () => Fleet;
  readonly dispatch: (event: Event) => void;
  readonly workers: Workers;
  /** What a worker said last. */
  readonly heapUsed: (id: number) => number;
  readonly connections: (id: number) => number;
  /** undefined = it is not known. */
  readonly memoryLeft: () => number | undefined;
  readonly after: (ms: number, run: () => void) => () => void;
  /** Whether a worker is being profiled, as which slot. */
  readonly profiled: () => number | undefined;
}

/** The one that is under way. */
interface Current {
  readonly id: number;
  readonly slot: number;
  readonly come: (snapshot: Snapshot | string) => void;
  /** Why there will be none. */
  problem: string | undefined;
  profiling: Profiling | undefined;
}

export class Snapshots {
  readonly #held: Held;
  #current: Current | undefined;

  constructor(held: Held) {
    this.#held = held;
  }

  /** The slot whose heap is being taken, or will be. */
  get slot(): number | undefined {
    return this.#current?.slot;
  }

  /** Begins one; a text that says why there is none. */
  begin({ worker: slot, force }: HeapAsked): HeapBegun | string {
    const { fleet, dispatch, profiled } = this.#held;
    if (fleet().stop) return 'the fleet is stopping';
    if (this.#current) return `the heap of worker ${this.#current.slot} is being taken`;
    if (profiled() !== undefined) return `worker ${profiled()} is being profiled`;
    const w = this.#pick(slot);
    if (!w) return slot === undefined ? 'no worker serves' : `no worker ${slot} serves`;
    const short = force ? undefined : this.#isShort(w);
    if (short !== undefined) return short;
    let come: Current['come'] = () => {};
    const coming = new Promise<Snapshot | string>((resolve) => {
      come = resolve;
    });
    const current: Current = { id: w.id, slot: w.slot, come, problem: undefined, profiling: undefined };
    this.#current = current;
    dispatch({ type: 'hold', id: w.id });
    return { of: nameOf(w), coming, cancel: () => this.#fail(current, 'nobody waits for it any more') };
  }

  #pick(slot: number | undefined): Worker | undefined {
    const { fleet, heapUsed } = this.#held;
    const able = fleet().workers.filter((w) => serves(w) && (slot === undefined || w.slot === slot));
    return able.toSorted((a, b) => b.generation - a.generation || heapUsed(b.id) - heapUsed(a.id))[0];
  }

  /** Why memory does not suffice; undefined = it does, or nobody knows. */
  #isShort({ id, slot }: Worker): string | undefined {
    const heap = Math.ceil(this.#held.heapUsed(id));
    const left = this.#held.memoryLeft();
    if (left === undefined || left >= TIMES_HEAP * heap) return undefined;
    return (
      `a snapshot of worker ${slot}'s heap of ${heap} MiB takes about ${TIMES_HEAP * heap} MiB of memory, ` +
      `and ${left} MiB are left; --force takes it all the same`
    );
  }

  /** Sees what the policy has done: its time has come, or will not. */
  show(effect: Effect | undefined): void {
    if (effect?.do === 'snapshot') void this.#take(effect.id);
    const current = this.#current;
    if (effect || !current) return;
    const { stop, workers } = this.#held.fleet();
    if (stop) this.#fail(current, 'the fleet is stopping');
    else if (!workers.some(({ id }) => id === current.id)) this.#fail(current, WENT_AWAY);
  }

  /** The worker has left the rotation. */
  async #take(id: number): Promise<void> {
    const current = this.#current;
    if (current?.id !== id) {
      this.#held.after(0, () => this.#held.dispatch({ type: 'release', id }));
      return;
    }
    await this.#untilClosed(current);
    const { workers } = this.#held;
    // Whatever keeps it from being taken, the worker is not held for ever.
    const profiling =
      current.problem === undefined ? await workers.takeHeap(id).catch(() => undefined) : undefined;
    if (current.problem !== undefined || !profiling) {
      profiling?.cancel();
      this.#end(current, `the heap of worker ${current.slot} cannot be taken now`);
      return;
    }
    current.profiling = profiling;
    const ended = profiling.ended.then((isWhole) => {
      const problem = isWhole ? undefined : (current.problem ?? WENT_AWAY);
      this.#end(current, problem ?? '');
      return problem;
    });
    current.come({ output: profiling.output, ended });
  }

  /** Resolves when nothing is open on the worker any more, and no later than it is waited for. */
  async #untilClosed(current: Current): Promise<void> {
    const { connections, after } = this.#held;
    const pause = (ms: number): Promise<void> => new Promise((resolve) => void after(ms, resolve));
    await pause(FIGURES_MS);
    for (let waited = FIGURES_MS; waited < OPEN_MS && connections(current.id) > 0; waited += POLL_MS) {
      if (current.problem !== undefined) return;
      await pause(POLL_MS);
    }
  }

  /** There will be none: the worker is let go when that is known, or at once where it has been left in peace so far. */
  #fail(current: Current, problem: string): void {
    if (this.#current !== current || current.problem !== undefined) return;
    current.problem = problem;
    current.come(problem);
    current.profiling?.cancel();
    const worker = this.#held.fleet().workers.find(({ id }) => id === current.id);
    if (!worker || serves(worker)) this.#end(current, problem);
  }

  #end(current: Current, problem: string): void {
    current.come(current.problem ?? problem);
    if (this.#current === current) this.#current = undefined;
    this.#held.workers.send(current.id, { type: 'close inspector' });
    // Not in the turn that led here.
    this.#held.after(0, () => this.#held.dispatch({ type: 'release', id: current.id }));
  }
}

const WENT_AWAY = 'the worker went away before it was whole';
