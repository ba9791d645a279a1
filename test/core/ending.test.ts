import { expect } from 'chai';
import { causeOf, type Ending, isUnexplained, unaskedReason } from '../../src/core/ending.ts';

const by = (signal: string): Ending => ({ signal });

describe('the cause of an end', () => {
  it('is the app’s call of process.exit(), where there was one, with its code', () => {
    const place = 'jobs.js:17';
    expect(causeOf({ ending: { code: 3 }, exit: { place } })).to.deep.equal({
      cause: 'exit called',
      code: 3,
      place,
    });
    expect(causeOf({ ending: { code: 3 } })).to.equal(undefined);
  });

  it('is a full heap where V8 had said so, by the last figures or by its own trace', () => {
    const said = { ending: by('SIGABRT'), heapFull: { atMiB: 95 } };
    expect(causeOf({ ...said, heapLimitMiB: 144 })).to.deep.equal({
      cause: 'heap out of memory',
      atMiB: 144,
    });
    expect(causeOf(said)).to.deep.equal({ cause: 'heap out of memory', atMiB: 95 });
    expect(causeOf({ ...said, ending: by('SIGTRAP') })).to.include({ cause: 'heap out of memory' });
    // What an app prints is no cause of another signal.
    expect(causeOf({ ...said, ending: by('SIGSEGV') })).to.include({ cause: 'native crash' });
  });

  it('is native code for the signals that say so', () => {
    expect(causeOf({ ending: by('SIGABRT') })).to.deep.equal({ cause: 'aborted' });
    for (const signal of ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS'])
      expect(causeOf({ ending: by(signal) }), signal).to.deep.equal({ cause: 'native crash' });
  });

  it('of a SIGKILL is the kernel, or somebody outside, or not known, as its counter says', () => {
    const figures = { rssMiB: 310, limitMiB: 512 };
    expect(causeOf({ ending: by('SIGKILL'), oomKilled: true, ...figures })).to.deep.equal({
      cause: 'out of memory',
      ...figures,
    });
    expect(causeOf({ ending: by('SIGKILL'), oomKilled: false })).to.deep.equal({ cause: 'killed' });
    expect(causeOf({ ending: by('SIGKILL') })).to.equal(undefined);
  });

  it('of any other signal, or of no process at all, is not known', () => {
    expect(causeOf({ ending: by('SIGHUP'), oomKilled: true })).to.equal(undefined);
    expect(causeOf({ ending: { cannotFork: 'EMFILE' } })).to.equal(undefined);
  });
});

describe('an end that nobody asked for', () => {
  it('counts by its cause, and as a crash without one', () => {
    expect(unaskedReason({ signal: 'SIGSEGV', cause: { cause: 'native crash' } })).to.equal('native crash');
    expect(unaskedReason({ code: 1 })).to.equal('crashed');
  });

  it('is unexplained when nothing in JavaScript could say what came with it', () => {
    for (const cause of ['native crash', 'aborted', 'killed'] as const)
      expect(isUnexplained({ signal: 'SIGKILL', cause: { cause } }), cause).to.equal(true);
    expect(isUnexplained({ signal: 'SIGKILL' })).to.equal(true);
    expect(isUnexplained({ code: 1 })).to.equal(true);
  });

  it('is explained by a call of process.exit(), by a heap that is full with its request, and where there was no process', () => {
    const heap = { signal: 'SIGABRT', cause: { cause: 'heap out of memory', atMiB: 95 } } as const;
    expect(isUnexplained({ ...heap, holding: ['GET /report'] })).to.equal(false);
    expect(isUnexplained(heap)).to.equal(true);
    const exit = { cause: 'exit called', code: 1, place: undefined } as const;
    expect(isUnexplained({ code: 1, cause: exit })).to.equal(false);
    expect(isUnexplained({ cannotFork: 'EMFILE' })).to.equal(false);
  });
});
