// What a worker measures of its own process: how late its event loop is, memory, garbage collection, processor time.

import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Counters, Gauges } from '../core/figures.ts';

/** How often the event loop's delay is sampled: more often costs more of a core, and this less than a thousandth. */
const SAMPLE_MS = 100;
const MIB = 1_048_576;

type ProcessCounters = Pick<Counters, 'gcMs' | 'cpuUserMs' | 'cpuSystemMs'>;
type ProcessGauges = Omit<Gauges, 'inFlight' | 'connections' | 'longLived'>;

/** Measures this process from now on. */
export class Measures {
  /**
   * One is read and begins anew, the other the next time: a monitor that begins anew does not see a block that begins
   * before its first sample.
   */
  readonly #delays = [0, 1].map(() => monitorEventLoopDelay({ resolution: SAMPLE_MS }));
  #utilization = performance.eventLoopUtilization();
  #gcMs = 0;

  constructor() {
    for (const delay of this.#delays) delay.enable();
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#gcMs += duration;
    });
    observer.observe({ entryTypes: ['gc'] });
  }

  /** The counters of the process. */
  counters(): ProcessCounters {
    const { user, system } = process.cpuUsage();
    return { gcMs: this.#gcMs, cpuUserMs: user / 1000, cpuSystemMs: system / 1000 };
  }

  /**
   * What the process is like now, and has been since this was asked last; of the event loop's delay, since the time before.
   * @param lateMs how late this very call is
   */
  gauges(lateMs: number): ProcessGauges {
    const delay = this.#delays.shift();
    if (!delay) throw new Error('expected two monitors');
    this.#delays.push(delay);
    const late = (ns: number): number => (delay.count === 0 ? 0 : Math.max(0, ns / 1e6 - SAMPLE_MS));
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    const gauges = {
      loopDelayP50Ms: rounded(late(delay.percentile(50))),
      loopDelayP99Ms: rounded(late(delay.percentile(99))),
      loopDelayMaxMs: rounded(Math.max(lateMs, late(delay.max))),
      loopUtilization: rounded(utilization),
      rssMiB: rounded(process.memoryUsage.rss() / MIB),
      heapUsedMiB: rounded(used / MIB),
      heapLimitMiB: rounded(limit / MIB),
    };
    delay.reset();
    return gauges;
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
