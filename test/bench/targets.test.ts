// The bench's targets: each finds its figure, and says what became of it.

import { expect } from 'chai';
import { QUESTIONS } from '../../bench/questions.ts';
import type { Comparison, Result } from '../../bench/result.ts';
import { bound, judge, TARGETS, type Target, worded } from '../../bench/targets.ts';
import { madeUp } from './made-up.ts';

const target: Target = {
  says: 'p99',
  question: 'reload',
  comparison: 'one',
  subject: 'a',
  metric: 'p99Ms',
  against: 'b',
  how: 'ratio',
  bound: 'at most',
  value: 1.08,
  ifMissed: 'because',
};

function results(a: number[], b: number[], note?: string): Result[] {
  const [first] = madeUp();
  if (!first) throw new Error('expected a result');
  const comparison: Comparison = {
    title: 'one',
    metrics: ['p99Ms'],
    ratios: [],
    plot: 'p99Ms',
    rows: [
      { subject: 'a', rounds: { p99Ms: a } },
      note === undefined ? { subject: 'b', rounds: { p99Ms: b } } : { subject: 'b', rounds: {}, note },
    ],
  };
  return [{ ...first, question: 'reload', comparisons: [comparison] }];
}

const said = (change: Partial<Target>, found: Result[]): string => {
  const changed = { ...target, ...change };
  return worded(judge(changed, found), changed);
};

describe('a target', () => {
  it('is met at its bound, judged with the digits shown', () => {
    expect(said({}, results([1.084], [1]))).to.equal('met: 1.08');
    expect(said({ bound: 'at least' }, results([1.08], [1]))).to.equal('met: 1.08');
  });

  it('is missed by a share of its bound, and says why where that is known', () => {
    expect(said({}, results([2.16], [1]))).to.equal('missed by 100 %: 2.16; because');
    expect(said({ bound: 'at least', value: 2 }, results([1], [1]))).to.equal(
      'missed by 50 %: 1.00; because',
    );
  });

  it('bounds a difference, or the figure itself', () => {
    const change = { value: 20, unit: 'MiB' } as const;
    expect(said({ ...change, how: 'difference' }, results([61], [50]))).to.equal('met: 11.00 MiB');
    expect(said({ ...change, how: 'value' }, results([61], [50]))).to.equal(
      'missed by 205 %: 61.00 MiB; because',
    );
    expect(bound({ ...target, ...change, how: 'difference' })).to.equal('≤ 20 MiB');
    expect(bound(target)).to.equal('≤ 1.08 ×');
  });

  it('is not measured without its question, its table, its subject or its figure, and says which', () => {
    expect(said({}, [])).to.equal('not measured: `reload` was not run');
    expect(said({ comparison: 'two' }, results([1], [1]))).to.equal('not measured: no two');
    expect(said({ against: 'c' }, results([1], [1]))).to.equal('not measured: no c');
    expect(said({ metric: 'p50Ms' }, results([1], [1]))).to.equal('not measured: no p50Ms');
    expect(said({}, results([1], [], 'not on the PATH: b'))).to.equal('not measured: not on the PATH: b');
  });
});

describe('the targets', () => {
  it('each ask a question there is', () => {
    expect(QUESTIONS.map(({ name }) => name)).to.include.members(TARGETS.map(({ question }) => question));
  });

  it('are all judged once every question has been asked', () => {
    expect(TARGETS.map((each) => judge(each, madeUp()).state)).to.not.include('not measured');
  });
});
