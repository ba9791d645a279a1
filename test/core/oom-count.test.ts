import { expect } from 'chai';
import { OomCounts } from '../../src/core/oom-count.ts';

const count = (kills: number, of = '/app') => ({ of, kills });

/** Counts that were taken a second apart. */
function counted(...kills: number[]): OomCounts {
  const counts = new OomCounts();
  for (const [second, so] of kills.entries()) counts.note(count(so), second * 1000);
  return counts;
}

describe('the kernel’s count of kills', () => {
  it('explains a death when it rose, and does not when it did not', () => {
    expect(counted(3).explains(count(4))).to.equal(true);
    expect(counted(3).explains(count(3))).to.equal(false);
    expect(counted(3, 3, 3).explains(count(4))).to.equal(true);
  });

  it('explains one death with each kill', () => {
    const counts = counted(0, 0);
    expect([2, 2, 2].map((kills) => counts.explains(count(kills)))).to.deep.equal([true, true, false]);
    counts.note(count(2), 3000);
    expect(counts.explains(count(2))).to.equal(false);
    counts.note(count(2), 4000);
    expect(counts.explains(count(2))).to.equal(false);
    expect(counts.explains(count(3))).to.equal(true);
  });

  it('explains a death that is heard of only after the next count was taken', () => {
    expect(counted(0, 0, 1).explains(count(1))).to.equal(true);
  });

  it('forgets a kill that was none of our workers', () => {
    expect(counted(0, 1, 1).explains(count(1))).to.equal(false);
  });

  it('says nothing where it cannot be read, or is of another cgroup', () => {
    expect(new OomCounts().explains(count(1))).to.equal(undefined);
    expect(counted(0).explains(undefined)).to.equal(undefined);
    expect(counted(0).explains(count(1, '/other'))).to.equal(undefined);
    const unread = new OomCounts();
    unread.note(undefined, 0);
    expect(unread.explains(count(1))).to.equal(undefined);
  });

  it('is not sure where a process of another cgroup was killed: it may have been moved there', () => {
    const counts = new OomCounts();
    counts.note({ ...count(3), machineKills: 10 }, 0);
    expect(counts.explains({ ...count(3), machineKills: 11 })).to.equal(undefined);
    expect(counts.explains({ ...count(3), machineKills: 10 })).to.equal(false);
    expect(counts.explains({ ...count(4), machineKills: 11 })).to.equal(true);
    expect(counts.explains({ ...count(4), machineKills: 11 })).to.equal(false);
    expect(counts.explains(count(4))).to.equal(false);
  });

  it('is taken every five seconds at most', () => {
    const counts = counted(0);
    expect([0, 4999, 5000].map((now) => counts.isDue(now))).to.deep.equal([false, false, true]);
    expect(new OomCounts().isDue(0)).to.equal(true);
  });
});
