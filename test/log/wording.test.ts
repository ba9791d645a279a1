import { expect } from 'chai';
import type { Notice } from '../../src/core/notices.ts';
import { textLine } from '../../src/http/request-line.ts';
import { endingText } from '../../src/log/endings.ts';
import { cannotListen, lineOf, outcomeText } from '../../src/log/wording.ts';

const OF = { worker: 2, generation: 3, pid: 4711 };
const text = (notice: Notice): string => lineOf(notice).text;
const failed = {
  fault: 'failed',
  failure: { reason: 'app.js: throws', stack: 'Error\n    at app.js:1' },
} as const;

describe('wording', () => {
  it('has the seven texts of the contract as they stand', () => {
    expect([
      text({ notice: 'listening', port: 3000 }),
      text({ notice: 'visit', port: 3000 }),
      textLine(Date.UTC(2024, 0, 1, 12), 'GET', '/'),
      text({ notice: 'received', what: 'SIGTERM' }),
      text({ notice: 'closed' }),
      cannotListen(3000, undefined, 'EADDRINUSE', ''),
      cannotListen(3000, undefined, 'EACCES', ''),
    ]).to.deep.equal([
      'Server listening on port 3000',
      'Visit http://localhost:3000 or use curl -v http://localhost:3000',
      '2024-01-01T12:00:00.000Z - GET /\n',
      'Received SIGTERM, shutting down gracefully...',
      'Server closed successfully',
      'Port 3000 is already in use',
      'Permission denied - cannot bind to port 3000',
    ]);
  });

  it('says all of a normal start and stop at info, and nothing else that happens in one', () => {
    const said: Notice[] = [
      { notice: 'listening', port: 1 },
      { notice: 'visit', port: 1 },
      { notice: 'received', what: 'SIGTERM' },
      { notice: 'closed' },
    ];
    expect(said.map((notice) => lineOf(notice).level)).to.deep.equal(['info', 'info', 'info', 'info']);
    const quiet: Notice[] = [
      { notice: 'ready', of: OF, afterMs: 100 },
      { notice: 'draining', of: OF, why: 'replaced' },
      { notice: 'gone', of: OF, ending: { code: 0 }, uptimeMs: 100 },
    ];
    expect(quiet.map((notice) => lineOf(notice).level)).to.deep.equal(['debug', 'debug', 'debug']);
  });

  it('says of hello-server stop what it says of a signal', () => {
    expect(text({ notice: 'received', what: 'stop' })).to.equal('Received stop, shutting down gracefully...');
  });

  it('names the address of any other failure to listen', () => {
    expect(cannotListen(80, '10.0.0.1', 'EADDRNOTAVAIL', 'address not available')).to.equal(
      'Cannot listen on 10.0.0.1, port 80: address not available',
    );
  });

  it('asks whether memory ran out for a SIGKILL that was not ours, and for nothing else', () => {
    const crashed = (
      ending: { signal: string } | { code: number },
      uptimeMs: number,
      nextMs: number,
    ): string => text({ notice: 'crashed', of: OF, ending, uptimeMs, nextMs });
    expect(crashed({ signal: 'SIGKILL' }, 1500, 0)).to.equal(
      'worker 2 (pid 4711) crashed: SIGKILL after 1.5 s, out of memory?, respawning',
    );
    expect(crashed({ code: 1 }, 250_000, 500)).to.equal(
      'worker 2 (pid 4711) crashed: code 1 after 250 s, respawning in 0.5 s',
    );
    expect(text({ notice: 'gone', of: OF, ending: { signal: 'SIGKILL' }, uptimeMs: 1500 })).to.not.include(
      'memory',
    );
  });

  it('names how a process ended by its signal, else by its code, and why one never began', () => {
    expect(endingText({ signal: 'SIGTERM' })).to.equal('SIGTERM');
    expect(endingText({ code: 3 })).to.equal('code 3');
    expect(endingText({ code: undefined })).to.equal('code unknown');
    const cannotFork = 'EMFILE, too many open files';
    expect(endingText({ cannotFork })).to.equal('cannot fork: EMFILE, too many open files');
    const of = { ...OF, pid: 0 };
    expect(
      text({ notice: 'boot failed', of, fault: { fault: 'ended', of, ending: { cannotFork } } }),
    ).to.equal('worker 2 failed to boot: cannot fork: EMFILE, too many open files');
  });

  it('identifies a worker by slot, generation and pid beside every line about it', () => {
    const about: Notice[] = [
      { notice: 'ready', of: OF, afterMs: 1 },
      { notice: 'boot failed', of: OF, fault: failed },
      { notice: 'crashed', of: OF, ending: { code: 1 }, uptimeMs: 1 },
      { notice: 'gone', of: OF, ending: { code: 0 }, uptimeMs: 1 },
      { notice: 'interrupted', of: OF, ending: { signal: 'SIGTERM' } },
      { notice: 'replacing', of: OF, why: 'TERM' },
      { notice: 'recycled early', of: OF, why: 'MAX_MEMORY', uptimeMs: 1 },
      { notice: 'draining', of: OF, why: 'replaced' },
      { notice: 'killed', of: OF, kill: { why: 'not drained' } },
      { notice: 'hung', of: OF, silentMs: 1, place: undefined, holding: [], stack: undefined },
    ];
    for (const notice of about) expect(lineOf(notice).data, notice.notice).to.include(OF);
  });

  it('says what becomes of a warm-up at debug, in one line', () => {
    const lines = [
      { notice: 'warm-up failed', of: 'GET /', problem: '500' },
      { notice: 'warm-up failed', of: undefined, problem: 'boom' },
      { notice: 'warm-up cut', afterMs: 24_000 },
      { notice: 'warm-up skipped' },
    ] satisfies Notice[];
    expect(lines.map((notice) => lineOf(notice).level)).to.deep.equal(['debug', 'debug', 'debug', 'debug']);
    expect(lines.map(text)).to.deep.equal([
      'warm-up failed: GET /: 500',
      'warm-up failed: boom',
      'warm-up cut after 24.0 s',
      'warm-up skipped: the server was to listen before the app had said what it exports',
    ]);
  });

  it('says in development what was saved, and what comes of it', () => {
    const saved = (...files: string[]): string => text({ notice: 'saved', files, tookMs: 432 });
    expect(saved('server.ts')).to.equal('reloaded: server.ts changed (0.4 s)');
    expect(saved('a.js', 'b.js', 'c.js')).to.equal('reloaded: a.js, b.js, c.js changed (0.4 s)');
    expect(saved('a.js', 'b.js', 'c.js', 'd.js', 'e.js')).to.equal(
      'reloaded: a.js, b.js, c.js and 2 more changed (0.4 s)',
    );
    expect(text({ notice: 'boots anew', of: OF })).to.equal(
      'worker 2 (pid 4711) boots anew: a file was saved before it was ready',
    );
    expect(text({ notice: 'awaits save' })).to.equal('nothing serves until a file is saved that mends it');
    const watch = (setting: string | undefined): string =>
      text({ notice: 'cannot watch', reason: 'ENOSPC: no space', setting });
    expect(watch('fs.inotify.max_user_watches')).to.equal(
      'files are looked at instead of watched: ENOSPC: no space; raise fs.inotify.max_user_watches to be told of them at once',
    );
    expect(watch(undefined)).to.equal('files are looked at instead of watched: ENOSPC: no space');
  });

  it('counts in the singular and the plural', () => {
    expect(text({ notice: 'dropped', lines: 1 })).to.match(/^dropped 1 log line:/);
    expect(text({ notice: 'dropped', lines: 2 })).to.match(/^dropped 2 log lines:/);
    const cut = (connections: number): string => text({ notice: 'cut', connections, graceMs: 75_000 });
    expect(cut(1)).to.equal('cut 1 unfinished connection after 75.0 s of grace');
    expect(cut(2)).to.equal('cut 2 unfinished connections after 75.0 s of grace');
  });

  it('keeps to one line, the stack below it', () => {
    const notices: Notice[] = [
      { notice: 'boot failed', of: OF, fault: failed },
      { notice: 'abandoned', generation: 4, fault: failed },
      { notice: 'cannot serve', fault: failed },
      {
        notice: 'uncaught',
        origin: 'uncaughtException',
        message: 'boom',
        stack: 'Error: boom\n    at app.js:1',
      },
      { notice: 'primary failed', message: 'boom', stack: 'Error: boom\n    at app.js:1' },
    ];
    for (const notice of notices) {
      const line = lineOf(notice);
      expect(line.text).to.not.include('\n');
      expect(line.stack).to.include('\n');
    }
  });

  it('words the same fault alike for the log and for whoever gave the command', () => {
    const fault = { fault: 'killed', of: OF, kill: { why: 'not ready', withinMs: 3000 } } as const;
    expect(outcomeText({ outcome: 'abandoned', fault })).to.equal(
      'reload abandoned: worker 2 was not ready within 3 s',
    );
    expect(text({ notice: 'abandoned', generation: 4, fault })).to.equal(
      'reload abandoned, the old generation goes on: worker 2 was not ready within 3 s',
    );
    expect(text({ notice: 'abandoned', generation: 4, fault, nothingServes: true })).to.equal(
      'reload abandoned: worker 2 was not ready within 3 s',
    );
  });
});
