// A worker's share of the memory that all of them may use together, and how much of the share V8 may take for its heap.

import type { WorkerShare } from './share.ts';
import { workersIn } from './share.ts';

/** What of the memory is known, MiB. */
export interface Memory {
  /** What all processes together may use. */
  readonly limitMiB: number;
  /** How large V8 lets a worker's heap grow of its own accord. */
  readonly heapMiB: number;
}

/** What one worker may use, MiB. */
export interface Share {
  /** Its resident memory. */
  readonly rssMiB: number;
  /** Its heap, old and young generation; undefined = V8's own limit is below that anyway. */
  readonly heap: { readonly oldMiB: number; readonly semiMiB: number } | undefined;
}

/** How the memory is shared out: a share for each worker, or why there is none and what would change that. */
export type Sharing =
  | { readonly fits: true; readonly limitMiB: number; readonly workers: number; readonly share: Share }
  | {
      readonly fits: false;
      readonly limitMiB: number;
      readonly workers: number;
      /** How many more a reload has at a time. */
      readonly surge: number;
      readonly eachMiB: number;
      /** The most workers that fit, or else the memory that one would take. */
      readonly would: { readonly workers: number } | { readonly limitMiB: number };
    };

/** What the primary takes, with what is between a worker and its share. */
const PRIMARY_MIB = 60;
/** A worker that does little takes some 80 MiB: with a share below this it would be recycled for nothing. */
export const LEAST_SHARE_MIB = 110;
/**
 * The part of the share that a heap may grow to, where V8 aborts. Most of what a process of Node takes beside its heap
 * is its program, which all of them have in common: of RSS it is some 45 MiB, so a worker's RSS passes the share first,
 * and it is replaced; and should it not be in time, all of them fit all the same.
 */
const HEAP_PART = 0.85;
/** The young generation is three semi-spaces: about a tenth of the heap, within what V8 has by default. */
const SEMI_SPACES = 3;
const HEAP_PER_SEMI = 32;
const MOST_SEMI_MIB = 16;

/** Shares the memory out among the wanted workers and those that a reload has beside them. */
export function shareOut({ limitMiB, heapMiB }: Memory, workers: number, surge: WorkerShare): Sharing {
  const eachMiB = eachOf(limitMiB, workers, surge);
  if (eachMiB >= LEAST_SHARE_MIB)
    return { fits: true, limitMiB, workers, share: { rssMiB: eachMiB, heap: heapOf(eachMiB, heapMiB) } };
  let fewer = workers - 1;
  while (fewer > 0 && eachOf(limitMiB, fewer, surge) < LEAST_SHARE_MIB) fewer -= 1;
  const would =
    fewer > 0 ? { workers: fewer } : { limitMiB: PRIMARY_MIB + LEAST_SHARE_MIB * (1 + workersIn(surge, 1)) };
  return { fits: false, limitMiB, workers, surge: workersIn(surge, workers), eachMiB, would };
}

/** Whether both say the same. */
export const isSame = (a: Sharing | undefined, b: Sharing | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** The options of Node that keep a worker's heap within its share. */
export const heapFlags = ({ heap }: Share): string[] =>
  heap ? [`--max-old-space-size=${heap.oldMiB}`, `--max-semi-space-size=${heap.semiMiB}`] : [];

/** Whether one of these options, or texts of several, sets the heap's size already. V8 takes `_` for `-`. */
export const setsHeap = (options: readonly (string | undefined)[]): boolean =>
  options.some((text) => /-max[-_](old[-_]space|semi[-_]space|heap)[-_]size/.test(text ?? ''));

const eachOf = (limitMiB: number, workers: number, surge: WorkerShare): number =>
  Math.max(0, Math.floor((limitMiB - PRIMARY_MIB) / (workers + workersIn(surge, workers))));

function heapOf(shareMiB: number, ownMiB: number): Share['heap'] {
  const heapMiB = Math.floor(HEAP_PART * shareMiB);
  if (heapMiB >= ownMiB) return undefined;
  const semiMiB = Math.max(1, Math.min(MOST_SEMI_MIB, Math.floor(heapMiB / HEAP_PER_SEMI)));
  return { oldMiB: heapMiB - SEMI_SPACES * semiMiB, semiMiB };
}
