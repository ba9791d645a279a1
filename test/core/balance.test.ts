import { expect } from 'chai';
import { surplus } from '../../src/core/balance.ts';

describe('the balance of kept connections', () => {
  it('is left alone within a quarter of the mean and eight', () => {
    expect([0, 50, 70].map((own) => surplus(own, 50))).to.deep.equal([0, 0, 0]);
    expect([1, 8].map((own) => surplus(own, 0))).to.deep.equal([0, 0]);
  });

  it('has a worker above that give away what it has more than the mean', () => {
    expect(surplus(71, 50)).to.equal(21);
    expect(surplus(104, 49.5)).to.equal(55);
  });

  it('is no matter where there is no mean', () => {
    expect(surplus(10_000, Infinity)).to.equal(0);
  });
});
