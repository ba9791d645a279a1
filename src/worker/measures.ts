// What a worker measures of its own process: how late its event loop is, memory, garbage collection, processor time.

import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Counters, Gauges } from '../core/figures.ts';
import { residentBytes } from '../host/resident.ts';

/** How often the event loop's delay is sampled: more often costs more of a core, and this less than a thousandth. */
const SAMPLE_MS = 100;
/** A loop that is busy for a smaller share of the time has nothing to do but to look at itself. */
const AT_REST = 0.02;
const MIB = 1_048_576;

type ProcessCounters = Pick<Counters, 'gcMs' | 'cpuUserMs' | 'cpuSystemMs'>;
type ProcessGauges = Omit<Gauges, 'inFlight' | 'connections' | 'longLived'>;

/** What is known of the time since the gauges were asked for last. */
export interface Interval {
  /** How late this very call is, ms. */
  readonly lateMs: number;
  /** The longest that something is known to have run in one piece, ms. */
  readonly longestTurnMs: number;
  /** Whether nobody is connected. */
  readonly isAlone: boolean;
}

/** Measures this process from now on. */
export class Measures {
  /**
   * One is read and begins anew, the other the next time: a monitor that begins anew does not see a block that begins
   * before its first sample. At rest neither samples: their timers would be most of what the process does.
   */
  readonly #delays = [0, 1].map(() => monitorEventLoopDelay({ resolution: SAMPLE_MS }));
  #isAwake = false;
  #utilization = performance.eventLoopUtilization();
  #gcMs = 0;

  constructor() {
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#gcMs += duration;
    });
    observer.observe({ entryTypes: ['gc'] });
  }

  /** There is something to do: samples the event loop's delay from now on, until there is nothing to do any more. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    for (const delay of this.#delays) {
      delay.reset();
      delay.enable();
    }
  }

  /** Whether the process has nothing to do, as far as is known without looking. */
  get isAtRest(): boolean {
    const { utilization } = performance.eventLoopUtilization(this.#utilization);
    return !this.#isAwake && utilization < AT_REST;
  }

  #rest(): void {
    if (!this.#isAwake) return;
    this.#isAwake = false;
    for (const delay of this.#delays) delay.disable();
  }

  /** The counters of the process. */
  counters(): ProcessCounters {
    const { user, system } = process.cpuUsage();
    return { gcMs: this.#gcMs, cpuUserMs: user / 1000, cpuSystemMs: system / 1000 };
  }

  /** What the process is like now, and has been since this was asked last; of the event loop's delay, since the time before. */
  gauges({ lateMs, longestTurnMs, isAlone }: Interval): ProcessGauges {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    const { p50, p99, max } = this.#delay();
    if (isAlone && utilization < AT_REST) this.#rest();
    else this.wake();
    return {
      loopDelayP50Ms: rounded(p50),
      loopDelayP99Ms: rounded(p99),
      loopDelayMaxMs: rounded(Math.max(lateMs, longestTurnMs, max)),
      loopUtilization: rounded(utilization),
      rssMiB: rounded(residentBytes() / MIB),
      heapUsedMiB: rounded(used / MIB),
      heapLimitMiB: rounded(limit / MIB),
    };
  }

  /** How late the event loop was, ms, as far as it was sampled. */
  #delay(): { readonly p50: number; readonly p99: number; readonly max: number } {
    const delay = this.#delays.shift();
    if (!delay) throw new Error('expected two monitors');
    this.#delays.push(delay);
    if (!this.#isAwake || delay.count === 0) return { p50: 0, p99: 0, max: 0 };
    const late = (ns: number): number => Math.max(0, ns / 1e6 - SAMPLE_MS);
    const lates = {
      p50: late(delay.percentile(50)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
    };
    delay.reset();
    return lates;
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
