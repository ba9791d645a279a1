// A length of time in words.

import { expect } from 'chai';
import { duration } from '../../src/core/duration.ts';

describe('duration', () => {
  it('has its two largest units', () => {
    expect([0, 59.9, 60, 200, 3599, 3600, 18_180, 86_400, 187_200].map(duration)).to.deep.equal([
      '0s',
      '59s',
      '1m00s',
      '3m20s',
      '59m59s',
      '1h00m',
      '5h03m',
      '1d0h',
      '2d4h',
    ]);
  });
});
