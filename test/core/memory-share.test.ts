import { expect } from 'chai';
import { heapFlags, type Memory, setsHeap, shareOut } from '../../src/core/memory-share.ts';

/** V8 takes about half of the limit for a heap, whatever the number of workers. */
const memory = (limitMiB: number, heapMiB = limitMiB / 2): Memory => ({ limitMiB, heapMiB });
const ONE = { workers: 1 };

describe('the share of a worker', () => {
  it('is the limit without what the primary takes, over the workers and those that a reload has beside them', () => {
    const sharing = shareOut(memory(512), 3, ONE);
    expect(sharing).to.deep.include({ fits: true, limitMiB: 512, workers: 3 });
    expect(sharing.fits && sharing.share.rssMiB).to.equal(113);
    const half = shareOut(memory(2048), 4, { percent: 50 });
    expect(half.fits && half.share.rssMiB).to.equal(331);
  });

  it('has a heap of 85 % of it, young generation included', () => {
    for (const [limit, workers] of [
      [512, 3],
      [1024, 4],
      [8192, 2],
    ] as const) {
      const sharing = shareOut(memory(limit, 1e6), workers, ONE);
      if (!sharing.fits || !sharing.share.heap) throw new Error('expected a share with a heap');
      const { oldMiB, semiMiB } = sharing.share.heap;
      expect(oldMiB + 3 * semiMiB).to.equal(Math.floor(0.85 * sharing.share.rssMiB));
      expect(semiMiB).to.be.within(1, 16);
    }
  });

  it('leaves the heap to V8 where it takes less of its own accord', () => {
    const sharing = shareOut(memory(65_536, 4144), 4, ONE);
    expect(sharing.fits && sharing.share).to.deep.equal({ rssMiB: 13_095, heap: undefined });
    expect(heapFlags({ rssMiB: 13_095, heap: undefined })).to.deep.equal([]);
  });

  it('is kept by options of Node', () => {
    expect(heapFlags({ rssMiB: 113, heap: { oldMiB: 87, semiMiB: 3 } })).to.deep.equal([
      '--max-old-space-size=87',
      '--max-semi-space-size=3',
    ]);
  });

  it('is none where it would be too little: then the most workers that fit are told', () => {
    expect(shareOut(memory(512), 4, ONE)).to.deep.equal({
      fits: false,
      limitMiB: 512,
      workers: 4,
      surge: 1,
      eachMiB: 90,
      would: { workers: 3 },
    });
    expect(shareOut(memory(512), 64, { percent: 100 })).to.deep.include({ would: { workers: 2 } });
  });

  it('is none where not even one fits: then the memory that one takes is told', () => {
    const told = shareOut(memory(256), 2, ONE);
    expect(told).to.deep.include({ fits: false, eachMiB: 65, would: { limitMiB: 280 } });
    expect(shareOut(memory(280), 1, ONE)).to.include({ fits: true });
    expect(shareOut(memory(16), 1, ONE)).to.deep.include({ eachMiB: 0 });
  });
});

describe('a heap of the user’s', () => {
  it('is seen in every spelling of V8’s options, among others and with any value', () => {
    for (const text of [
      '--max-old-space-size=200',
      '--max_old_space_size=200',
      '--max-old-space-size 200',
      '--enable-source-maps --max-heap-size=1024 --no-warnings',
      '--max_heap_size=1024',
      '--max-semi-space-size=8',
      '--max-old_space-size=9',
      '--max-old-space-size-percentage=50',
      '-max-old-space-size=9',
    ])
      expect(setsHeap([undefined, text]), text).to.equal(true);
  });

  it('is not seen in other options', () => {
    expect(
      setsHeap([undefined, '', '--stack-size=900 --max-http-header-size=9 --heapsnapshot-signal=USR2']),
    ).to.equal(false);
  });
});
