import { expect } from 'chai';
import { healthOf } from '../../src/control/health.ts';
import { newFleet } from '../../src/core/fleet.ts';
import { step } from '../../src/core/policy.ts';
import { Script, SETTINGS } from '../core/script.ts';

const well = (): string | null => null;

/** A fleet of two whose workers with these ids have become ready. */
function fleetOf(...ready: number[]): Script {
  const script = new Script(2);
  script.on({ type: 'wake' });
  for (const id of [1, 2]) script.on({ type: 'forked', id, pid: 100 + id });
  for (const id of ready) script.on({ type: 'ready', id });
  return script;
}

describe('the health', () => {
  it('of a fleet that starts is to live, and not to be ready', () => {
    const { fleet, now } = fleetOf();
    expect(healthOf(fleet, now, well)).to.deep.equal({
      live: true,
      ready: false,
      reason: '0 of 2 workers ready: it starts',
    });
  });

  it('is to be ready as soon as one worker is', () => {
    const { fleet, now } = fleetOf(1);
    expect(healthOf(fleet, now, well)).to.deep.equal({
      live: true,
      ready: true,
      reason: '1 of 2 workers ready',
    });
  });

  it('is to be ready while the app of one worker is well, and says why another is not', () => {
    const { fleet, now } = fleetOf(1, 2);
    const one = healthOf(fleet, now, (id) => (id === 1 ? 'no database' : null));
    expect(one).to.deep.equal({ live: true, ready: true, reason: '1 of 2 workers ready: no database' });
    const none = healthOf(fleet, now, () => 'no database');
    expect(none).to.deep.equal({ live: true, ready: false, reason: '0 of 2 workers ready: no database' });
  });

  it('counts no worker that has been silent for five seconds, and still lives', () => {
    const { fleet, now } = fleetOf(1, 2);
    const later = now + 5001;
    expect(healthOf(fleet, later, well)).to.include({ live: true, ready: false });
    fleet.workers[0] = { ...(fleet.workers[0] as (typeof fleet.workers)[number]), heardAt: later };
    expect(healthOf(fleet, later, well)).to.deep.equal({
      live: true,
      ready: true,
      reason: '1 of 2 workers ready: worker 1 does not respond',
    });
  });

  it('of a fleet without a worker that serves or boots is to be dead', () => {
    const script = fleetOf(1, 2);
    for (let i = 0; i < 6; i++) {
      for (const { id } of script.fleet.workers) script.on({ type: 'exit', id, ending: { code: 1 } });
      script.pass(1);
    }
    expect(script.fleet.workers).to.have.length(0);
    expect(healthOf(script.fleet, script.now, well)).to.include({ live: false, ready: false });
  });

  it('of a fleet that stops is to live and not to be ready', () => {
    const script = fleetOf(1, 2);
    script.on({ type: 'stop', what: 'stop' });
    expect(healthOf(script.fleet, script.now, well)).to.deep.equal({
      live: true,
      ready: false,
      reason: 'it was asked to stop',
    });
  });

  it('in an upgrade is that of whoever serves in the place of the fleet', () => {
    const old = fleetOf(1, 2);
    old.on({ type: 'upgrade' });
    old.on({ type: 'successor serves', pid: 4711, program: { version: '2', node: 'v99.0.0' } });
    for (const id of [1, 2]) old.on({ type: 'exit', id, ending: { code: 0 } });
    expect(healthOf(old.fleet, old.now, well)).to.deep.equal({
      live: true,
      ready: true,
      reason: 'its successor serves',
    });
    const carried = { generation: 1, wanted: 2, workers: 2, restarts: {} };
    const fresh = newFleet(SETTINGS, 1, carried);
    expect(healthOf(fresh, 0, well)).to.include({ ready: true, reason: 'its predecessor serves' });
    const alone = step(fresh, { type: 'predecessor gone' }, 0).fleet;
    expect(healthOf(alone, 0, well)).to.include({ ready: false });
  });
});
