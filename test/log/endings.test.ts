import { expect } from 'chai';
import type { Cause, Ending } from '../../src/core/ending.ts';
import { crashText, endingText, poisonText, workingOn } from '../../src/log/endings.ts';

const AFTER = ' after 40.0 s';
const killed = (cause: Cause, holding?: readonly string[]): Ending => ({ signal: 'SIGKILL', cause, holding });

describe('an end in words', () => {
  it('is one phrase: how, why, and what the worker was working on', () => {
    const memory = { cause: 'out of memory', rssMiB: 310, limitMiB: 512 } as const;
    expect(crashText(killed(memory, ['GET /report']), AFTER)).to.equal(
      'crashed: SIGKILL after 40.0 s, the kernel killed for memory (rss 310 of 512 MiB), working on GET /report',
    );
    expect(endingText(killed(memory))).to.equal('SIGKILL, the kernel killed for memory (rss 310 of 512 MiB)');
  });

  it('says of memory what is known', () => {
    const text = (rssMiB?: number, limitMiB?: number): string =>
      endingText(killed({ cause: 'out of memory', rssMiB, limitMiB })).slice('SIGKILL, the kernel '.length);
    expect(text(1310.6, 2048)).to.equal('killed for memory (rss 1 311 of 2 048 MiB)');
    expect(text(310)).to.equal('killed for memory (rss 310 MiB)');
    expect(text(undefined, 512)).to.equal('killed for memory (limit 512 MiB)');
    expect(text()).to.equal('killed for memory');
  });

  it('names the place of an exit', () => {
    const exit = (place?: string): Ending => ({ code: 3, cause: { cause: 'exit called', code: 3, place } });
    expect(endingText(exit('jobs.js:17'))).to.equal('exited with 3: process.exit called at jobs.js:17');
    expect(crashText(exit('jobs.js:17'), AFTER)).to.equal(
      'exited with 3 after 40.0 s: process.exit called at jobs.js:17',
    );
    expect(endingText(exit())).to.equal('exited with 3: process.exit called');
  });

  it('has words of its own for each cause', () => {
    const abort = (cause: Cause): string => crashText({ signal: 'SIGABRT', cause }, AFTER);
    expect(abort({ cause: 'heap out of memory', atMiB: 1048 })).to.equal(
      'crashed: SIGABRT after 40.0 s, heap out of memory at 1 048 MiB',
    );
    expect(abort({ cause: 'heap out of memory', atMiB: undefined })).to.match(/, heap out of memory$/);
    expect(abort({ cause: 'aborted' })).to.match(/, abort or a failed assertion in native code$/);
    expect(abort({ cause: 'native crash' })).to.match(/, native crash$/);
    expect(endingText(killed({ cause: 'killed' }))).to.equal('SIGKILL, killed from outside');
    expect(endingText(killed({ cause: 'ours', kill: { why: 'hung' } }))).to.equal('SIGKILL, hung');
    const error = { cause: 'fatal error', error: 'uncaughtException: no such table' } as const;
    expect(endingText({ code: undefined, cause: error, holding: ['GET /a'] })).to.equal(
      'uncaughtException: no such table, working on GET /a',
    );
  });

  it('claims nothing about memory but of a SIGKILL of which nothing is known', () => {
    expect(crashText({ signal: 'SIGKILL' }, AFTER)).to.equal('crashed: SIGKILL after 40.0 s, out of memory?');
    expect(crashText({ signal: 'SIGHUP' }, AFTER)).to.equal('crashed: SIGHUP after 40.0 s');
    expect(crashText({ code: 1 }, AFTER)).to.equal('crashed: code 1 after 40.0 s');
  });

  it('names three requests, each once, and says how many more there are', () => {
    expect(workingOn([])).to.equal('');
    expect(workingOn(['GET /a'])).to.equal(', working on GET /a');
    expect(workingOn(['GET /a', 'GET /b'])).to.equal(', working on GET /a and GET /b');
    expect(workingOn(['GET /a', 'GET /b', 'GET /a', 'GET /c'])).to.equal(
      ', working on 2 × GET /a, GET /b and GET /c',
    );
    expect(workingOn(['GET /a', 'GET /b', 'GET /c', 'GET /d', 'GET /e'])).to.equal(
      ', working on GET /a, GET /b, GET /c and 2 more',
    );
  });

  it('calls a request poison without being sure', () => {
    expect(poisonText({ notice: 'poison', request: 'GET /report', deaths: 2, withinMs: 600_000 })).to.equal(
      'GET /report was being worked on when 2 workers died within 10 minutes: it may be what kills them',
    );
  });
});
