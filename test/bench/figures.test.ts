// The bench's arithmetic.

import { expect } from 'chai';
import { against, figure, median, percentile } from '../../bench/figures.ts';
import type { Row } from '../../bench/result.ts';
import { rowsOf } from '../../bench/result.ts';

const row = (rounds: Row['rounds']): Row => ({ subject: 'one', rounds });

describe('figures', () => {
  it('takes the middle, or the mean of the middle two', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
    expect(median([])).to.be.NaN;
  });

  it('takes the value that a share lies below', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => i + 1);
    expect([0.5, 0.99, 0.999, 1].map((share) => percentile(values, share))).to.deep.equal([
      500, 990, 999, 1000,
    ]);
    expect(percentile([], 0.5)).to.be.NaN;
  });

  it('makes one number of the rounds: the median of what is measured, the sum of what is counted', () => {
    const measured = row({ p99Ms: [1, 9, 2], lost: [1, 0, 4], connections: [7, 9, 8] });
    expect(figure(measured, 'p99Ms')).to.equal(2);
    expect(figure(measured, 'lost')).to.equal(5);
    expect(figure(measured, 'connections')).to.equal(9);
    expect(figure(measured, 'p50Ms')).to.equal(undefined);
  });

  it('takes ratios and differences round by round', () => {
    const [one, base] = [row({ p99Ms: [2, 6, 9] }), row({ p99Ms: [1, 2, 9] })];
    expect(against(one, base, 'p99Ms', 'ratio')).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(against(one, base, 'p99Ms', 'difference')).to.deep.equal({ median: 1, min: 0, max: 4 });
    expect(against(one, row({}), 'p99Ms', 'ratio')).to.equal(undefined);
  });
});

describe('rows', () => {
  it('have their rounds in order, what was not measured left out, and the reason of the absent', () => {
    const rounds = new Map([
      [
        'a',
        [
          { p99Ms: 1.23456, lost: 0 },
          { p99Ms: 2, workerMiB: Number.NaN },
        ],
      ],
    ]);
    expect(rowsOf(['a', 'b'], rounds, new Map([['b', 'not here']]))).to.deep.equal([
      { subject: 'a', rounds: { p99Ms: [1.235, 2], lost: [0] } },
      { subject: 'b', rounds: {}, note: 'not here' },
    ]);
  });
});
