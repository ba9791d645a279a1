// The policy in development: what does not boot waits for the next save, and what boots when one comes is out of date.

import { expect } from 'chai';
import fc from 'fast-check';
import { CRASH_LOOP_BOOTS } from '../../src/core/deadlines.ts';
import { serves, type Worker } from '../../src/core/fleet.ts';
import { wakeAt } from '../../src/core/reconcile.ts';
import type { Settings } from '../../src/core/settings.ts';
import { Script, SETTINGS } from './script.ts';

/** The search for a story that fails ends after this. */
const LONGEST_MS = 10_000;
const HOUR_MS = 3_600_000;
const SAVE = { type: 'reload', saved: true } as const;
const COMMAND = { type: 'reload' } as const;
const WAITS = 'nothing serves until a file is saved that mends it';

function developing(settings: Partial<Settings> = {}): Script {
  const fleet = new Script(1, { settleMs: 0, ...settings });
  fleet.fleet = { ...fleet.fleet, dev: true };
  fleet.begin();
  return fleet;
}

const isKilled = ({ killed }: Worker): boolean => killed !== undefined;
const boots = (w: Worker): boolean => w.stage.name === 'booting' && !isKilled(w);

/** As long as nothing happens nothing is done, nor is there anything to be woken for. */
function expectToWait(fleet: Script): void {
  expect(fleet.pass(HOUR_MS)).to.deep.equal([]);
  expect(wakeAt(fleet.fleet)).to.equal(Infinity);
}

