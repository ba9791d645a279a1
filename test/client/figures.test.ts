import { expect } from 'chai';
import { age, count, duration, memory, rate, time } from '../../src/client/figures.ts';

describe('a figure', () => {
  for (const [how, cases] of [
    [
      duration,
      [
        [0, '0s'],
        [59.9, '59s'],
        [60, '1m00s'],
        [3599, '59m59s'],
        [3600, '1h00m'],
        [86_400, '1d0h'],
        [1e7, '115d'],
      ],
    ],
    [
      age,
      [
        [0.034, '0.0s'],
        [9.94, '9.9s'],
        [9.96, '9s'],
        [12.3, '12s'],
        [-1, '0.0s'],
      ],
    ],
    [
      rate,
      [
        [0, '0'],
        [0.04, '<0.1'],
        [0.5, '0.5'],
        [9.96, '10'],
        [312.4, '312'],
        [98_765.4, '98765'],
        [123_456, '123k'],
      ],
    ],
    [
      time,
      [
        [0, '0ms'],
        [0.42, '0.4ms'],
        [9.96, '10ms'],
        [999.4, '999ms'],
        [999.6, '1.0s'],
        [9960, '10s'],
      ],
    ],
    [
      count,
      [
        [0, '0'],
        [99_999, '99999'],
        [100_000, '100k'],
        [12_345_678, '12M'],
      ],
    ],
    [
      memory,
      [
        [47.6, '48 MiB'],
        [9999, '9999 MiB'],
        [12_595, '12.3 GiB'],
      ],
    ],
  ] as const) {
    it(`is short as a ${how.name}`, () => {
      expect(cases.map(([value]) => how(value))).to.deep.equal(cases.map(([, text]) => text));
    });
  }

  it('that is not known is -', () => {
    const all = [duration, age, rate, time, count];
    const unknown = [null, undefined, Number.NaN, 'much' as unknown as number];
    expect(new Set(all.flatMap((how) => unknown.map(how)))).to.deep.equal(new Set(['-']));
  });
});
