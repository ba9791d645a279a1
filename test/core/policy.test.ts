// The policy by example, each a story of one fleet; the random world in policy.property.test.ts has the rules.

import { expect } from 'chai';
import { CRASH_LOOP_BOOTS, KILL_MARGIN_MS, LEAVE_MS } from '../../src/core/deadlines.ts';
import type { Event } from '../../src/core/fleet.ts';
import { step } from '../../src/core/policy.ts';
import { fromWorker, seal } from '../../src/core/protocol.ts';
import { checkReading } from '../../src/core/reading.ts';
import { wakeAt } from '../../src/core/reconcile.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { outcomeText } from '../../src/log/wording.ts';
import { Script, SETTINGS, serving } from './script.ts';

describe('policy', () => {
  describe('at the start', () => {
    it('forks all workers at once, as generation 1', () => {
      const fleet = new Script(2);
      expect(fleet.begin()).to.deep.equal([
        'fork 1 in slot 0 as generation 1',
        'fork 2 in slot 1 as generation 1',
      ]);
    });

    it('announces the start when every worker is ready, not before, and only once', () => {
      const fleet = new Script(2);
      fleet.begin();
      expect(fleet.ready(2)).to.deep.equal([]);
      expect(fleet.ready(1)).to.deep.equal(['announce']);
      fleet.exits(1, { signal: 'SIGKILL' });
      expect(fleet.ready(3)).to.deep.equal([]);
    });

    it('leaves what it was given as it was', () => {
      const { fleet } = serving(2);
      const before = structuredClone(fleet);
      step(fleet, { type: 'reload' }, 1);
      expect(fleet).to.deep.equal(before);
    });
  });

  describe('when the first generation fails to boot', () => {
    it('kills the others and exits with 1, its reason all it says', () => {
      const fleet = new Script(2);
      fleet.begin();
      expect(fleet.fails(1, 'Port 3000 is already in use')).to.deep.equal(['kill 2']);
      expect(fleet.log).to.deep.equal(['Port 3000 is already in use']);
      expect(fleet.exits(2, { signal: 'SIGKILL' })).to.deep.equal(['exit 1']);
    });

    it('does so for a worker that exits without a word, or is not ready within BOOT_TIMEOUT', () => {
      const fleet = new Script(1);
      fleet.begin();
      expect(fleet.exits(1, { code: 0 })).to.deep.equal(['exit 1']);
      const mute = new Script(1, { bootMs: 3000 });
      mute.begin();
      expect(mute.pass(2999)).to.deep.equal([]);
      expect(mute.pass(1)).to.deep.equal(['kill 1']);
      expect(mute.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['exit 1']);
      expect(mute.log[0]).to.match(/not ready within 3 s/);
    });

    it('does so although the ready of a worker killed for its BOOT_TIMEOUT still comes', () => {
      const fleet = new Script(1, { bootMs: 3000 });
      fleet.begin();
      fleet.pass(3000);
      expect(fleet.ready(1)).to.deep.equal([]);
      expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['exit 1']);
    });

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT']) {
      it(`boots a worker again that ${signal} ended, after 500 ms in which our own signal may come`, () => {
        const fleet = new Script(1);
        fleet.begin();
        expect(fleet.exits(1, { signal })).to.deep.equal([]);
        expect(fleet.pass(499)).to.deep.equal([]);
        expect(fleet.log).to.deep.equal([]);
        expect(fleet.pass(1)).to.deep.equal(['fork 2 in slot 0 as generation 1']);
        expect(fleet.log).to.deep.equal([`worker 0 (pid 101) got ${signal} while booting, booting it again`]);
      });
    }

    it('boots nothing again when our own signal came meanwhile, and exits with 0', () => {
      const fleet = new Script(2);
      fleet.begin();
      fleet.exits(1, { signal: 'SIGINT' });
      fleet.exits(2, { signal: 'SIGINT' });
      expect(fleet.on({ type: 'stop', signal: 'SIGINT', what: 'SIGINT' })).to.deep.equal([
        'release socket',
        'exit 0',
      ]);
      expect(fleet.log).to.deep.equal([
        'Received SIGINT, shutting down gracefully...',
        'Server closed successfully',
      ]);
    });
  });

  describe('when a fork fails', () => {
    const cannotFork = 'EMFILE, too many open files';

    it('at the start tries again with a backoff, and serves when the limit allows', () => {
      const fleet = new Script(2);
      fleet.begin();
      expect(fleet.exits(1, { cannotFork })).to.deep.equal([
        'boot failed',
        'fork 3 in slot 0 as generation 1',
      ]);
      expect(fleet.log).to.deep.equal([
        'worker 0 (pid 101) failed to boot: cannot fork: EMFILE, too many open files',
      ]);
      expect(fleet.exits(3, { cannotFork })).to.deep.equal(['boot failed']);
      expect(fleet.pass(600)).to.deep.equal(['fork 4 in slot 0 as generation 1']);
      expect(fleet.ready(2, 4)).to.deep.equal(['announce']);
    });

    it('every time and no worker serves, gives up as in any crash loop', () => {
      const fleet = new Script(1);
      fleet.begin();
      for (let boots = 1; boots <= CRASH_LOOP_BOOTS; boots++) {
        const done = fleet.exits(fleet.fleet.nextId - 1, { cannotFork });
        if (boots === CRASH_LOOP_BOOTS) expect(done).to.deep.equal(['boot failed', 'exit 1']);
        else if (done.length === 1) fleet.pass(wakeAt(fleet.fleet) - fleet.now);
      }
    });

    it('in a reload abandons it', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      expect(fleet.exits(2, { cannotFork })).to.deep.equal([`abandoned: cannot fork: ${cannotFork}`]);
      expect(fleet.stages).to.equal('1 ready');
    });

    it('after a crash goes on while another worker serves, for ever', () => {
      const fleet = serving(2);
      fleet.exits(1, { code: 1 });
      for (let forks = 0; forks < 30; forks++) {
        fleet.exits(fleet.fleet.nextId - 1, { cannotFork });
        fleet.pass(20_000);
      }
      expect(fleet.ready(fleet.fleet.nextId - 1)).to.deep.equal([]);
      expect(fleet.stages).to.match(/^2 ready, \d+ ready$/);
    });

    it('in a stop ends it all the same', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      fleet.on({ type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' });
      fleet.exits(2, { cannotFork });
      fleet.left(1);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal(['exit 0']);
    });
  });

  describe('when a worker crashes', () => {
    it('forks another into its slot in the same step', () => {
      const fleet = serving(2);
      expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['fork 3 in slot 0 as generation 1']);
      expect(fleet.log.at(-1)).to.equal(
        'worker 0 (pid 101) crashed: SIGKILL after 0.0 s, out of memory?, respawning',
      );
    });

    it('waits 0, 0.5, 1, 2, 4, 8, 15, 15 s ± 20 % before the next of one slot', () => {
      const fleet = serving(2);
      const seconds: number[] = [];
      for (let id = 1, crashes = 0; crashes < 8; crashes++) {
        const since = fleet.now;
        const forks = fleet.exits(id, { code: 1 });
        forks.push(...(forks.length === 0 ? fleet.pass(wakeAt(fleet.fleet) - fleet.now) : []));
        id = fleet.fleet.nextId - 1;
        expect(forks).to.deep.equal([`fork ${id} in slot 0 as generation 1`]);
        seconds.push((fleet.now - since) / 1000);
        fleet.ready(id);
      }
      const expected = [0, 0.5, 1, 2, 4, 8, 15, 15];
      for (const [index, delay] of expected.entries())
        expect(seconds[index]).to.be.within(delay * 0.8, delay * 1.2);
    });

    it('forgets the crashes of a slot whose worker was ready for 30 s', () => {
      const fleet = serving(1);
      fleet.exits(1, { code: 1 });
      fleet.ready(2);
      fleet.pass(29_999);
      expect(fleet.exits(2, { code: 1 })).to.deep.equal([]);
      fleet.pass(1000);
      fleet.ready(3);
      fleet.pass(30_000);
      expect(fleet.exits(3, { code: 1 })).to.deep.equal(['fork 4 in slot 0 as generation 1']);
    });

    it('counts each slot’s crashes apart', () => {
      const fleet = serving(2);
      fleet.exits(1, { code: 1 });
      expect(fleet.exits(2, { code: 1 })).to.deep.equal(['fork 4 in slot 1 as generation 1']);
    });
  });

  describe('in a crash loop', () => {
    /** Lets boots fail one after the other; returns what the last one led to. */
    const failBoots = (fleet: Script, times: number): string[] => {
      let done: string[] = [];
      for (let failed = 0; failed < times; failed++) {
        const booting = fleet.fleet.workers.find((w) => w.stage.name === 'booting');
        if (booting) done = fleet.fails(booting.id, 'no database');
        if (!fleet.fleet.stop && !fleet.fleet.workers.some((w) => w.stage.name === 'booting')) {
          fleet.pass(wakeAt(fleet.fleet) - fleet.now);
        }
      }
      return done;
    };

    it(`gives up with 1 after ${CRASH_LOOP_BOOTS} boots in a row that did not get ready`, () => {
      const fleet = serving(1);
      fleet.exits(1, { code: 1 });
      failBoots(fleet, CRASH_LOOP_BOOTS - 1);
      expect(fleet.fleet.stop).to.equal(undefined);
      expect(failBoots(fleet, 1)).to.deep.equal(['boot failed', 'exit 1']);
      expect(fleet.log.at(-1)).to.match(/^crash loop: 8 boots in a row/);
    });

    it('never gives up while a worker serves', () => {
      const fleet = serving(2);
      fleet.exits(1, { code: 1 });
      failBoots(fleet, 30);
      expect(fleet.stages).to.match(/^2 ready/);
    });

    it('counts only boots while no worker serves: the last one’s crash does not use up its tries', () => {
      const fleet = serving(2);
      fleet.exits(1, { code: 1 });
      failBoots(fleet, 20);
      fleet.exits(2, { code: 1 });
      failBoots(fleet, CRASH_LOOP_BOOTS - 1);
      expect(fleet.fleet.stop).to.equal(undefined);
      failBoots(fleet, 1);
      expect(fleet.fleet.stop?.exitCode).to.equal(1);
    });

    it('begins to count anew with a boot that got ready', () => {
      const fleet = serving(1);
      fleet.exits(1, { code: 1 });
      failBoots(fleet, CRASH_LOOP_BOOTS - 1);
      const id = fleet.fleet.nextId - 1;
      fleet.ready(id);
      fleet.exits(id, { code: 1 });
      fleet.pass(20_000);
      failBoots(fleet, CRASH_LOOP_BOOTS - 1);
      expect(fleet.fleet.stop).to.equal(undefined);
    });
  });

  describe('in a reload', () => {
    it('replaces one worker: the new one is ready before the old one leaves, and the old one drains when all is settled', () => {
      const fleet = serving(1);
      expect(fleet.on({ type: 'reload' })).to.deep.equal(['fork 2 in slot 0 as generation 2']);
      expect(fleet.ready(2)).to.deep.equal(['leave 1 lingering']);
      expect(fleet.stages).to.equal('1 standby, 2 ready');
      expect(fleet.pass(SETTINGS.settleMs - 1)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal(['drain 1 for replace within 75000', 'reloaded']);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal([]);
      expect(fleet.log.slice(-3)).to.deep.equal([
        'worker 0 (pid 101) draining: replaced',
        'reloaded: generation 2 serves after 1.0 s',
        'worker 0 (pid 101) gone as asked: code 0 after 1.0 s',
      ]);
    });

    it('replaces two workers one after the other', () => {
      const fleet = serving(2);
      expect(fleet.on({ type: 'reload' })).to.deep.equal(['fork 3 in slot 0 as generation 2']);
      expect(fleet.ready(3)).to.deep.equal(['leave 1 lingering', 'fork 4 in slot 1 as generation 2']);
      expect(fleet.ready(4)).to.deep.equal(['leave 2 lingering']);
      expect(fleet.pass(SETTINGS.settleMs)).to.deep.equal([
        'drain 1 for replace within 75000',
        'drain 2 for replace within 75000',
        'reloaded',
      ]);
    });

    it('kills what still drains after DRAIN_TIMEOUT', () => {
      const fleet = serving(1, { drainMs: 5000 });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.pass(SETTINGS.settleMs);
      expect(fleet.pass(5000 + KILL_MARGIN_MS - 1)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal(['kill 1']);
    });

    it('waits for the drains of the last one before more than wanted would drain', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.pass(SETTINGS.settleMs);
      expect(fleet.on({ type: 'reload' })).to.deep.equal([]);
      expect(fleet.pass(20_000)).to.deep.equal([]);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal(['fork 3 in slot 0 as generation 3']);
    });

    it('makes one more of all that are asked for meanwhile', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      for (let asked = 0; asked < 5; asked++) expect(fleet.on({ type: 'reload' })).to.deep.equal([]);
      fleet.ready(2);
      fleet.pass(SETTINGS.settleMs);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal(['fork 3 in slot 0 as generation 3']);
      fleet.ready(3);
      fleet.pass(SETTINGS.settleMs);
      fleet.exits(2, { code: 0 });
      fleet.pass(100_000);
      expect(fleet.stages).to.equal('3 ready');
      expect(fleet.fleet.newestGeneration).to.equal(3);
    });

    it('begins one asked for during the start when all serve', () => {
      const fleet = new Script(1);
      fleet.begin();
      expect(fleet.on({ type: 'reload' })).to.deep.equal([]);
      expect(fleet.ready(1)).to.deep.equal(['announce', 'fork 2 in slot 0 as generation 2']);
    });

    it('respawns an old worker that crashes as one of the new generation', () => {
      const fleet = serving(2);
      fleet.on({ type: 'reload' });
      expect(fleet.exits(2, { code: 1 })).to.deep.equal(['fork 4 in slot 1 as generation 2']);
    });
  });

  describe('when the new generation is no good', () => {
    it('abandons it for a boot failure: the replaced ones rejoin under their pids, the new ones drain after that', () => {
      const fleet = serving(2);
      fleet.on({ type: 'reload' });
      fleet.ready(3);
      expect(fleet.fails(4, 'my-app.js: the app throws')).to.deep.equal([
        'abandoned: my-app.js: the app throws',
        'rejoin 1',
      ]);
      expect(fleet.log.at(-1)).to.equal(
        'reload abandoned, the old generation goes on: my-app.js: the app throws',
      );
      expect(fleet.stages).to.equal('1 rejoining, 2 ready, 3 ready');
      expect(fleet.ready(1)).to.deep.equal(['drain 3 for replace within 75000']);
      fleet.exits(3, { code: 0 });
      expect(fleet.fleet.workers.map((w) => `${w.pid} ${w.stage.name}`)).to.deep.equal([
        '101 ready',
        '102 ready',
      ]);
      expect(fleet.fleet.generation).to.equal(1);
    });

    it('abandons it when it is not ready within BOOT_TIMEOUT, a late ready notwithstanding', () => {
      const fleet = serving(1, { bootMs: 3000 });
      fleet.on({ type: 'reload' });
      expect(fleet.pass(3000)).to.deep.equal(['kill 2']);
      expect(fleet.ready(2)).to.deep.equal([]);
      expect(fleet.stages).to.equal('1 ready, 2 booting');
      const [told, ...more] = fleet.exits(2, { signal: 'SIGKILL' });
      expect(told).to.match(/^abandoned: .*not ready within 3 s/);
      expect(more).to.deep.equal([]);
      expect(fleet.stages).to.equal('1 ready');
    });

    it('abandons it when a new worker crashes', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.pass(SETTINGS.settleMs - 1);
      const [told, ...more] = fleet.exits(2, { code: 7 });
      expect(told).to.match(/^abandoned: .*code 7/);
      expect(more).to.deep.equal(['rejoin 1']);
    });

    it('gives up for a crash however late in the reload it comes, and for none after it', () => {
      const fleet = serving(2);
      fleet.on({ type: 'reload' });
      fleet.ready(3);
      fleet.pass(20_000);
      expect(fleet.exits(3, { code: 7 })[0]).to.match(/^abandoned: worker 0 of generation 2 crashed: code 7/);
      const over = serving(1);
      over.on({ type: 'reload' });
      over.ready(2);
      over.pass(SETTINGS.settleMs);
      expect(over.exits(2, { code: 7 })).to.deep.equal(['fork 3 in slot 0 as generation 2']);
    });

    it('gives up for a hang, and for a worker that passes MAX_MEMORY where the old ones did not', () => {
      const fleet = serving(1, { hangMs: 5000, canaryMs: 60_000 });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      for (let i = 0; i < 10; i++) {
        fleet.pass(1000);
        fleet.beats(1);
      }
      expect(fleet.exits(2, { signal: 'SIGKILL' })[0]).to.match(/^abandoned: /);
      const leaky = serving(1, { canaryMs: 60_000 });
      leaky.on({ type: 'reload' });
      leaky.ready(2);
      leaky.pass(10_000);
      const [told] = leaky.on({ type: 'replace', id: 2, why: 'MAX_MEMORY' });
      expect(told).to.match(/^abandoned: worker 0 of generation 2 asked for its replacement: MAX_MEMORY/);
    });

    it('begins the reload that was asked for meanwhile', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      fleet.on({ type: 'reload' });
      expect(fleet.fails(2, 'broken')).to.deep.equal([
        'abandoned: broken',
        'fork 3 in slot 0 as generation 3',
      ]);
      fleet.ready(3);
      expect(fleet.pass(SETTINGS.settleMs)).to.deep.equal(['drain 1 for replace within 75000', 'reloaded']);
    });

    it('is no boot failure that a stop signal ended: it is booted again', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      expect(fleet.exits(2, { signal: 'SIGTERM' })).to.deep.equal([]);
      expect(fleet.pass(500)).to.deep.equal(['fork 3 in slot 0 as generation 2']);
    });
  });

  describe('when a worker asks to be replaced', () => {
    it('(TERM) forks another after 500 ms in which our own signal may come, and drains it when that is ready', () => {
      const fleet = serving(2);
      const { length } = fleet.log;
      expect(fleet.on({ type: 'replace', id: 1, why: 'TERM' })).to.deep.equal([]);
      expect(fleet.pass(499)).to.deep.equal([]);
      expect(fleet.log).to.have.length(length);
      expect(fleet.pass(1)).to.deep.equal(['fork 3 in slot 0 as generation 1']);
      expect(fleet.log.slice(length)).to.deep.equal(['replacing worker 0 (pid 101): TERM']);
      expect(fleet.ready(3)).to.deep.equal(['drain 1 for replace within 75000']);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal([]);
    });

    it('(TERM) forks and says nothing when our own signal came meanwhile', () => {
      const fleet = serving(2);
      const { length } = fleet.log;
      for (const id of [1, 2]) fleet.on({ type: 'replace', id, why: 'TERM' });
      fleet.pass(499);
      const done = fleet.on({ type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' });
      done.push(...fleet.left(1, 2), ...fleet.pass(1000));
      for (const id of [1, 2]) done.push(...fleet.exits(id, { code: 0 }));
      expect(done.filter((effect) => effect.startsWith('fork'))).to.deep.equal([]);
      expect(fleet.log.slice(length).filter((line) => !line.startsWith('worker'))).to.deep.equal([
        'Received SIGTERM, shutting down gracefully...',
        'Server closed successfully',
      ]);
    });

    it('(TERM) waits for our own signal although a reload begins meanwhile', () => {
      const fleet = serving(1);
      fleet.on({ type: 'replace', id: 1, why: 'TERM' });
      expect(fleet.on({ type: 'reload' })).to.deep.equal([]);
      expect(fleet.pass(499)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal(['fork 2 in slot 0 as generation 2']);
    });

    it('(TERM) does not wait with the respawn of one that crashes meanwhile, nor call that a replacement', () => {
      const fleet = serving(1);
      fleet.on({ type: 'replace', id: 1, why: 'TERM' });
      expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['fork 2 in slot 0 as generation 1']);
      fleet.pass(1000);
      expect(fleet.log.at(-1)).to.match(/^worker 0 \(pid 101\) crashed: SIGKILL/);
    });

    it('(TERM) drains it at latest BOOT_TIMEOUT after it asked', () => {
      const fleet = serving(1, { bootMs: 3000 });
      fleet.on({ type: 'replace', id: 1, why: 'TERM' });
      fleet.pass(2000);
      fleet.fails(2, 'broken');
      expect(fleet.pass(999)).to.deep.equal([]);
      expect(fleet.pass(1)[0]).to.equal('drain 1 for replace within 75000');
    });

    it('(TERM) drains it in the turn in which its time is up, and the one that it was to replace serves on', () => {
      const fleet = serving(1, { bootMs: 3000 });
      fleet.on({ type: 'replace', id: 1, why: 'MAX_REQUESTS' });
      fleet.on({ type: 'replace', id: 2, why: 'TERM' });
      fleet.now = 3002;
      expect(fleet.ready(2)[0]).to.equal('drain 2 for replace within 75000');
      expect(fleet.stages).to.match(/^1 ready, 2 draining/);
      expect(wakeAt(fleet.fleet)).to.be.greaterThan(fleet.now);
    });

    it('(fatal error) forks another at once', () => {
      const fleet = serving(2);
      expect(fleet.on({ type: 'replace', id: 1, why: 'fatal error' })).to.deep.equal([
        'fork 3 in slot 0 as generation 1',
      ]);
      expect(fleet.log.at(-1)).to.equal('replacing worker 0 (pid 101): fatal error');
    });

    it('(exit called) gives what it holds 10 s at most', () => {
      const fleet = serving(1);
      fleet.on({ type: 'replace', id: 1, why: 'exit called' });
      expect(fleet.ready(2)[0]).to.equal('drain 1 for replace within 10000');
    });

    it('(TERM, fatal error, disconnected) forks another although all that a reload replaced still drain', () => {
      for (const why of ['TERM', 'fatal error', 'disconnected'] as const) {
        const fleet = serving(1);
        fleet.on({ type: 'reload' });
        fleet.ready(2);
        fleet.pass(SETTINGS.settleMs);
        expect(fleet.stages).to.equal('1 draining, 2 ready');
        const done = fleet.on({ type: 'replace', id: 2, why });
        expect([...done, ...fleet.pass(500)]).to.deep.equal(['fork 3 in slot 0 as generation 2']);
      }
    });

    it('(MAX_REQUESTS, MAX_MEMORY) recycles never two at once', () => {
      const fleet = serving(2);
      fleet.on({ type: 'replace', id: 1, why: 'MAX_REQUESTS' });
      expect(fleet.on({ type: 'replace', id: 2, why: 'MAX_MEMORY' })).to.deep.equal([]);
      expect(fleet.ready(3)).to.deep.equal([
        'drain 1 for replace within 75000',
        'fork 4 in slot 1 as generation 1',
      ]);
      expect(fleet.ready(4)).to.deep.equal(['drain 2 for replace within 75000']);
    });

    it('(fatal error, disconnected) waits with the backoff of a crash before the next fork', () => {
      for (const why of ['fatal error', 'disconnected'] as const) {
        const fleet = serving(1);
        fleet.on({ type: 'replace', id: 1, why });
        fleet.ready(2);
        expect(fleet.on({ type: 'replace', id: 2, why })).to.deep.equal([]);
        expect(fleet.pass(399)).to.deep.equal([]);
        expect(fleet.pass(201)).to.deep.equal(['fork 3 in slot 0 as generation 1']);
      }
    });

    it('(fatal error, MAX_REQUESTS, MAX_MEMORY) never gives it up for one that does not boot', () => {
      for (const why of ['fatal error', 'MAX_REQUESTS', 'MAX_MEMORY'] as const) {
        const fleet = serving(1, { bootMs: 3000 });
        fleet.on({ type: 'replace', id: 1, why });
        for (let id = 2; id < 8; id++) {
          fleet.pass(20_000);
          fleet.fails(id, 'the app throws');
        }
        expect(fleet.worker(1).stage.name, why).to.equal('ready');
      }
    });

    it('(MAX_MEMORY) of fresh workers is said once and slowed like a crash loop', () => {
      const fleet = serving(1);
      const forks: number[] = [];
      for (let id = 1; id < 6; id++) {
        const since = fleet.now;
        const done = fleet.on({ type: 'replace', id, why: 'MAX_MEMORY' });
        if (done.length === 0) fleet.pass(wakeAt(fleet.fleet) - fleet.now);
        forks.push(fleet.now - since);
        fleet.ready(id + 1);
        fleet.exits(id, { code: 0 });
      }
      for (const [index, ms] of [0, 500, 1000, 2000, 4000].entries()) {
        expect(forks[index]).to.be.within(ms * 0.8, ms * 1.2);
      }
      expect(fleet.log.filter((line) => line.startsWith('replacing'))).to.deep.equal([
        'replacing worker 0 (pid 101): MAX_MEMORY',
        'replacing worker 0 (pid 102): MAX_MEMORY 0.0 s after it was ready, again; fresh workers seem to need more than ' +
          'the limit, so further replacements are delayed and not logged',
      ]);
    });
  });

  describe('when memory is limited', () => {
    const memory = { limitMiB: 512, heapMiB: 259 };
    const share = { rssMiB: 113, heap: { oldMiB: 87, semiMiB: 3 } };
    const shares = ({ fleet }: Script): (number | undefined)[] => fleet.workers.map((w) => w.share?.rssMiB);

    it('gives each worker its share, and says at debug what that is', () => {
      const fleet = serving(3, { memory });
      expect(shares(fleet)).to.deep.equal([113, 113, 113]);
      expect(fleet.fleet.workers[0]?.share).to.deep.equal(share);
      expect(fleet.log[0]).to.equal(
        'each of 3 workers has a share of 113 MiB of the 512 MiB of memory, 96 MiB of it for its heap',
      );
    });

    it('gives workers that are forked after a scale or a reload another one, and warns once where it does not fit', () => {
      const fleet = serving(2, { memory });
      expect(shares(fleet)).to.deep.equal([150, 150]);
      fleet.on({ type: 'scale', workers: 3 });
      expect(shares(fleet)).to.deep.equal([150, 150, 113]);
      fleet.ready(3);
      fleet.on({ type: 'scale', workers: 4 });
      fleet.ready(4);
      fleet.pass(10_000);
      expect(shares(fleet)).to.deep.equal([150, 150, 113, undefined]);
      const warning =
        '512 MiB of memory are 90 MiB for each of 4 workers and 1 more in a reload, too few to keep them from being ' +
        'killed for it: 110 MiB each would do, that is WEB_CONCURRENCY=3';
      expect(fleet.log.filter((line) => line === warning)).to.have.lengthOf(1);
      const settings = { ...fleet.fleet.settings, memory: { limitMiB: 2048, heapMiB: 1048 } };
      fleet.on({ type: 'reload', renewal: { settings } });
      expect(shares(fleet).at(-1)).to.equal(397);
    });

    it('replaces a worker that passes its share or fills its heap, no faster than the backoff', () => {
      const fleet = serving(2, { memory });
      const passed = { usedMiB: 402.4, limitMiB: 150 };
      expect(fleet.on({ type: 'replace', id: 1, why: 'memory share', passed })).to.deep.equal([
        'fork 3 in slot 0 as generation 1',
      ]);
      expect(fleet.log.at(-1)).to.equal(
        'replacing worker 0 (pid 101): its RSS of 402 MiB is above its share of 150 MiB',
      );
      expect(fleet.ready(3)).to.deep.equal(['drain 1 for replace within 75000']);
      const heap = { usedMiB: 110, limitMiB: 127 };
      expect(fleet.on({ type: 'replace', id: 3, why: 'memory share', passed })).to.deep.equal([]);
      expect(fleet.pass(399)).to.deep.equal([]);
      expect(fleet.pass(201)).to.deep.equal(['fork 4 in slot 0 as generation 1']);
      expect(fleet.log.at(-1)).to.match(
        /its RSS of 402 MiB is above its share of 150 MiB 0\.0 s after it was ready, again/,
      );
      fleet.pass(60_000);
      fleet.ready(4);
      fleet.on({ type: 'replace', id: 2, why: 'heap limit', passed: heap });
      expect(fleet.log.at(-1)).to.equal(
        'replacing worker 1 (pid 102): its heap of 110 MiB is above 85 % of its limit of 127 MiB',
      );
    });

    it('has one whose heap fills while its replacement has to wait go at once, unless it is the last', () => {
      const fleet = serving(2, { memory });
      fleet.on({ type: 'replace', id: 1, why: 'memory share' });
      fleet.ready(3);
      fleet.exits(1, { code: 0 });
      fleet.on({ type: 'replace', id: 3, why: 'memory share' });
      expect(fleet.on({ type: 'replace', id: 3, why: 'heap limit' })).to.deep.equal([
        'drain 3 for replace within 75000',
      ]);
      expect(fleet.on({ type: 'replace', id: 2, why: 'memory share' })).to.deep.equal([]);
      expect(fleet.on({ type: 'replace', id: 2, why: 'heap limit' })).to.deep.equal([]);
      expect(fleet.worker(2).stage.name).to.equal('ready');
      expect(fleet.pass(600)).to.deep.equal(['fork 4 in slot 0 as generation 1']);
    });

    it('takes a reload back whose workers pass their share where the old ones did not', () => {
      const fleet = serving(1, { memory });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      const [told] = fleet.on({ type: 'replace', id: 2, why: 'memory share' });
      expect(told).to.equal('abandoned: worker 0 of generation 2 asked for its replacement: memory share');
    });
  });

  describe('when a snapshot of a heap is wanted', () => {
    const held = (settings = {}): Script => {
      const fleet = serving(2, settings);
      expect(fleet.on({ type: 'hold', id: 1 })).to.deep.equal(['fork 3 in slot 0 as generation 1']);
      expect(fleet.log.at(-1)).to.equal('replacing worker 0 (pid 101): heap snapshot');
      expect(fleet.ready(3)).to.deep.equal(['leave 1 lingering', 'snapshot 1']);
      return fleet;
    };

    it('has the worker replaced first, held without a deadline, and drained then', () => {
      const fleet = held({ hangMs: 10_000 });
      for (let beats = 0; beats < 30; beats++) {
        fleet.beats(2, 3);
        expect(fleet.pass(9000)).to.deep.equal([]);
      }
      expect(fleet.on({ type: 'release', id: 1 })).to.deep.equal(['drain 1 for replace within 75000']);
      fleet.beats(1);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal([]);
    });

    it('that hangs before its replacement is ready is killed for it', () => {
      const fleet = serving(2, { hangMs: 10_000 });
      fleet.on({ type: 'hold', id: 1 });
      fleet.pass(5000);
      fleet.beats(2);
      expect(fleet.pass(5000)).to.include('explain 1 after 10000');
    });

    it('reloads all the same, also a fleet of one', () => {
      const fleet = serving(1);
      fleet.on({ type: 'hold', id: 1 });
      fleet.ready(2);
      expect(fleet.on({ type: 'reload' })).to.deep.equal(['fork 3 in slot 0 as generation 2']);
      expect(fleet.ready(3)).to.deep.equal(['leave 2 lingering']);
      fleet.pass(SETTINGS.settleMs);
      expect(fleet.log.at(-1)).to.match(/draining|reloaded/);
      expect(fleet.on({ type: 'release', id: 1 })).to.deep.equal(['drain 1 for replace within 75000']);
    });

    it('is over with a stop, which has its own deadline for the worker', () => {
      const fleet = held();
      fleet.on({ type: 'stop', what: 'stop' });
      expect(fleet.on({ type: 'release', id: 1 })).to.deep.equal([]);
      fleet.left(2, 3);
      for (const id of [2, 3]) fleet.exits(id, { code: 0 });
      expect(fleet.pass(SETTINGS.stopMs)).to.include('kill 1');
    });

    it('is taken of a worker that a scale has made one too many, and of none that has gone', () => {
      const fleet = serving(2);
      fleet.on({ type: 'hold', id: 2 });
      expect(fleet.on({ type: 'scale', workers: 1 })).to.include('snapshot 2');
      fleet.exits(2, { signal: 'SIGKILL' });
      expect(fleet.on({ type: 'release', id: 2 })).to.deep.equal([]);
      expect(fleet.on({ type: 'hold', id: 2 })).to.deep.equal([]);
    });

    it('is not wanted any more: the worker is replaced all the same', () => {
      const fleet = serving(1);
      fleet.on({ type: 'hold', id: 1 });
      expect(fleet.on({ type: 'release', id: 1 })).to.deep.equal([]);
      expect(fleet.ready(2)).to.deep.equal(['drain 1 for replace within 75000']);
    });

    it('cannot be asked for by the app', () => {
      expect(fromWorker(seal({ type: 'replace', why: 'heap snapshot' }))).to.equal(undefined);
    });
  });

  describe('when a worker is not back in time after an abandoned reload', () => {
    it('says so when it kills it, and respawns it', () => {
      const fleet = serving(2, { bootMs: 3000 });
      fleet.on({ type: 'reload' });
      fleet.ready(3);
      fleet.fails(4, 'the app throws');
      expect(fleet.stages).to.match(/^1 rejoining, /);
      expect(fleet.pass(3000)).to.deep.equal(['kill 1']);
      expect(fleet.log.at(-1)).to.equal('killed worker 0 (pid 101): was not back in the rotation within 3 s');
    });
  });

  describe('when a worker hangs', () => {
    it('has it explained and killed, and respawns it', () => {
      const fleet = serving(2, { hangMs: 10_000 });
      fleet.pass(5000);
      fleet.beats(2);
      expect(fleet.pass(4999)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal(['explain 1 after 10000']);
      expect(fleet.pass(2000)).to.deep.equal([]);
      expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['fork 3 in slot 0 as generation 1']);
    });

    it('never does so while it boots, nor with a HANG_TIMEOUT of 0', () => {
      const booting = new Script(1, { hangMs: 1000 });
      booting.begin();
      expect(booting.pass(29_000)).to.deep.equal([]);
      expect(serving(1).pass(1_000_000)).to.deep.equal([]);
    });

    it('notices one that was to rejoin after an abandoned reload', () => {
      const fleet = serving(1, { hangMs: 2000 });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.beats(1);
      fleet.exits(2, { code: 1 });
      expect(fleet.pass(2000)).to.deep.equal(['explain 1 after 2000']);
    });
  });

  describe('when it is scaled', () => {
    it('up, forks into the new slots', () => {
      const fleet = serving(1);
      expect(fleet.on({ type: 'scale', workers: 3 })).to.deep.equal([
        'fork 2 in slot 1 as generation 1',
        'fork 3 in slot 2 as generation 1',
      ]);
      expect(fleet.log.at(-1)).to.equal('scaling from 1 to 3 workers');
    });

    it('to what it is, does nothing', () => {
      const fleet = serving(2);
      const { length } = fleet.log;
      expect(fleet.on({ type: 'scale', workers: 2 })).to.deep.equal([]);
      expect(fleet.log).to.have.length(length);
    });

    it('down, drains the workers of the highest slots and cuts boots that nobody wants any more', () => {
      const fleet = serving(2);
      fleet.on({ type: 'scale', workers: 3 });
      expect(fleet.on({ type: 'scale', workers: 1 })).to.deep.equal([
        'drain 2 for replace within 75000',
        'kill 3',
      ]);
      expect(fleet.exits(3, { signal: 'SIGKILL' })).to.deep.equal([]);
      expect(fleet.exits(2, { code: 0 })).to.deep.equal([]);
      expect(fleet.stages).to.equal('1 ready');
    });

    it('up again while those still drain, forks beside them', () => {
      const fleet = serving(2);
      fleet.on({ type: 'scale', workers: 1 });
      expect(fleet.on({ type: 'scale', workers: 2 })).to.deep.equal(['fork 3 in slot 1 as generation 1']);
      expect(fleet.stages).to.equal('1 ready, 2 draining, 3 booting');
    });

    it('down in a reload, drains the old worker for good', () => {
      const fleet = serving(2);
      fleet.on({ type: 'reload' });
      expect(fleet.on({ type: 'scale', workers: 1 })).to.deep.equal(['drain 2 for replace within 75000']);
    });

    it('down in a reload that is then abandoned, kills no worker that has served', () => {
      const standby = serving(2);
      standby.on({ type: 'reload' });
      standby.on({ type: 'scale', workers: 1 });
      expect(standby.fails(3, 'broken')).to.deep.equal(['abandoned: broken']);
      expect(standby.stages).to.equal('1 ready, 2 draining');
      const rejoining = serving(3);
      rejoining.on({ type: 'reload' });
      rejoining.ready(4, 5);
      rejoining.fails(6, 'broken');
      expect(rejoining.on({ type: 'scale', workers: 1 })).to.deep.equal([
        'drain 2 for replace within 75000',
        'drain 3 for replace within 75000',
        'drain 5 for replace within 75000',
      ]);
    });
  });

  describe('in a stop', () => {
    const term = { type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' } as const;

    it('has all workers leave, and only when all have left has them drain; exits with 0 when all are gone', () => {
      const fleet = serving(2);
      expect(fleet.on(term)).to.deep.equal([
        'stopping 1',
        'stopping 2',
        'release socket',
        'leave 1',
        'leave 2',
      ]);
      expect(fleet.left(1)).to.deep.equal([]);
      expect(fleet.left(2)).to.deep.equal(['drain 1 for stop within 7500', 'drain 2 for stop within 7500']);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal([]);
      expect(fleet.exits(2, { code: 0 })).to.deep.equal(['exit 0']);
      expect(fleet.log.filter((line) => !line.startsWith('worker'))).to.deep.equal([
        'Received SIGTERM, shutting down gracefully...',
        'Server closed successfully',
      ]);
    });

    it('waits for the left of a worker that does not answer no longer than 250 ms', () => {
      const fleet = serving(1);
      fleet.on(term);
      expect(fleet.pass(LEAVE_MS - 1)).to.deep.equal([]);
      expect(fleet.pass(1)).to.have.length(1);
    });

    it('kills what still runs SHUTDOWN_TIMEOUT after it began, however long the leaving took', () => {
      for (const answers of [true, false]) {
        const fleet = serving(1);
        fleet.on(term);
        if (answers) fleet.left(1);
        fleet.pass(7999);
        expect(fleet.log.join()).to.not.include('killed');
        expect(fleet.pass(1)).to.deep.equal(['kill 1']);
        expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal(['exit 0']);
      }
    });

    it('serves on for SHUTDOWN_DELAY first', () => {
      const fleet = serving(1, { stopDelayMs: 5000 });
      expect(fleet.on(term)).to.deep.equal(['stopping 1 lingering']);
      expect(fleet.pass(4999)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal(['release socket', 'leave 1']);
      fleet.left(1);
      expect(fleet.pass(8000)).to.deep.equal(['kill 1']);
    });

    it('waits for the left of a worker that got ready during SHUTDOWN_DELAY as well', () => {
      const fleet = serving(1, { stopDelayMs: 5000 });
      fleet.on({ type: 'scale', workers: 2 });
      fleet.on(term);
      fleet.ready(2);
      expect(fleet.pass(5000)).to.deep.equal(['release socket', 'leave 1', 'leave 2']);
      expect(fleet.left(1)).to.deep.equal([]);
      expect(fleet.left(2)).to.have.length(2);
    });

    it('waits for the left of a worker that had left in an abandoned reload, and is back', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.left(1);
      fleet.exits(2, { code: 1 });
      fleet.ready(1);
      expect(fleet.on(term)).to.deep.equal(['stopping 1', 'release socket', 'leave 1']);
      expect(fleet.left(1)).to.deep.equal(['drain 1 for stop within 7500']);
    });

    it('with a SHUTDOWN_TIMEOUT of 0 kills at once', () => {
      const fleet = serving(2, { stopMs: 0 });
      expect(fleet.on(term).filter((effect) => effect.startsWith('kill'))).to.deep.equal([
        'kill 1',
        'kill 2',
      ]);
    });

    it('forks nothing, whatever ends', () => {
      const fleet = serving(2, { stopDelayMs: 5000 });
      fleet.on(term);
      expect(fleet.exits(1, { code: 1 })).to.deep.equal([]);
      expect(fleet.on({ type: 'reload' })).to.deep.equal([]);
      expect(fleet.on({ type: 'scale', workers: 4 })).to.deep.equal([]);
      expect(fleet.exits(2, { code: 1 })).to.deep.equal(['exit 0']);
    });

    it('wins over a reload', () => {
      const fleet = serving(2);
      fleet.on({ type: 'reload' });
      fleet.on({ type: 'reload' });
      fleet.ready(3);
      expect(fleet.on(term).filter((effect) => effect.startsWith('leave'))).to.deep.equal([
        'leave 2',
        'leave 3',
      ]);
      expect(fleet.exits(4, { code: 1 })).to.deep.equal([]);
      fleet.left(2);
      expect(fleet.left(3)).to.deep.equal([1, 2, 3].map((id) => `drain ${id} for stop within 7500`));
      for (const id of [1, 2]) fleet.exits(id, { code: 0 });
      expect(fleet.exits(3, { code: 0 })).to.deep.equal(['exit 0']);
    });

    it('ignores a second signal within 1 s', () => {
      const fleet = serving(1);
      fleet.on(term);
      fleet.left(1);
      fleet.pass(1000);
      expect(fleet.on(term)).to.deep.equal([]);
    });

    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGQUIT', 131],
      ['SIGTERM', 143],
    ] as const) {
      it(`after more than 1 s is cut short by ${signal}: all are killed, exit ${code}`, () => {
        const fleet = serving(2);
        fleet.on(term);
        fleet.left(1, 2);
        fleet.pass(1001);
        expect(fleet.on({ type: 'stop', signal, what: signal })).to.deep.equal(['kill 1', 'kill 2']);
        fleet.exits(1, { signal: 'SIGKILL' });
        expect(fleet.exits(2, { signal: 'SIGKILL' })).to.deep.equal([`exit ${code}`]);
        expect(fleet.log).to.not.include('Server closed successfully');
      });
    }

    it('is not cut short by a second hello-server stop', () => {
      const fleet = serving(1);
      fleet.on({ type: 'stop', what: 'stop' });
      fleet.left(1);
      fleet.pass(2000);
      expect(fleet.on({ type: 'stop', what: 'stop' })).to.deep.equal([]);
      expect(fleet.log[1]).to.equal('Received stop, shutting down gracefully...');
    });

    it('says that all is over once, whatever comes after', () => {
      const fleet = serving(1);
      fleet.on(term);
      fleet.left(1);
      fleet.exits(1, { code: 0 });
      const said = [...fleet.log];
      fleet.pass(2000);
      for (const event of [term, { type: 'wake' }, { type: 'reload' }] as const)
        expect(fleet.on(event)).to.deep.equal([]);
      expect(fleet.log).to.deep.equal(said);
    });

    it('for an error of our own exits with 1 and says nothing', () => {
      const fleet = serving(1);
      fleet.on({ type: 'stop', what: undefined, exitCode: 1 });
      fleet.left(1);
      expect(fleet.exits(1, { code: 0 })).to.deep.equal(['exit 1']);
      expect(fleet.log.join()).to.not.match(/Received|closed/);
    });
  });

  describe('counts the end of a worker', () => {
    it('that was asked to as asked, whatever it exits with by its signal', () => {
      const script = serving(1);
      script.on({ type: 'reload' });
      script.ready(2);
      script.pass(2000);
      script.exits(1, { code: 0 });
      expect(script.ended).to.deep.equal(['0 asked']);
    });

    it('that was not as a crash, while it serves and while it drains', () => {
      const script = serving(2);
      script.exits(1, { signal: 'SIGKILL' });
      script.on({ type: 'scale', workers: 1 });
      script.exits(2, { code: 1 });
      expect(script.ended).to.deep.equal(['0 crashed', '1 crashed']);
    });

    it('before it was ready as a boot failure, unless it could not even be forked', () => {
      const script = serving(1);
      script.exits(1, { signal: 'SIGKILL' });
      script.exits(2, { code: 1 });
      script.pass(1000);
      script.exits(3, { cannotFork: 'EMFILE' });
      expect(script.ended).to.deep.equal(['0 crashed', '0 boot failed', '0 cannot fork']);
    });

    it('by what was found out about it', () => {
      for (const cause of ['native crash', 'aborted', 'killed'] as const) {
        const script = serving(1);
        script.exits(1, { signal: 'SIGKILL', cause: { cause } });
        expect(script.ended, cause).to.deep.equal([`0 ${cause}`]);
      }
    });

    it('that was in doubt as what put it there, although it ends in order; in a stop as asked', () => {
      const doubt = {
        cause: { cause: 'fatal error', error: 'uncaughtException: no such table' },
        holding: ['GET /a'],
      } as const;
      const script = serving(1);
      script.on({ type: 'replace', id: 1, why: 'fatal error', doubt });
      script.ready(2);
      script.exits(1, { code: 0 });
      expect(script.ended).to.deep.equal(['0 fatal error']);
      expect(script.fleet.slots[0]).to.deep.include({
        restarts: 1,
        lastExit: { code: undefined, ...doubt },
      });
      const stopping = serving(1);
      stopping.on({ type: 'replace', id: 1, why: 'fatal error', doubt });
      stopping.on({ type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' });
      stopping.exits(1, { code: 0 });
      expect(stopping.ended).to.deep.equal(['0 asked']);
    });

    it('that called process.exit() in a reload abandons it with the place', () => {
      const script = serving(1);
      script.on({ type: 'reload' });
      script.ready(2);
      const cause = { cause: 'exit called', code: 4, place: 'jobs.js:17' } as const;
      expect(
        script.on({ type: 'replace', id: 2, why: 'exit called', doubt: { cause, holding: [] } })[0],
      ).to.equal('abandoned: worker 0 of generation 2 exited with 4: process.exit called at jobs.js:17');
    });

    it('that was killed as what it was killed for, and says no more of it', () => {
      const script = serving(1, { hangMs: 5000 });
      script.pass(6000);
      script.exits(1, { signal: 'SIGKILL', cause: { cause: 'killed' }, holding: ['GET /a'] });
      expect(script.fleet.slots[0]?.lastExit).to.deep.equal({
        signal: 'SIGKILL',
        cause: { cause: 'ours', kill: { why: 'hung' } },
      });
      expect(script.fleet.slots[0]?.armedUntil).to.equal(0);
      expect(script.fleet.poison).to.deep.equal([]);
    });

    it('that was killed as what it was killed for', () => {
      const hung = serving(1, { hangMs: 5000 });
      hung.pass(6000);
      hung.exits(1, { signal: 'SIGKILL' });
      expect(hung.ended).to.deep.equal(['0 hung']);
      const slow = serving(1, { drainMs: 1000 });
      slow.on({ type: 'reload' });
      slow.ready(2);
      slow.pass(5000);
      slow.exits(1, { signal: 'SIGKILL' });
      expect(slow.ended).to.deep.equal(['0 not drained']);
    });
  });

  describe('when workers die that held requests', () => {
    const segv = (...holding: string[]) =>
      ({ signal: 'SIGSEGV', cause: { cause: 'native crash' }, holding }) as const;
    const named = (script: Script): string[] => script.log.filter((line) => line.includes('being worked on'));

    it('names one as poison that was held twice within ten minutes, in whichever slots, once', () => {
      const script = serving(3);
      script.exits(1, segv('GET /a', 'GET /b'));
      expect(named(script)).to.deep.equal([]);
      script.exits(2, segv('GET /b'));
      script.exits(3, segv('GET /b'));
      expect(named(script)).to.deep.equal([
        'GET /b was being worked on when 2 workers died within 10 minutes: it may be what kills them',
      ]);
    });

    it('counts an error that nobody caught where one request alone was in flight', () => {
      for (const [holding, names] of [
        [['GET /a'], 1],
        [['GET /a', 'GET /b'], 0],
      ] as const) {
        const script = serving(2);
        const cause = { cause: 'fatal error', error: 'uncaughtException: no' } as const;
        for (const id of [1, 2])
          script.on({ type: 'replace', id, why: 'fatal error', doubt: { cause, holding } });
        expect(named(script), holding.join()).to.have.length(names);
      }
    });

    it('arms the next workers of the slot alone, and not where the death is explained', () => {
      const script = serving(3);
      const armed = (slot: number): number => (script.fleet.slots[slot]?.armedUntil ?? 0) - script.now;
      script.pass(1000);
      script.exits(1, segv());
      script.exits(2, { code: 3, cause: { cause: 'exit called', code: 3, place: undefined } });
      script.exits(3, { cannotFork: 'EMFILE' });
      expect([armed(0), armed(1), armed(2)]).to.deep.equal([600_000, -1000, -1000]);
    });
  });

  describe('with a surge', () => {
    it('replaces so many at a time, the next ones when all of these are ready', () => {
      const fleet = serving(4, { surge: { percent: 50 } });
      expect(fleet.on({ type: 'reload' })).to.deep.equal([
        'fork 5 in slot 0 as generation 2',
        'fork 6 in slot 1 as generation 2',
      ]);
      expect(fleet.ready(6)).to.deep.equal(['leave 2 lingering']);
      expect(fleet.ready(5)).to.deep.equal([
        'leave 1 lingering',
        'fork 7 in slot 2 as generation 2',
        'fork 8 in slot 3 as generation 2',
      ]);
    });

    it('costs one step when the new code is broken', () => {
      const fleet = serving(4, { surge: { workers: 2 } });
      fleet.on({ type: 'reload' });
      expect(fleet.fails(5, 'no database')).to.deep.equal(['abandoned: no database', 'kill 6']);
      fleet.exits(6, { signal: 'SIGKILL' });
      expect(fleet.stages).to.equal('1 ready, 2 ready, 3 ready, 4 ready');
    });

    it('recycles one at a time all the same', () => {
      const fleet = serving(4, { surge: { workers: 4 } });
      for (const id of [1, 2]) fleet.on({ type: 'replace', id, why: 'MAX_REQUESTS' });
      expect(fleet.stages).to.equal('1 ready, 2 ready, 3 ready, 4 ready, 5 booting');
    });
  });

  describe('with a canary', () => {
    const CANARY = { canaryMs: 30_000, canary: { workers: 1 }, surge: { workers: 2 } };

    it('lets the others follow when the first has served for its time', () => {
      const fleet = serving(3, CANARY);
      expect(fleet.on({ type: 'reload' })).to.deep.equal(['fork 4 in slot 0 as generation 2']);
      expect(fleet.ready(4)).to.deep.equal(['leave 1 lingering']);
      expect(fleet.log.at(-1)).to.equal('canary: 1 worker of generation 2 for 30.0 s');
      expect(fleet.pass(29_999)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal([
        'fork 5 in slot 1 as generation 2',
        'fork 6 in slot 2 as generation 2',
      ]);
      expect(fleet.log.at(-1)).to.equal('canary passed: generation 2');
      fleet.ready(5, 6);
      expect(fleet.pass(1000)).to.include('reloaded');
    });

    it('says when nothing was asked of it', () => {
      const fleet = serving(1, { canaryMs: 5000 });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.on({ type: 'judged', generation: 2, verdict: { verdict: 'nothing asked' } });
      fleet.pass(6000);
      expect(fleet.log.filter((line) => /canary passed|reloaded/.test(line))).to.deep.equal([
        'canary passed: generation 2, nothing was asked of it',
        'reloaded: generation 2 serves after 6.0 s, nothing was asked of it',
      ]);
    });

    it('replaces one that was told to go all the same, and forks nobody else', () => {
      const fleet = serving(3, CANARY);
      fleet.on({ type: 'reload' });
      fleet.ready(4);
      fleet.on({ type: 'replace', id: 2, why: 'fatal error' });
      fleet.pass(1000);
      expect(fleet.stages).to.equal('1 standby, 2 ready, 3 ready, 4 ready, 5 booting');
    });

    it('gives way to a stop', () => {
      const fleet = serving(2, CANARY);
      fleet.on({ type: 'reload' });
      fleet.ready(3);
      fleet.on({ type: 'stop', what: 'stop' });
      expect(fleet.pass(60_000)).to.not.include('reloaded');
      expect(fleet.fleet.reload).to.equal(undefined);
    });
  });

  describe('judged by its traffic', () => {
    const BAD = {
      verdict: 'bad',
      criterion: '5xx',
      fresh: { bad: 38, of: 412 },
      old: { bad: 2, of: 3120 },
    } as const;

    it('is taken back, says why with its figures, and the old workers come back', () => {
      const fleet = serving(2);
      fleet.on({ type: 'reload' });
      fleet.ready(3);
      expect(fleet.on({ type: 'judged', generation: 2, verdict: BAD })).to.deep.equal([
        'abandoned: generation 2 answered 38 of 412 with 5xx, generation 1 2 of 3 120',
        'rejoin 1',
        'kill 4',
      ]);
      expect(fleet.ready(1)).to.deep.equal(['drain 3 for replace within 75000']);
    });

    it('by what it failed, and by how long it took, in other words', () => {
      const words = (verdict: Extract<Verdict, { verdict: 'bad' }>): string =>
        outcomeText({ outcome: 'abandoned', fault: { fault: 'judged', from: 6, to: 7, verdict } });
      expect(words({ ...BAD, criterion: 'failed' })).to.equal(
        'reload abandoned: generation 7 answered 38 of 412 by failing, generation 6 2 of 3 120',
      );
      const [fresh, old] = [
        { medianMs: 84, of: 500 },
        { medianMs: 9.54, of: 12_000 },
      ];
      expect(words({ verdict: 'bad', criterion: 'latency', fresh, old })).to.equal(
        'reload abandoned: generation 7 took 84 ms in the median of 500, generation 6 9.5 ms of 12 000',
      );
    });

    it('is not, when it is forced, when it is over, or when another generation is meant', () => {
      const forced = serving(1);
      forced.on({ type: 'reload', force: true });
      expect(forced.on({ type: 'judged', generation: 2, verdict: BAD })).to.deep.equal([]);
      const fleet = serving(1);
      fleet.on({ type: 'reload' });
      expect(fleet.on({ type: 'judged', generation: 1, verdict: BAD })).to.deep.equal([]);
      fleet.ready(2);
      fleet.pass(1000);
      expect(fleet.on({ type: 'judged', generation: 2, verdict: BAD })).to.deep.equal([]);
    });

    it('is taken back for a boot failure although it is forced', () => {
      const fleet = serving(1);
      fleet.on({ type: 'reload', force: true });
      expect(fleet.fails(2, 'no database')).to.include('abandoned: no database');
    });
  });

  describe('with a previous generation that is kept', () => {
    const kept = (): Script => {
      const fleet = serving(2, { keepMs: 60_000 });
      fleet.on({ type: 'reload' });
      fleet.ready(3, 4);
      fleet.pass(1000);
      return fleet;
    };

    it('has what was replaced finish what is open, and stand by', () => {
      const fleet = serving(1, { keepMs: 60_000 });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      expect(fleet.pass(1000)).to.deep.equal(['sleep 1', 'reloaded']);
      expect(fleet.log).to.include('generation 1 stands by with 1 worker for 60.0 s');
      expect(fleet.stages).to.equal('1 standby, 2 ready');
    });

    it('swaps back without a fork, and ends what it replaces as each comes back', () => {
      const fleet = kept();
      expect(fleet.on({ type: 'rollback' })).to.deep.equal(['rejoin 1', 'rejoin 2']);
      expect(fleet.ready(1)).to.deep.equal(['drain 3 for replace within 75000']);
      expect(fleet.ready(2)).to.deep.equal(['drain 4 for replace within 75000', 'rolled back 1']);
      expect(fleet.fleet.generation).to.equal(1);
      expect(fleet.on({ type: 'rollback' })).to.deep.equal([]);
    });

    it('lets it go when its time is up, and before the next reload', () => {
      const fleet = kept();
      expect(fleet.pass(60_000)).to.deep.equal([
        'drain 1 for replace within 75000',
        'drain 2 for replace within 75000',
      ]);
      expect(fleet.on({ type: 'rollback' })).to.deep.equal([]);
      const next = kept();
      expect(next.on({ type: 'reload' }).slice(0, 2)).to.deep.equal([
        'drain 1 for replace within 75000',
        'drain 2 for replace within 75000',
      ]);
    });

    it('recycles beside it, respawns none of it, and forgets it when none is left', () => {
      const fleet = kept();
      fleet.on({ type: 'replace', id: 3, why: 'MAX_REQUESTS' });
      expect(fleet.stages).to.equal('1 standby, 2 standby, 3 ready, 4 ready, 5 booting');
      expect(fleet.exits(1, { signal: 'SIGKILL' })).to.deep.equal([]);
      fleet.exits(2, { signal: 'SIGKILL' });
      expect(fleet.fleet.previous).to.equal(undefined);
    });

    it('is not rolled back during a reload, nor in a stop', () => {
      const fleet = serving(1, { keepMs: 60_000 });
      fleet.on({ type: 'reload' });
      expect(fleet.on({ type: 'rollback' })).to.deep.equal([]);
      const stopping = kept();
      stopping.on({ type: 'stop', what: 'stop' });
      expect(stopping.on({ type: 'rollback' })).to.deep.equal([]);
    });
  });

  describe('with another environment', () => {
    const bring = (fleet: Script, settings: Partial<Settings>, force = false): string[] =>
      fleet.on({ type: 'reload', force, renewal: { settings: { ...fleet.fleet.settings, ...settings } } });

    it('has it in force from its beginning on, and no longer when it is abandoned', () => {
      const fleet = serving(1, { drainMs: 5000 });
      bring(fleet, { drainMs: 9000, settleMs: 0 });
      expect(fleet.ready(2)).to.deep.equal([
        'leave 1 lingering',
        'drain 1 for replace within 9000',
        'reloaded',
      ]);
      fleet.exits(1, { code: 0 });
      bring(fleet, { drainMs: 1000 });
      expect(fleet.fleet.settings.drainMs).to.equal(1000);
      fleet.fails(3, 'no database');
      expect(fleet.fleet.settings.drainMs).to.equal(9000);
    });

    it('forks each worker with the reading of its generation', () => {
      const other = checkReading({ PORT: '81' }, []).reading;
      const fleet = serving(1);
      const forked = (event: Event) =>
        step(fleet.fleet, event, 0).effects.flatMap((e) => (e.do === 'fork' ? [e.reading] : []));
      const renewal = { settings: { ...SETTINGS, workers: 1, reading: other } };
      expect(forked({ type: 'reload', renewal })).to.deep.equal([other]);
      fleet.on({ type: 'reload', renewal });
      fleet.fails(2, 'no database');
      expect(forked({ type: 'exit', id: 1, ending: { code: 1 } })).to.deep.equal([SETTINGS.reading]);
    });

    it('lets a worker be silent for as long as it was told when it was forked', () => {
      const fleet = serving(1, { hangMs: 30_000 });
      bring(fleet, { hangMs: 2000 });
      fleet.ready(2);
      fleet.beats(1);
      expect(fleet.pass(2000)).to.include('explain 2 after 2000').and.not.include('explain 1 after 2000');
    });

    it('brings more workers with the others, and ends those that are too many when it is over', () => {
      const fleet = serving(1);
      expect(bring(fleet, { workers: 2 })).to.deep.equal(['fork 2 in slot 1 as generation 2']);
      fleet.ready(2);
      fleet.ready(3);
      fleet.pass(1000);
      expect(fleet.stages).to.equal('1 draining, 2 ready, 3 ready');
      fleet.exits(1, { code: 0 });
      bring(fleet, { workers: 1 });
      fleet.ready(4);
      fleet.ready(5);
      expect(fleet.stages).to.equal('2 standby, 3 standby, 4 ready, 5 ready');
      expect(fleet.pass(1000)).to.include('reloaded');
      expect(fleet.stages).to.equal('2 draining, 3 draining, 4 draining, 5 ready');
    });

    it('brings more workers only after its canary', () => {
      const fleet = serving(1, { canaryMs: 5000 });
      bring(fleet, { workers: 2 });
      fleet.ready(2);
      expect(fleet.pass(4999)).to.deep.equal([]);
      expect(fleet.pass(1)).to.deep.equal(['fork 3 in slot 1 as generation 2']);
    });

    it('takes back how many workers it wanted when it is abandoned, unless somebody asked for another number', () => {
      const fleet = serving(1);
      bring(fleet, { workers: 3 });
      fleet.fails(2, 'no database');
      expect(fleet.fleet.wanted).to.equal(1);
      bring(fleet, { workers: 3 });
      fleet.on({ type: 'scale', workers: 4 });
      fleet.fails(5, 'no database');
      expect(fleet.fleet.wanted).to.equal(4);
    });

    it('leaves the number of workers to `scale` while it asks for as many as before', () => {
      const fleet = serving(1);
      fleet.on({ type: 'scale', workers: 2 });
      fleet.ready(2);
      bring(fleet, { workers: 1 });
      expect(fleet.fleet.wanted).to.equal(2);
    });

    it('puts back with a rollback what was in force', () => {
      const fleet = serving(1, { keepMs: 60_000, drainMs: 5000 });
      bring(fleet, { drainMs: 9000, workers: 2 });
      fleet.ready(2);
      fleet.ready(3);
      fleet.pass(1000);
      fleet.on({ type: 'rollback' });
      expect(fleet.fleet).to.include({ wanted: 1 });
      expect(fleet.fleet.settings.drainMs).to.equal(5000);
    });

    it('is abandoned at once where it cannot be read, also after a reload under way, and nothing changes', () => {
      const fleet = serving(1, { keepMs: 60_000 });
      fleet.on({ type: 'reload' });
      fleet.ready(2);
      fleet.pass(1000);
      const refused = {
        type: 'reload',
        renewal: { errors: ['PORT: expected a', 'HOST: expected b'] },
      } as const;
      expect(fleet.on(refused)).to.deep.equal(['abandoned: PORT: expected a; HOST: expected b']);
      expect(fleet.stages).to.equal('1 standby, 2 ready');
      fleet.on({ type: 'reload' });
      fleet.exits(1, { code: 0 });
      expect(fleet.on(refused)).to.deep.equal([]);
      fleet.ready(3);
      expect(fleet.pass(1000).at(-1)).to.equal('abandoned: PORT: expected a; HOST: expected b');
    });
  });
});