describe('policy in development', () => {
  it('waits for the next save when the first version does not boot, and tries it then', () => {
    const fleet = developing();
    expect(fleet.fails(1, 'app.js:1: does not parse')).to.deep.equal(['boot failed']);
    expect(fleet.log).to.deep.equal(['app.js:1: does not parse', WAITS]);
    expectToWait(fleet);
    expect(fleet.on(SAVE)).to.deep.equal(['fork 2 in slot 0 as generation 2']);
    expect(fleet.fails(2, 'app.js:2: does not parse')).to.deep.equal(['abandoned: app.js:2: does not parse']);
    expect(fleet.log.slice(3)).to.deep.equal(['reload abandoned: app.js:2: does not parse', WAITS]);
    expectToWait(fleet);
    expect(fleet.on(SAVE)).to.deep.equal(['fork 3 in slot 0 as generation 3']);
    expect(fleet.ready(3)).to.deep.equal(['announce', 'reloaded']);
  });

  it('goes on with the old version when a new one does not boot, as often as that is saved', () => {
    const fleet = developing();
    fleet.ready(1);
    for (let id = 2; id < 2 + 2 * CRASH_LOOP_BOOTS; id++) {
      expect(fleet.on(SAVE)).to.deep.equal([`fork ${id} in slot 0 as generation ${id}`]);
      expect(fleet.fails(id, 'broken')).to.deep.equal(['abandoned: broken']);
      expect(fleet.stages).to.equal('1 ready');
      expectToWait(fleet);
    }
    expect(fleet.log.filter((line) => line === WAITS)).to.deep.equal([]);
    expect(fleet.log.at(-1)).to.equal('reload abandoned, the old generation goes on: broken');
  });

  it('switches at once when the new version is ready, and drains the old one', () => {
    const fleet = developing();
    fleet.ready(1);
    fleet.on(SAVE);
    expect(fleet.ready(2)).to.deep.equal([
      'leave 1 lingering',
      'drain 1 for replace within 75000',
      'reloaded',
    ]);
  });

  it('boots anew what boots when a save comes, however often, and says so', () => {
    const fleet = developing();
    expect(fleet.on(SAVE)).to.deep.equal(['kill 1']);
    expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['fork 2 in slot 0 as generation 1']);
    expect(fleet.ready(2)).to.deep.equal(['announce']);
    fleet.on(SAVE);
    fleet.pass(700);
    expect(fleet.on(SAVE)).to.deep.equal(['kill 3']);
    expect(fleet.on(SAVE)).to.deep.equal([]);
    expect(fleet.exits(3, { signal: 'SIGKILL' })).to.deep.equal(['fork 4 in slot 0 as generation 2']);
    fleet.pass(300);
    expect(fleet.ready(4)).to.include('reloaded');
    expect(fleet.stages).to.equal('2 draining, 4 ready');
    expect(fleet.log.filter((line) => line.includes('boots anew'))).to.have.length(2);
    expect(fleet.log.at(-1)).to.equal('reloaded: generation 2 serves after 0.3 s');
  });

  it('has what is booted anew take the environment of the last save, and keep to the old one if it fails', () => {
    const fleet = developing();
    fleet.ready(1);
    fleet.on(SAVE);
    fleet.on({ ...SAVE, renewal: { settings: { ...SETTINGS, workers: 1, settleMs: 0, drainMs: 9000 } } });
    expect(fleet.fleet.settings.drainMs).to.equal(9000);
    fleet.exits(2, { signal: 'SIGKILL' });
    fleet.fails(3, 'broken');
    expect(fleet.fleet.settings.drainMs).to.equal(75_000);
  });

  it('does not serve an environment that cannot be read', () => {
    const fleet = developing();
    fleet.ready(1);
    fleet.on(SAVE);
    expect(fleet.on({ ...SAVE, renewal: { errors: ['PORT: expected a number'] } })).to.deep.equal([]);
    expect(fleet.ready(2)).to.include('abandoned: PORT: expected a number');
  });

  it('waits for a save after a version that crashed does not boot again, without ever giving up', () => {
    const fleet = developing();
    fleet.ready(1);
    expect(fleet.exits(1, { code: 1 })).to.deep.equal(['fork 2 in slot 0 as generation 1']);
    expect(fleet.fails(2, 'broken')).to.deep.equal(['boot failed']);
    expectToWait(fleet);
    expect(fleet.on(SAVE)).to.deep.equal(['fork 3 in slot 0 as generation 2']);
    expect(fleet.ready(3)).to.deep.equal(['reloaded']);
  });

  it('has a reload that is asked for by a command follow the boot under way', () => {
    const fleet = developing();
    expect(fleet.on(COMMAND)).to.deep.equal([]);
    expect(fleet.fails(1, 'broken')).to.deep.equal(['boot failed', 'fork 2 in slot 0 as generation 2']);
    expect(fleet.ready(2)).to.deep.equal(['announce', 'reloaded']);
    fleet.on(SAVE);
    expect(fleet.on(COMMAND)).to.deep.equal([]);
    expect(fleet.ready(3)).to.include('reloaded');
    expect(fleet.exits(2, { code: 0 })).to.deep.equal(['fork 4 in slot 0 as generation 4']);
    expect(fleet.ready(4)).to.include('reloaded');
  });

  it('forgets no save that comes while a boot is killed for its BOOT_TIMEOUT', () => {
    for (const started of [false, true]) {
      const fleet = developing({ bootMs: 3000 });
      if (started) fleet.ready(1);
      if (started) fleet.on(SAVE);
      const id = started ? 2 : 1;
      expect(fleet.pass(3000)).to.deep.equal([`kill ${id}`]);
      expect(fleet.on(SAVE)).to.deep.equal([]);
      const done = fleet.exits(id, { signal: 'SIGKILL' });
      expect(done.at(-1)).to.equal(`fork ${id + 1} in slot 0 as generation ${id + 1}`);
    }
  });

  it('never gives up, in whatever order things happen, and serves the last save when that boots', () => {
    const deed = fc.constantFrom(
      ...(['save', 'command', 'ready', 'fails', 'killed', 'crashes', 'goes', 'is in doubt', 'wait'] as const),
    );
    const deeds = fc.array(fc.tuple(deed, fc.nat(9)), { maxLength: 40 });
    const happens = (fleet: Script, what: string, n: number): unknown => {
      const pick = (is: (w: Worker) => boolean, act: (id: number) => unknown): unknown => {
        const found = fleet.fleet.workers.filter(is);
        const one = found[n % Math.max(1, found.length)];
        return one && act(one.id);
      };
      switch (what) {
        case 'save':
          return fleet.on(SAVE);
        case 'command':
          return fleet.on(COMMAND);
        case 'ready':
          return pick(boots, (id) => fleet.ready(id));
        case 'fails':
          return pick(boots, (id) => fleet.fails(id, 'broken'));
        case 'killed':
          return pick(isKilled, (id) => fleet.exits(id, { signal: 'SIGKILL' }));
        case 'crashes':
          return pick(serves, (id) => fleet.exits(id, { signal: 'SIGSEGV' }));
        case 'goes':
          return pick(
            ({ stage }) => stage.name === 'draining',
            (id) => fleet.exits(id, { code: 0 }),
          );
        case 'is in doubt':
          return pick(serves, (id) => fleet.on({ type: 'replace', id, why: 'fatal error' }));
        default:
          return fleet.pass(n * 500);
      }
    };
    fc.assert(
      fc.property(deeds, (story) => {
        const fleet = developing({ bootMs: 3000, drainMs: 500 });
        for (const [what, n] of story) happens(fleet, what, n);
        expect(fleet.fleet.stop).to.equal(undefined);
        fleet.on(SAVE);
        const lastBefore = fleet.fleet.workers.filter((w) => !boots(w)).at(-1)?.id ?? 0;
        for (let turn = 0; turn < 60; turn++) {
          happens(fleet, 'killed', 0);
          happens(fleet, 'ready', 0);
          fleet.pass(1000);
        }
        const { reload, reloadAgain, workers } = fleet.fleet;
        expect({ reload, reloadAgain, stages: fleet.stages }).to.deep.equal({
          reload: undefined,
          reloadAgain: undefined,
          stages: `${workers[0]?.id} ready`,
        });
        expect(workers[0]?.id).to.be.above(lastBefore);
      }),
      { numRuns: 2000, interruptAfterTimeLimit: LONGEST_MS },
    );
  });

  it('ends with 1 where the port cannot be had, which no save mends', () => {
    const fleet = developing();
    fleet.on({ type: 'failed', id: 1, failure: { reason: 'Port 3000 is already in use', noPort: true } });
    expect(fleet.exits(1, { code: 1 })).to.deep.equal(['exit 1']);
    expect(fleet.log).to.deep.equal(['Port 3000 is already in use']);
  });

  it('tries again by itself where no process could be made', () => {
    const fleet = developing();
    expect(fleet.exits(1, { cannotFork: 'EAGAIN' })).to.deep.equal([
      'boot failed',
      'fork 2 in slot 0 as generation 1',
    ]);
  });

  it('ends at once while it waits', () => {
    const fleet = developing();
    fleet.fails(1, 'broken');
    expect(fleet.on({ type: 'stop', signal: 'SIGINT', what: 'SIGINT' })).to.deep.equal([
      'release socket',
      'exit 0',
    ]);
  });
});
