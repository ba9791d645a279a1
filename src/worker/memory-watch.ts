// Watches whether a worker keeps to its share of the memory: its RSS to the share, its heap to most of its limit.

import { PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Share } from '../core/memory-share.ts';
import type { Passed, ReplaceReason } from '../core/notices.ts';
import { residentBytes } from '../host/resident.ts';

/** A heap that has passed this part of its limit is too full: V8 aborts soon, and with it goes what is in flight. */
const FULL = 0.85;
/** It is looked at after a garbage collection, of which there may be many, but no more often than this. */
const LOOK_MS = 50;
const MIB = 1_048_576;

/** Looks after each garbage collection, and when it is told to: an app that leaks fast does not wait for the next beat. */
export class MemoryWatch {
  readonly #share: Share;
  readonly #heapLimitMiB: number;
  readonly #tell: (why: ReplaceReason, passed: Passed) => void;
  #lookAt = 0;

  /** @param tell is told each time that a limit is found to be passed */
  constructor(share: Share, tell: (why: ReplaceReason, passed: Passed) => void) {
    this.#share = share;
    this.#tell = tell;
    // Without a young generation, which is empty most of the time.
    this.#heapLimitMiB = share.heap?.oldMiB ?? getHeapStatistics().heap_size_limit / MIB;
    const observer = new PerformanceObserver(() => {
      if (performance.now() >= this.#lookAt) this.look();
    });
    observer.observe({ entryTypes: ['gc'] });
  }

  look(): void {
    this.#lookAt = performance.now() + LOOK_MS;
    const rssMiB = residentBytes() / MIB;
    const heapMiB = getHeapStatistics().used_heap_size / MIB;
    const [share, heapLimit] = [this.#share.rssMiB, this.#heapLimitMiB];
    if (heapMiB > FULL * heapLimit) this.#tell('heap limit', { usedMiB: heapMiB, limitMiB: heapLimit });
    else if (rssMiB > share) this.#tell('memory share', { usedMiB: rssMiB, limitMiB: share });
  }
}
