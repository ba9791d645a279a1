// The policy in a random world: every rule after every step, and rest in the end.

import { expect } from 'chai';
import fc from 'fast-check';
import { checkReading } from '../../src/core/reading.ts';
import type { Settings } from '../../src/core/settings.ts';
import { type Deed, World } from './world.ts';

const RUNS = 1500;
/** Shrinking a failure ends after this. */
const LONGEST_MS = 15_000;
const LEAST_EVENTS = 10_000;
/** What is wrong at the end of a run is over by then: backoff, drain, boot and hang take less. */
const REST_MS = 120_000;
const STOP_SLACK_MS = 2500;

const WEIGHTS: Record<Deed, number> = {
  reload: 8,
  renewal: 4,
  'forced reload': 2,
  'bad verdict': 3,
  rollback: 4,
  scale: 4,
  crash: 5,
  term: 3,
  'group term': 1,
  'fatal error': 2,
  disconnected: 1,
  'exit called': 1,
  recycle: 3,
  snapshot: 2,
  hang: 2,
  deploy: 4,
  mend: 3,
  exhaust: 2,
  'stray message': 1,
  upgrade: 2,
  stop: 1,
  wait: 4,
};

const deeds = Object.entries(WEIGHTS).map(([deed, weight]) => ({
  arbitrary: fc.constant(deed as Deed),
  weight,
}));

const happening = fc.record({
  after: fc.oneof(
    { arbitrary: fc.constant(0), weight: 2 },
    { arbitrary: fc.integer({ min: 0, max: 100 }), weight: 3 },
    { arbitrary: fc.integer({ min: 0, max: 4000 }), weight: 3 },
  ),
  deed: fc.oneof(...deeds),
  pick: fc.nat(59),
});

const settings: fc.Arbitrary<Settings> = fc.record({
  reading: fc.constant(checkReading({}, []).reading),
  workers: fc.constant(1),
  bootMs: fc.constantFrom(3000, 3000, 700, 0),
  drainMs: fc.constantFrom(2000, 6000, 0),
  stopDelayMs: fc.constantFrom(0, 0, 1500),
  stopMs: fc.constantFrom(2000, 100, 0),
  hangMs: fc.constantFrom(0, 1500),
  settleMs: fc.constantFrom(1000, 1000, 0, 5000),
  canaryMs: fc.constantFrom(0, 0, 1000, 4000),
  canary: fc.constantFrom<Settings['canary']>(
    { workers: 1 },
    { workers: 2 },
    { percent: 50 },
    { workers: 9 },
  ),
  keepMs: fc.constantFrom(0, 0, 3000, 20_000),
  surge: fc.constantFrom<Settings['surge']>({ workers: 1 }, { workers: 1 }, { workers: 3 }, { percent: 50 }),
  memory: fc.constantFrom<Settings['memory']>(undefined, { limitMiB: 512, heapMiB: 259 }),
});

const runs = fc.record({
  workers: fc.integer({ min: 1, max: 4 }),
  settings,
  seed: fc.integer({ min: 1, max: 2_147_483_647 }),
  happenings: fc.array(happening, { minLength: 1, maxLength: 40, size: 'max' }),
});

/** The seed that a failure prints, to run it again. */
const { SEED } = process.env;

describe('policy', () => {
  describe('in a random world', () => {
    it('keeps every rule after every step, and comes to rest when the world does', () => {
      let events = 0;
      const property = fc.property(runs, ({ workers, settings, seed, happenings }) => {
        const world = new World(workers, settings, seed);
        for (const { after, deed, pick } of happenings) {
          world.pass(after);
          world.do(deed, pick);
        }
        world.calm();
        const over = (): boolean => world.exitCode !== undefined;
        if (!world.fleet.stop) {
          const rested = world.until(() => world.atRest || world.fleet.stop !== undefined || over(), REST_MS);
          if (!rested) throw new Error(`expected rest within ${REST_MS} ms\n${world.story}`);
          if (!world.fleet.stop && !over()) world.stop(seed);
        }
        const stopMs = settings.stopDelayMs + settings.stopMs + STOP_SLACK_MS;
        if (!world.until(over, stopMs))
          throw new Error(`expected an exit within ${stopMs} ms\n${world.story}`);
        expect(world.processes, 'processes left').to.equal(0);
        world.do('reload', 0);
        world.stop(0);
        world.pass(5000);
        events += world.events;
      });
      fc.assert(property, {
        numRuns: RUNS,
        interruptAfterTimeLimit: LONGEST_MS,
        ...(SEED === undefined ? {} : { seed: Number(SEED) }),
      });
      expect(events).to.be.at.least(LEAST_EVENTS);
    });
  });
});
