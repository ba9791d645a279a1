import { expect } from 'chai';
import { statusOf } from '../../src/control/fleet-status.ts';
import { Ledger } from '../../src/control/ledger.ts';
import type { Fleet } from '../../src/core/fleet.ts';
import { Script } from '../core/script.ts';
import { statsOf } from '../helpers/stats.ts';

const IDENTITY = { version: '1.2.3', port: 3000, host: undefined, app: '/srv/app.js' };
const OWN = { rssMiB: 50, logLinesDropped: 2 };

const shown = (fleet: Fleet, now: number, ledger = new Ledger(0)) =>
  statusOf(fleet, now, IDENTITY, ledger, OWN);

/** A fleet whose workers have all become ready. */
function serving(workers: number): Script {
  const script = new Script(workers);
  script.on({ type: 'wake' });
  for (let id = 1; id <= workers; id++) {
    script.on({ type: 'forked', id, pid: 100 + id });
    script.on({ type: 'ready', id });
  }
  return script;
}

describe('the status', () => {
  it('says who it is of, in JSON that has null for what is not known', () => {
    const script = serving(1);
    const status = shown(script.fleet, 2500);
    expect(status).to.include({ version: '1.2.3', node: process.version, pid: process.pid, port: 3000 });
    expect(status).to.include({ host: null, app: '/srv/app.js', generation: 1, wanted: 1, state: 'running' });
    expect(status.workers).to.deep.equal([
      {
        worker: 0,
        slot: 0,
        pid: 101,
        generation: 1,
        stage: 'ready',
        uptime: 2.5,
        requests: null,
        inFlight: null,
        connections: null,
        longLived: null,
        eventLoopDelay: null,
        eventLoopDelayP50: null,
        eventLoopDelayP99: null,
        eventLoopUtilization: null,
        rss: null,
        heapUsed: null,
        heapLimit: null,
        memoryShare: null,
        cpu: null,
        gc: null,
        requestsPerSecond: null,
        errorsPerSecond: null,
        latencyP50: null,
        latencyP99: null,
        unwell: null,
        restarts: 0,
        lastExit: null,
      },
    ]);
  });

  it('has the figures of the last beat, and rates between the beats of the last seconds', () => {
    const ledger = new Ledger(0);
    ledger.beat(1, 0, statsOf(), 0);
    const gauges = { inFlight: 1, connections: 2, longLived: 1, loopDelayMaxMs: 0.5, rssMiB: 48.2 };
    ledger.beat(1, 0, statsOf({ answers2xx: 6, answers5xx: 2, cpuUserMs: 100 }, gauges, [1, 1, 1, 9]), 2000);
    const [worker] = shown(serving(1).fleet, 2000, ledger).workers;
    expect(worker).to.include({
      requests: 8,
      inFlight: 1,
      connections: 2,
      longLived: 1,
      eventLoopDelay: 0.5,
      rss: 48.2,
      requestsPerSecond: 4,
      errorsPerSecond: 1,
      cpu: 0.05,
    });
    expect(worker?.latencyP50).to.be.within(0.8, 1);
    expect(worker?.latencyP99).to.be.within(8, 10);
  });

  it('has sums over all workers, also those that have gone, and the lines that the primary dropped', () => {
    const ledger = new Ledger(0);
    ledger.beat(1, 0, statsOf({ answers2xx: 5, refused408: 1, logLinesDropped: 3 }), 1000);
    ledger.forget(1);
    ledger.beat(2, 0, statsOf({ answers2xx: 7 }), 2000);
    const { totals } = shown(serving(1).fleet, 2000, ledger);
    expect(totals).to.include({ requests: 12, logLinesDropped: 5 });
    expect(totals.answers).to.include({ '2xx': 12, '5xx': 0 });
    expect(totals.refused).to.include({ 408: 1 });
  });

  it('counts how often a slot was respawned, and says how its worker ended', () => {
    const script = serving(2);
    script.on({ type: 'exit', id: 1, ending: { signal: 'SIGKILL' } });
    script.on({ type: 'exit', id: 3, ending: { code: 7 } });
    script.pass(1000);
    const workers = shown(script.fleet, script.now).workers;
    expect(workers.find(({ worker }) => worker === 0)).to.include({ restarts: 2, lastExit: 'code 7' });
    expect(workers.find(({ worker }) => worker === 1)).to.include({ restarts: 0, lastExit: null });
  });

  it('is sorted by slot, who serves first', () => {
    const script = serving(2);
    script.on({ type: 'reload' });
    script.on({ type: 'ready', id: 3 });
    const { workers, state } = shown(script.fleet, script.now);
    expect(state).to.equal('reloading');
    expect(workers.map(({ worker, stage }) => `${worker} ${stage}`)).to.deep.equal([
      '0 ready',
      '0 standby',
      '1 ready',
      '1 booting',
    ]);
  });

  it('tells the generation that stands by for a rollback, with its memory', () => {
    const script = new Script(1, { keepMs: 60_000 });
    script.on({ type: 'wake' });
    script.ready(1);
    script.on({ type: 'reload' });
    script.ready(2);
    expect(shown(script.fleet, script.now).previous).to.equal(null);
    script.pass(1000);
    const ledger = new Ledger(0);
    const kept = { generation: 1, left: 55, workers: 1 };
    expect(shown(script.fleet, script.now + 5000, ledger).previous).to.deep.equal({ ...kept, rss: null });
    ledger.beat(1, 0, statsOf({}, { rssMiB: 48.2 }), 0);
    ledger.beat(2, 0, statsOf({}, { rssMiB: 50 }), 0);
    expect(shown(script.fleet, script.now + 5000, ledger).previous).to.deep.equal({ ...kept, rss: 48.2 });
  });

  it('tells a fleet that starts, and one that stops', () => {
    const script = new Script(1);
    script.on({ type: 'wake' });
    expect(shown(script.fleet, 0).state).to.equal('starting');
    script.on({ type: 'stop', what: 'stop' });
    expect(shown(script.fleet, 0).state).to.equal('stopping');
  });

  it('tells a worker that does not respond as such, and not by what it said last', () => {
    const ledger = new Ledger(0);
    ledger.beat(1, 0, statsOf(), 0);
    ledger.beat(1, 0, statsOf({ answers2xx: 100 }, { loopDelayP99Ms: 1 }), 1000);
    const { fleet } = serving(1);
    expect(shown(fleet, 1000, ledger).workers[0]).to.include({ unwell: null, requestsPerSecond: 100 });
    const { workers, health } = shown(fleet, 8000, ledger);
    expect(workers[0]).to.include({
      unwell: 'does not respond',
      requestsPerSecond: null,
      eventLoopDelayP99: 8000,
    });
    expect(health).to.include({ ready: false, reason: '0 of 1 workers ready: worker 0 does not respond' });
  });

  it('says how the workers ended that are waited for, when none serves', () => {
    const script = serving(1);
    script.on({ type: 'exit', id: 1, ending: { code: 7 } });
    script.on({ type: 'exit', id: 2, ending: { code: 3 } });
    expect(shown(script.fleet, script.now).health).to.deep.equal({
      live: false,
      ready: false,
      reason: '0 of 1 workers ready: worker 0 ended with code 3',
    });
  });
});
