// The latency histogram: in which bucket a time counts, and what a histogram says of its quantiles.

/** Upper bounds of the buckets, ms: ten to a decade from 0.1 ms to 100 s, of which 1, 2.5 and 5 are round. */
export const LATENCY_BOUNDS_MS: readonly number[] = bounds();

function bounds(): number[] {
  const steps = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8];
  const all: number[] = [];
  for (let exponent = -1; exponent < 5; exponent++) {
    // Divided rather than multiplied where it is below 1: 0.25 and not 0.25000000000000006.
    for (const step of steps) all.push(exponent < 0 ? step / 10 ** -exponent : step * 10 ** exponent);
  }
  return [...all, 100_000];
}

/** So many buckets there are: one for each bound, and one for what took longer. */
export const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1;

/** The bucket of a time in ms: the first whose bound is not below it. On the hot path. */
export function bucketOf(ms: number): number {
  if (ms <= 0.1) return 0;
  if (ms > 100_000) return LATENCY_BUCKETS - 1;
  // Within one bucket of the right one, as the bounds are rounded powers.
  let bucket = Math.ceil(Math.log10(ms) * 10 + 10);
  while (ms > (LATENCY_BOUNDS_MS[bucket] as number)) bucket += 1;
  while (bucket > 0 && ms <= (LATENCY_BOUNDS_MS[bucket - 1] as number)) bucket -= 1;
  return bucket;
}

/**
 * The time that a share `q` (0 to 1) of the counted ones did not pass, ms: exact to its bucket, within it as if they were
 * spread evenly. Null where nothing was counted.
 */
export function quantile(buckets: readonly number[], q: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = q * total;
  for (const [bucket, count] of buckets.entries()) {
    if (count === 0) continue;
    const upper = LATENCY_BOUNDS_MS[bucket] ?? 100_000;
    const lower = bucket === 0 ? 0 : (LATENCY_BOUNDS_MS[bucket - 1] ?? 0);
    if (left <= count) return lower + ((upper - lower) * left) / count;
    left -= count;
  }
  return 100_000;
}
