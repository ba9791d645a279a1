// docs/troubleshooting.md: the messages that take long, or that nothing brings about in a test, against the words of the code.

import { expect } from 'chai';
import { healthOf } from '../../src/control/health.ts';
import { readConfig } from '../../src/core/config.ts';
import { CRASH_LOOP_BOOTS } from '../../src/core/deadlines.ts';
import type { Ending } from '../../src/core/ending.ts';
import type { Fault, Notice } from '../../src/core/notices.ts';
import { faultText } from '../../src/log/faults.ts';
import { lineOf, upgraded } from '../../src/log/wording.ts';
import { Script } from '../core/script.ts';
import { block, rowsBelow } from '../helpers/manual.ts';

const PAGE = 'docs/troubleshooting.md';
const first = { worker: 0, generation: 2, pid: 1575 };
const text = (notice: Notice): string => `${lineOf(notice).text}\n`;
const crashed = (worker: number, ending: Ending): string =>
  text({
    notice: 'crashed',
    of: { worker, generation: 1, pid: 1575 + worker },
    ending,
    uptimeMs: 187_000,
    nextMs: 0,
  });

describe(`${PAGE}, its messages`, () => {
  it('of memory', () => {
    const killed = { cause: 'out of memory', rssMiB: 310, limitMiB: 512 } as const;
    expect(
      crashed(0, { signal: 'SIGKILL', cause: killed, holding: ['GET /report'] }) +
        crashed(1, { signal: 'SIGABRT', cause: { cause: 'heap out of memory', atMiB: 259 } }) +
        crashed(2, { signal: 'SIGKILL' }),
    ).to.equal(block('docs/troubleshooting.md#out-of-memory'));
  });

  it('of a crash loop', () => {
    expect(text({ notice: 'crash loop', boots: CRASH_LOOP_BOOTS })).to.equal(
      block('docs/troubleshooting.md#crash-loop'),
    );
  });

  it('of a health check that fails', () => {
    const script = new Script(4);
    const reason = (unwell: string | null = null, laterMs = 0): string =>
      healthOf(script.fleet, script.now + laterMs, () => unwell).reason;
    script.on({ type: 'wake' });
    for (const id of [1, 2, 3, 4]) script.on({ type: 'forked', id, pid: 100 + id });
    const starts = reason();
    for (const id of [1, 2, 3, 4]) script.on({ type: 'ready', id });
    const unwell = reason('connect ECONNREFUSED 127.0.0.1:5432');
    const [silent] = reason(null, 5001).split(';');
    for (const { id } of script.fleet.workers) script.on({ type: 'exit', id, ending: { code: 7 } });
    for (const { id } of script.fleet.workers) script.on({ type: 'exit', id, ending: { code: 7 } });
    const [ended] = reason().split(';');
    script.on({ type: 'stop', what: 'SIGTERM', exitCode: 0 });
    expect(rowsBelow(PAGE, '503-of-a-health-check').map(([said]) => said)).to.deep.equal([
      reason(),
      starts,
      unwell,
      silent,
      ended,
    ]);
  });

  it('of a reload that was abandoned', () => {
    const faults: readonly Fault[] = [
      { fault: 'failed', failure: { reason: '/srv/shop/server.js: no database' } },
      { fault: 'killed', of: first, kill: { why: 'not ready', withinMs: 30_000 } },
      {
        fault: 'crashed',
        of: first,
        ending: { signal: 'SIGSEGV', cause: { cause: 'native crash' } },
      },
      { fault: 'in doubt', of: first, why: 'MAX_MEMORY' },
      {
        fault: 'judged',
        from: 1,
        to: 2,
        verdict: {
          verdict: 'bad',
          criterion: '5xx',
          old: { bad: 2, of: 3120 },
          fresh: { bad: 38, of: 412 },
        },
      },
      { fault: 'environment', errors: readConfig({ PORT: '80a' }).errors },
      { fault: 'failed', failure: { reason: upgraded('1.0.0', '1.1.0') } },
      { fault: 'ended', of: first, ending: { cannotFork: 'EMFILE, too many open files' } },
    ];
    expect(rowsBelow(PAGE, 'the-reload-was-abandoned').map(([said]) => said)).to.deep.equal(
      faults.map((fault) => faultText(fault).replaceAll('`', '')),
    );
  });

  it('in the table of other lines of the log', () => {
    const notices: readonly Notice[] = [
      { notice: 'cut', connections: 3, graceMs: 75_000 },
      { notice: 'killed', of: { worker: 1, generation: 1, pid: 1576 }, kill: { why: 'not drained' } },
      { notice: 'dropped', lines: 120 },
      { notice: 'ignored signal', signal: 'SIGUSR1' },
      { notice: 'needs restart', variables: ['PORT'] },
      { notice: 'long duration', variable: 'KEEP_ALIVE_TIMEOUT', seconds: 65_000 },
      { notice: 'no working directory', path: '/srv/shop' },
      { notice: 'asked to exit', code: 3, place: 'jobs.js:17' },
      { notice: 'closed by app' },
      { notice: 'poison', request: 'GET /report', deaths: 2, withinMs: 600_000 },
    ];
    expect(rowsBelow(PAGE, 'other-lines-of-the-log').map(([said]) => said)).to.deep.equal(
      notices.map((notice) => lineOf(notice).text),
    );
  });
});
