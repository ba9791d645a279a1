// Figures as the page writes them.

import { expect } from 'chai';
import { bytes, count, figure, percent, timeOfDay, UNKNOWN } from '../../src/page/format.ts';

describe('a figure on the page', () => {
  it('has one digit after the point below ten, and none above', () => {
    expect([0, 0.1, 1.84, 9.94, 9.96, 12.6, 1249.6].map(figure)).to.deep.equal([
      '0',
      '0.1',
      '1.8',
      '9.9',
      '10',
      '13',
      '1,250',
    ]);
  });

  it('that is not nothing is not written as nothing', () => {
    expect(figure(0.01)).to.equal('<0.1');
  });

  it('that is not known is a dash', () => {
    expect([figure(null), count(null), percent(null)]).to.deep.equal([UNKNOWN, UNKNOWN, UNKNOWN]);
  });

  it('of things and of shares has no fraction', () => {
    expect(count(4_818_204)).to.equal('4,818,204');
    expect(percent(0.384)).to.equal('38');
    expect(percent(1.5)).to.equal('150');
  });

  it('of bytes has its unit', () => {
    expect([0, 1023, 1024, 1_600_000, 81_204_000_000, 2 ** 60].map(bytes)).to.deep.equal([
      '0 B',
      '1,023 B',
      '1.0 KiB',
      '1.5 MiB',
      '76 GiB',
      '1,024 PiB',
    ]);
  });

  it('of a time is one of the day, with seconds or without', () => {
    const noon = new Date(2026, 10, 25, 0, 5, 9).getTime() / 1000;
    expect(timeOfDay(noon, 'minutes')).to.equal('00:05');
    expect(timeOfDay(noon, 'seconds')).to.equal('00:05:09');
  });
});
