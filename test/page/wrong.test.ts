// What the page finds wrong with a fleet.

import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { lineOf } from '../../src/log/wording.ts';
import { wrongIn } from '../../src/page/wrong.ts';
import { booting, broken, status, worker } from './made-up.ts';

const said = (of: Status, linesDropped = 0): string[] =>
  wrongIn(of, linesDropped).map(({ level, what, details }) => `${level}: ${what}: ${details}`);

/** As the log words it, so that another wording fails here. */
const abandoned = lineOf({
  notice: 'abandoned',
  generation: 4,
  fault: { fault: 'failed', failure: { reason: 'no such table' } },
});
const reloaded = lineOf({ notice: 'reloaded', generation: 5, tookMs: 1200, asked: undefined });
const happened = (line: typeof abandoned, ago: number): Status['events'][number] => ({
  ago,
  level: 'info',
  text: line.text,
});

describe('what is wrong', () => {
  it('is nothing with a fleet that is well', () => {
    expect(said(status())).to.deep.equal([]);
  });

  it('when the fleet is not ready › is so for its reason', () => {
    const health = { live: true, ready: false, reason: 'stopping' };
    expect(said(status({ health }))).to.deep.equal(['error: not ready: stopping']);
  });

  it('when too few workers are ready › is how many, unless the reason says it', () => {
    const workers = [worker(0), booting(1)];
    const ready = { live: true, ready: true, reason: 'at least one worker ready' };
    expect(said(status({ workers, health: ready }))).to.deep.equal(['error: too few workers ready: 1 of 2']);
    const reason = '1 of 2 workers ready';
    expect(said(status({ workers, health: { live: true, ready: false, reason } }))).to.deep.equal([
      `error: not ready: ${reason}`,
    ]);
  });

  it('when workers are unwell › is why the first is, and how many more are', () => {
    const ill = [worker(0), worker(1, { unwell: 'no database' }), worker(2, { unwell: 'no disk' })];
    expect(said(status({ workers: ill }))).to.deep.equal([
      'warn: worker unwell: worker 1: no database, and 1 more',
    ]);
    const health = { live: true, ready: false, reason: 'worker 1: no database' };
    expect(said(status({ workers: ill.slice(0, 2), health }))).to.deep.equal([
      'error: not ready: worker 1: no database',
    ]);
  });

  it('when answers are 5xx › is how many a second', () => {
    expect(said(status({ now: { errorsPerSecond: 0.2 } }))).to.deep.equal([
      'error: 5xx answers: 0.2 a second',
    ]);
  });

  it('when event loops are late by more than 100 ms › is the latest of them', () => {
    const of = (...p99: number[]): Status =>
      status({ workers: p99.map((eventLoopDelayP99, i) => worker(i, { eventLoopDelayP99 })) });
    expect(said(of(100, 12))).to.deep.equal([]);
    expect(said(of(101, 350))).to.deep.equal(['warn: event loop late: worker 1: p99 350 ms, and 1 more']);
  });

  it('when log lines were dropped › is how many', () => {
    expect(said(status(), 1200)).to.deep.equal([
      'warn: log lines dropped: 1,200 in 5 minutes, as their reader is too slow',
    ]);
  });

  it('when a reload was abandoned › is why, until another is done or 15 minutes are over', () => {
    expect(said(status({ events: [happened(abandoned, 899)] }))).to.deep.equal([
      `warn: reload abandoned: ${abandoned.text.replace('reload abandoned, ', '')}`,
    ]);
    expect(said(status({ events: [happened(abandoned, 901)] }))).to.deep.equal([]);
    expect(said(status({ events: [happened(reloaded, 5), happened(abandoned, 60)] }))).to.deep.equal([]);
    expect(said(status({ events: [happened(abandoned, 60), happened(reloaded, 90)] }))).to.have.length(1);
  });

  it('comes with the errors first', () => {
    const levels = wrongIn(broken(), 3).map(({ level }) => level);
    expect(levels).to.deep.equal([...levels].sort());
    expect(levels).to.include.members(['error', 'warn']);
  });
});
