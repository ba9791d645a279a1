import { expect } from 'chai';
import { backoffMs, PROVEN_AFTER_MS } from '../../src/core/backoff.ts';

describe('backoff', () => {
  it('is 0, 0.5, 1, 2, 4, 8, 15 and then always 15 s', () => {
    const middle = Array.from({ length: 10 }, (_, failures) => backoffMs(failures, 0.5));
    expect(middle).to.deep.equal([0, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000]);
  });

  it('is 20 % less or more at most, by the random number', () => {
    expect([backoffMs(1, 0), backoffMs(1, 1)]).to.deep.equal([400, 600]);
    expect([backoffMs(9, 0), backoffMs(9, 1)]).to.deep.equal([12_000, 18_000]);
    expect(backoffMs(3, 0.25)).to.equal(1800);
  });

  it('is none the first time, whatever the random number', () => {
    for (const random of [0, 0.5, 1]) expect(backoffMs(0, random)).to.equal(0);
  });

  it('is forgotten after 30 s of readiness', () => {
    expect(PROVEN_AFTER_MS).to.equal(30_000);
  });
});
