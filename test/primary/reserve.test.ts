import { expect } from 'chai';
import { Reserve } from '../../src/primary/reserve.ts';

/** A process that may open so many descriptors. */
function descriptors(limit: number) {
  const open = new Set<number>();
  let next = 0;
  return {
    open,
    take(count: number): number[] {
      return Array.from({ length: count }, () => this.reserve());
    },
    reserve(): number {
      if (open.size >= limit) throw new Error('EMFILE');
      open.add(++next);
      return next;
    },
    close: (fd: number) => void open.delete(fd),
  };
}

describe('the reserve of file descriptors', () => {
  it('is given up when no other is free, said once, and then others can be opened', () => {
    const fds = descriptors(40);
    const reserve = new Reserve(
      () => fds.reserve(),
      (fd) => fds.close(fd),
    );
    const held = fds.open.size;
    expect(held).to.be.greaterThan(4);
    expect(reserve.check()).to.equal(undefined);
    fds.take(40 - held);
    expect(reserve.check()).to.deep.equal({ notice: 'descriptors exhausted' });
    expect(fds.open.size).to.equal(40 - held);
    expect(reserve.check()).to.equal(undefined);
  });

  it('is taken back only when many are free again, so that it does not come and go', () => {
    const fds = descriptors(60);
    const reserve = new Reserve(
      () => fds.reserve(),
      (fd) => fds.close(fd),
    );
    const held = fds.open.size;
    const taken = fds.take(60 - held);
    reserve.check();
    for (const fd of taken.splice(0, 2)) fds.close(fd);
    expect(reserve.check()).to.equal(undefined);
    expect(fds.open.size).to.equal(60 - held - 2);
    for (const fd of taken.splice(0, 30)) fds.close(fd);
    expect(reserve.check()).to.deep.equal({ notice: 'descriptors back' });
    expect(fds.open.size).to.equal(60 - 30 - 2);
    expect(reserve.check()).to.equal(undefined);
  });

  it('leaks nothing, however often it is looked at', () => {
    const fds = descriptors(12);
    const reserve = new Reserve(
      () => fds.reserve(),
      (fd) => fds.close(fd),
    );
    const { size } = fds.open;
    for (let looks = 0; looks < 100; looks++) reserve.check();
    expect(fds.open.size).to.equal(size);
  });
});
