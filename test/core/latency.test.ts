import { expect } from 'chai';
import fc from 'fast-check';
import { bucketOf, LATENCY_BOUNDS_MS, LATENCY_BUCKETS, quantile } from '../../src/core/latency.ts';

/** The histogram of these times. */
function histogram(times: readonly number[]): number[] {
  const buckets = new Array<number>(LATENCY_BUCKETS).fill(0);
  for (const ms of times) buckets[bucketOf(ms)] = (buckets[bucketOf(ms)] ?? 0) + 1;
  return buckets;
}

describe('the latency histogram', () => {
  it('has bounds that grow from 0.1 ms to 100 s by a third at most, round ones among them', () => {
    expect(LATENCY_BOUNDS_MS[0]).to.equal(0.1);
    expect(LATENCY_BOUNDS_MS.at(-1)).to.equal(100_000);
    for (const [i, bound] of LATENCY_BOUNDS_MS.entries()) {
      const before = LATENCY_BOUNDS_MS[i - 1];
      if (before !== undefined) expect(bound / before).to.be.within(1.2, 1.34);
    }
    expect(LATENCY_BOUNDS_MS).to.include.members([0.25, 0.5, 1, 2.5, 5, 10, 25, 250, 1000, 2500, 5000]);
  });

  it('counts a time in the first bucket whose bound is not below it', () => {
    for (const [bucket, bound] of LATENCY_BOUNDS_MS.entries()) {
      expect(bucketOf(bound)).to.equal(bucket);
      expect(bucketOf(bound * 1.000001)).to.equal(bucket + 1);
    }
    fc.assert(
      fc.property(fc.double({ min: 0.000001, max: 1e9, noNaN: true }), (ms) => {
        const bucket = bucketOf(ms);
        expect(ms).to.be.at.most(LATENCY_BOUNDS_MS[bucket] ?? Infinity);
        expect(ms).to.be.above(LATENCY_BOUNDS_MS[bucket - 1] ?? 0);
      }),
    );
  });

  it('tells a quantile to within its bucket, and none of nothing', () => {
    expect(quantile(histogram([]), 0.5)).to.equal(null);
    const times = Array.from({ length: 1000 }, (_, i) => (i + 1) / 10);
    for (const q of [0.01, 0.5, 0.9, 0.99, 1]) {
      expect((quantile(histogram(times), q) ?? 0) / (q * 100)).to.be.within(0.75, 1.34);
    }
    expect(quantile(histogram([200_000]), 0.99)).to.equal(100_000);
  });
});
