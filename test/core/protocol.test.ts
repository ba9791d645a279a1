import { expect } from 'chai';
import { fromWorker, seal, toWorker } from '../../src/core/protocol.ts';
import { statsOf } from '../helpers/stats.ts';

const STATS = statsOf(
  { answers2xx: 3, gcMs: 0.5 },
  { inFlight: 1, connections: 2, rssMiB: 48.2 },
  [1, 20],
  'no database',
);
const HELD = { total: 2, requests: [{ ms: 5, method: 'GET', target: '/', client: null }] };

/** What comes out at the other end when an app sends `message` as one of ours. */
const received = (message: unknown) => fromWorker({ 'hello-server': message });

describe('the protocol', () => {
  for (const message of [
    { type: 'hello' },
    { type: 'left' },
    { type: 'ready', port: 3000 },
    { type: 'failed', failure: { reason: 'no database', stack: undefined } },
    { type: 'failed', failure: { reason: 'no database', stack: 'Error\n    at app.js:1' } },
    { type: 'failed', failure: { reason: 'Port 3000 is already in use', stack: undefined, noPort: true } },
    { type: 'alive' },
    { type: 'beat', stats: STATS },
    { type: 'answer', question: 'held', answer: HELD },
    { type: 'answer', question: 'metrics', answer: { text: 'jobs 1' } },
    { type: 'answer', question: 'metrics', answer: { problem: 'no string' } },
    { type: 'replace', why: 'TERM' },
    { type: 'replace', why: 'disconnected' },
    { type: 'replace', why: 'exit called' },
  ] as const) {
    it(`passes on what a worker sends: ${JSON.stringify(message)}`, () => {
      expect(fromWorker(JSON.parse(JSON.stringify(seal(message))))).to.deep.equal(message);
    });
  }

  for (const message of [
    undefined,
    null,
    1,
    'hello',
    [],
    {},
    { type: 1 },
    { type: 'toString' },
    { type: 'socket' },
    { type: 'ready' },
    { type: 'ready', port: '3000' },
    { type: 'ready', port: -1 },
    { type: 'ready', port: 65_536 },
    { type: 'ready', port: 1e300 },
    { type: 'ready', port: Number.NaN },
    { type: 'failed' },
    { type: 'failed', failure: 'no database' },
    { type: 'failed', failure: { reason: 1 } },
    { type: 'beat' },
    { type: 'beat', stats: null },
    { type: 'beat', stats: { ...STATS, counters: null } },
    { type: 'beat', stats: { ...STATS, counters: { ...STATS.counters, answers2xx: '3' } } },
    { type: 'beat', stats: { ...STATS, counters: { ...STATS.counters, accepted: -1 } } },
    { type: 'beat', stats: { ...STATS, gauges: { ...STATS.gauges, rssMiB: Infinity } } },
    { type: 'beat', stats: { ...STATS, gauges: { ...STATS.gauges, loopDelayP99Ms: null } } },
    { type: 'beat', stats: { ...STATS, latency: [1, 2, 3] } },
    { type: 'beat', stats: { ...STATS, latency: STATS.latency.map(() => Number.NaN) } },
    { type: 'beat', stats: { ...STATS, unwell: 1 } },
    { type: 'answer' },
    { type: 'answer', question: 'toString', answer: {} },
    { type: 'answer', question: 'held', answer: null },
    { type: 'answer', question: 'held', answer: { total: 1, requests: 'many' } },
    { type: 'answer', question: 'held', answer: { total: -1, requests: [] } },
    { type: 'answer', question: 'metrics', answer: { text: 1 } },
    { type: 'replace' },
    { type: 'replace', why: 'because' },
    { type: 'replace', why: ['TERM'] },
  ]) {
    it(`ignores what has not its shape: ${JSON.stringify(message)}`, () => {
      expect(received(message)).to.equal(undefined);
    });
  }

  it('passes on no field that is not its own, and no text in the place of a stack', () => {
    expect(received({ type: 'hello', id: 7, extra: true })).to.deep.equal({ type: 'hello' });
    expect(received({ type: 'failed', failure: { reason: 'no', stack: 7 } })).to.deep.equal({
      type: 'failed',
      failure: { reason: 'no', stack: undefined },
    });
  });

  it('leaves what others say on the channel alone', () => {
    for (const raw of [undefined, null, 'process:msg', { topic: 'process:msg' }, { cmd: 'NODE_CLUSTER' }]) {
      expect(fromWorker(raw)).to.equal(undefined);
      expect(toWorker(raw)).to.equal(undefined);
    }
    expect(toWorker({ 'hello-server': { type: 'hello' } })).to.equal(undefined);
    expect(toWorker(seal({ type: 'rejoin' }))).to.deep.equal({ type: 'rejoin' });
  });
});
