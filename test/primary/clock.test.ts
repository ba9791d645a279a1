import { expect } from 'chai';
import { Clock } from '../../src/primary/clock.ts';

/** When the run loop looks at the clock again, ms. */
const TICK_MS = 1000;

/** A clock over a source that the test sets; it is looked at each tick. */
function clockOf(start: number): { clock: Clock; at: (ms: number) => number } {
  let real = start;
  const clock = new Clock(() => real);
  clock.expectWithin(TICK_MS);
  return {
    clock,
    at: (ms) => {
      real = ms;
      return clock.now();
    },
  };
}

describe('clock', () => {
  it('goes as its source goes, as long as that is looked at every tick', () => {
    const { at } = clockOf(5000);
    const ticks = [0, 1, TICK_MS, 2 * TICK_MS, 3 * TICK_MS].map((ms) => 5000 + ms);
    expect(ticks.map(at)).to.deep.equal(ticks);
  });

  it('discounts a pause of the process: 60 s of it are a tick at most', () => {
    const { at } = clockOf(0);
    const before = at(TICK_MS);
    const after = at(TICK_MS + 60_000);
    expect(after - before).to.be.within(0, TICK_MS);
    expect(at(TICK_MS + 60_100)).to.equal(after + 100);
  });

  it('takes for a pause what comes late, however soon it was due', () => {
    const { clock, at } = clockOf(0);
    clock.expectWithin(20);
    expect(at(900)).to.be.at.most(250);
  });

  it('discounts each of several pauses', () => {
    const { at } = clockOf(0);
    for (let pause = 1; pause <= 10; pause++) at(pause * 30_000);
    expect(at(300_000)).to.be.at.most(10 * TICK_MS);
  });

  it('takes a tick that comes a little late for no pause', () => {
    const { at } = clockOf(0);
    expect(at(TICK_MS + 100)).to.equal(TICK_MS + 100);
  });

  it('goes on, if slower, when every tick comes so late that it might be a pause: deadlines still pass', () => {
    for (const within of [TICK_MS, 0]) {
      const { clock, at } = clockOf(0);
      clock.expectWithin(within);
      for (let tick = 1; tick <= 100; tick++) at(tick * 3 * TICK_MS);
      expect(at(300 * TICK_MS)).to.be.at.least(20 * TICK_MS);
    }
  });

  it('never goes back', () => {
    const { at } = clockOf(0);
    const seen = [100, 3000, 3000, 9000, 9001, 50_000].map(at);
    expect(seen).to.deep.equal([...seen].sort((a, b) => a - b));
  });
});
