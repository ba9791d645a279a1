import { expect } from 'chai';
import { metricsNow } from '../../src/worker/answers.ts';

describe('the answer of an app’s metrics', () => {
  it('is its text, or that of its promise', async () => {
    expect(await metricsNow(() => 'a 1')).to.deep.equal({ text: 'a 1' });
    expect(await metricsNow(async () => 'a 1')).to.deep.equal({ text: 'a 1' });
  });

  it('is a problem, and no long one, where there is no text', async () => {
    expect(await metricsNow(() => 1)).to.deep.equal({ problem: 'expected a string, got number' });
    expect(await metricsNow(() => Promise.reject(new Error('x'.repeat(1000))))).to.deep.equal({
      problem: 'x'.repeat(300),
    });
  });

  it('is a problem where the text is longer than is read', async () => {
    expect(await metricsNow(() => 'x'.repeat(1_048_577))).to.deep.equal({
      problem: 'expected at most 1048576 characters, got 1048577',
    });
  });

  it('is a problem where it does not come', async () => {
    const never = (): Promise<never> => new Promise(() => {});
    expect(await metricsNow(never, 10)).to.deep.equal({
      problem: 'expected metrics() to answer within 0.01 s',
    });
  });
});
