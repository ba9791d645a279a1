// A worker's figures as a test wants them: all that it does not name is 0.

import { COUNTERS, type Counters, GAUGES, type Gauges, type Stats } from '../../src/core/figures.ts';
import { bucketOf, LATENCY_BUCKETS } from '../../src/core/latency.ts';

const zeros = <K extends string>(names: readonly K[]): Record<K, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;

/** @param times of answers, ms */
export function statsOf(
  counters: Partial<Counters> = {},
  gauges: Partial<Gauges> = {},
  times: readonly number[] = [],
  unwell: string | null = null,
): Stats {
  const latency = new Array<number>(LATENCY_BUCKETS).fill(0);
  for (const ms of times) latency[bucketOf(ms)] = (latency[bucketOf(ms)] ?? 0) + 1;
  return {
    counters: { ...zeros(COUNTERS), ...counters },
    gauges: { ...zeros(GAUGES), ...gauges },
    latency,
    unwell,
  };
}
