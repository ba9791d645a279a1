import { expect } from 'chai';
import fc from 'fast-check';
import { answersIn, most, NO_SUMS, plus, since, statsIn } from '../../src/core/figures.ts';
import { statsOf } from '../helpers/stats.ts';

const sums = fc
  .record({ answers2xx: fc.nat(), answers5xx: fc.nat(), bytesSent: fc.nat(), latencyMs: fc.nat() })
  .chain((counters) =>
    fc.array(fc.double({ min: 0.01, max: 1e5, noNaN: true })).map((times) => statsOf(counters, {}, times)),
  )
  .map(({ counters, latency }) => ({ counters, latency }));

describe('the figures', () => {
  it('add up, and what one stretch adds to another is what lies between', () => {
    fc.assert(
      fc.property(sums, sums, (a, b) => {
        expect(since(a, plus(a, b))).to.deep.equal(b);
        expect(plus(a, NO_SUMS)).to.deep.equal(a);
        expect(most(a, plus(a, b))).to.deep.equal(plus(a, b));
        expect(answersIn(plus(a, b))).to.equal(answersIn(a) + answersIn(b));
      }),
    );
  });

  it('never go back', () => {
    const more = statsOf({ answers2xx: 5 });
    const less = statsOf({ answers2xx: 3, failed: 1 });
    expect(since(more, less).counters).to.include({ answers2xx: 0, failed: 1 });
  });

  it('are read field by field, a reason cut to what a line holds', () => {
    const stats = statsOf({ answers2xx: 5 }, { rssMiB: 1.5 }, [3], 'x'.repeat(1000));
    expect(statsIn(JSON.parse(JSON.stringify({ ...stats, more: 1 })))).to.deep.equal({
      ...stats,
      unwell: 'x'.repeat(200),
    });
    expect(statsIn({ ...stats, gauges: undefined })).to.equal(undefined);
  });
});
