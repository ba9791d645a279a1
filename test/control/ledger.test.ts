import { expect } from 'chai';
import fc from 'fast-check';
import { Ledger } from '../../src/control/ledger.ts';
import { answersIn } from '../../src/core/figures.ts';
import { statsOf } from '../helpers/stats.ts';

describe('the ledger', () => {
  it('keeps in its sums what workers had counted that are gone', () => {
    const ledger = new Ledger(0);
    for (let id = 1; id <= 20; id++) {
      ledger.beat(id, 0, statsOf({ answers2xx: 1 }), id * 1000);
      ledger.beat(id, 0, statsOf({ answers2xx: 10, cpuUserMs: 2, cpuSystemMs: 1 }), id * 1000 + 500);
      ledger.forget(id);
    }
    expect(answersIn(ledger.total)).to.equal(200);
    expect(ledger.slots().get(0)).to.deep.equal({ cpuMs: 60, gcMs: 0, gauges: undefined });
    expect(ledger.worker(20)).to.equal(undefined);
  });

  it('has sums that only grow, whatever workers send, and that are theirs where they only count up', () => {
    const beat = fc.record({
      id: fc.integer({ min: 1, max: 4 }),
      answers2xx: fc.nat(1000),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(beat), (beats) => {
        const ledger = new Ledger(0);
        let before = 0;
        for (const [at, { id, answers2xx, gone }] of beats.entries()) {
          ledger.beat(id, 0, statsOf({ answers2xx }), at);
          if (gone) ledger.forget(id);
          expect(answersIn(ledger.total)).to.be.at.least(before);
          before = answersIn(ledger.total);
        }
      }),
    );
  });

  it('has a point for each second of the last 15 minutes, empty where nothing was noted', () => {
    const ledger = new Ledger(0);
    ledger.sample(1000, 50);
    ledger.beat(1, 0, statsOf({ answers2xx: 30 }, { inFlight: 2, rssMiB: 40 }, [5]), 1500);
    ledger.sample(2000, 50);
    ledger.sample(6000, 50);
    const { step, series } = ledger.history();
    expect(step).to.equal(1);
    expect(series.requestsPerSecond).to.deep.equal([0, 30, null, null, null, 0]);
    expect(series.inFlight).to.deep.equal([0, 2, null, null, null, 2]);
    expect(series.rss.slice(0, 2)).to.deep.equal([50, 90]);
    expect(series.latencyP99[1]).to.be.within(4, 5);
    for (let at = 7000; at < 2_000_000; at += 1000) ledger.sample(at, 50);
    expect(ledger.history().series.rss).to.have.length(900);
    ledger.sample(1e12, 50);
    expect(ledger.history().series.rss).to.have.length(900);
  });

  it('has the rates of the last five to ten seconds', () => {
    const ledger = new Ledger(0);
    let answers2xx = 0;
    for (let at = 0; at <= 60_000; at += 1000) {
      answers2xx += at < 40_000 ? 10 : 100;
      ledger.beat(1, 0, statsOf({ answers2xx }), at);
      ledger.sample(at, 50);
    }
    expect(ledger.worker(1)?.rates?.requestsPerSecond).to.equal(100);
    expect(ledger.rates?.requestsPerSecond).to.equal(100);
  });

  it('counts ends of workers and reloads, and keeps the last things that happened, the newest first', () => {
    const ledger = new Ledger(0);
    const of = { worker: 0, generation: 1, pid: 100 };
    ledger.show({ do: 'ended', of, reason: 'hung' });
    ledger.show({ do: 'reloaded', generation: 2 });
    for (let generation = 2; generation < 60; generation++)
      ledger.happened({ notice: 'reloading', generation }, generation * 1000);
    ledger.happened({ notice: 'ready', of, afterMs: 5 }, 60_000);
    expect(ledger.exits).to.include({ hung: 1, crashed: 0 });
    expect(ledger.reloads).to.deep.equal({ done: 1, abandoned: 0 });
    const events = ledger.events(60_000);
    expect(events).to.have.length(30);
    expect(events[0]).to.include({ ago: 1, level: 'info' });
    expect(events[0]?.text).to.include('59');
  });

  it('takes no figures that nobody can have counted, and goes on with those that follow', () => {
    const ledger = new Ledger(0);
    ledger.beat(1, 0, statsOf({ answers2xx: 5 }), 1000);
    ledger.beat(1, 0, statsOf({ answers2xx: Number.MAX_SAFE_INTEGER, gcMs: Number.MAX_SAFE_INTEGER }), 2000);
    expect(answersIn(ledger.total)).to.equal(5);
    ledger.beat(1, 0, statsOf({ answers2xx: 9 }), 3000);
    expect(answersIn(ledger.total)).to.equal(9);
    ledger.beat(2, 1, statsOf({ bytesSent: Number.MAX_SAFE_INTEGER }), 3000);
    expect(ledger.total.counters.bytesSent).to.equal(0);
  });

  it('keeps no more of a text than an event needs', () => {
    const ledger = new Ledger(0);
    ledger.happened({ notice: 'no control socket', reason: 'x'.repeat(1_000_000) }, 0);
    expect(ledger.events(0)[0]?.text).to.have.length(500);
  });
});
