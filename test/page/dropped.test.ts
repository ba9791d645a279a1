// How many log lines were dropped lately.

import { expect } from 'chai';
import { Dropped } from '../../src/page/dropped.ts';

describe('log lines dropped', () => {
  it('before the page was opened are not of lately', () => {
    expect(new Dropped().lately(1000, 0)).to.equal(0);
  });

  it('count for five minutes', () => {
    const dropped = new Dropped();
    dropped.lately(1000, 0);
    expect(dropped.lately(1003, 1)).to.equal(3);
    expect(dropped.lately(1003, 300)).to.equal(3);
    expect(dropped.lately(1003, 302)).to.equal(0);
  });

  it('are counted anew when another primary counts', () => {
    const dropped = new Dropped();
    dropped.lately(1000, 0);
    expect(dropped.lately(2, 1)).to.equal(0);
    expect(dropped.lately(5, 2)).to.equal(3);
  });
});
