// docs/supervision.md: the lines that it shows are logged when that happens, and its figures are those of the code.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { backoffMs, PROVEN_AFTER_MS } from '../../src/core/backoff.ts';
import { DEFAULTS } from '../../src/core/config.ts';
import { ARMED_MS, CRASH_LOOP_BOOTS, EXITING_MS, LEAD_AGAIN_MS } from '../../src/core/deadlines.ts';
import type { Ending } from '../../src/core/ending.ts';
import { LEAST_SHARE_MIB, shareOut } from '../../src/core/memory-share.ts';
import type { Notice } from '../../src/core/notices.ts';
import { POISON_DEATHS, POISON_MS } from '../../src/core/poison.ts';
import { workersIn } from '../../src/core/share.ts';
import { endingText } from '../../src/log/endings.ts';
import { lineOf } from '../../src/log/wording.ts';
import { block, expectShape, page, rowsBelow } from '../helpers/manual.ts';
import { get, Raw, request } from '../helpers/raw.ts';
import { eventually, eventuallyReceived, type Running, serve } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const PAGE = 'docs/supervision.md';
const ENV = { WEB_CONCURRENCY: '1', ACCESS_LOG: 'false' };
/** A worker tells of a request that it has held for 100 ms, and looks every 100 ms: by the end of this it has told. */
const TOLD_MS = 450;
/** Answers late on /late, never on /report; dies of /poison; is busy for a while on /busy, for ever on /report?year=2026. */
const REPORT = `export default function app(req, res) {
  if (req.url.startsWith('/report?')) render(Infinity);
  if (req.url === '/busy') render(600);
  if (req.url === '/late') setTimeout(() => res.end('Tea'), ${TOLD_MS});
  else if (req.url === '/poison') process.kill(process.pid, 'SIGSEGV');
  else if (!req.url.startsWith('/report')) res.end('Tea');
}
function render(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}
`;
/** The ends of the table of the page, in its order. */
const ENDS: readonly Ending[] = [
  { code: 1, cause: { cause: 'fatal error', error: 'uncaughtException: no such table' } },
  { code: 1, cause: { cause: 'fatal error', error: 'unhandledRejection: no such table' } },
  { code: 3, cause: { cause: 'exit called', code: 3, place: 'jobs.js:17' } },
  { signal: 'SIGABRT', cause: { cause: 'heap out of memory', atMiB: 1048 } },
  { signal: 'SIGABRT', cause: { cause: 'aborted' } },
  { signal: 'SIGSEGV', cause: { cause: 'native crash' } },
  { signal: 'SIGKILL', cause: { cause: 'out of memory', rssMiB: 310, limitMiB: 512 } },
  { signal: 'SIGKILL', cause: { cause: 'killed' } },
  { signal: 'SIGKILL' },
  { code: 7 },
];

/** Sends a request that nobody answers, and goes on when it has come. */
async function hold(server: Running, target: string): Promise<void> {
  await eventuallyReceived(server, (await Raw.open(server.port)).send(request('GET', target)));
}

const text = (notice: Notice): string => `${lineOf(notice).text}\n`;

describe(PAGE, () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
    shop.write('report.js', REPORT);
  });
  afterEach(() => shop.remove());

  const started = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
    serve({ args: ['./report.js'], cwd: shop.folder, env: { ...ENV, ...env } });

  /** Kills the worker there is, by what is given, and waits for the next one. */
  async function dies(server: Running, kill: (pid: number) => unknown): Promise<void> {
    const [old = 0] = server.workers();
    await kill(old);
    await eventually(
      async () =>
        !server.workers().includes(old) && (await get(server).catch(() => undefined))?.status === 200,
      `another worker than ${old}`,
    );
  }

  it('has a command that shows the workers with their last exits', async () => {
    const server = await started();
    await dies(server, (pid) => process.kill(pid, 'SIGSEGV'));
    const { code, out } = await shop.run(block('docs/supervision.md#supervision'), {
      PORT: String(server.port),
    });
    expect(code, out).to.equal(0);
    expect(out).to.include('last exit: SIGSEGV, native crash');
  });

  it('shows what is said of a crash', async () => {
    const server = await started();
    await hold(server, '/report');
    await get(server, '/late');
    await dies(server, (pid) => process.kill(pid, 'SIGSEGV'));
    // It may have told of the other one, too, before that was answered.
    expectShape(server.err.replace(' and GET /late', ''), block('docs/supervision.md#a-crash'));
  });

  it('shows what is said of a hang, and of a worker that was blocked for a while', async () => {
    const server = await started({ HANG_TIMEOUT: '1' });
    await get(server, '/busy');
    await server.says(/was blocked/);
    const blocked = server.out.slice(server.out.indexOf('worker')).replace('busy', 'report');
    expectShape(blocked, block('docs/supervision.md#a-hang:2'));
    expectShape(blocked, block('docs/troubleshooting.md#slow-answers'));
    await hold(server, '/report');
    await hold(server, '/report');
    await dies(server, () => hold(server, '/report?year=2026'));
    expectShape(server.err, block('docs/supervision.md#a-hang'));
    const [line = ''] = server.err.split('\n');
    expectShape(line.replace(/ and \d+ more$/, ''), block('docs/troubleshooting.md#a-worker-hung'));
  });

  it('shows what is said of a request that kills', async () => {
    const server = await started();
    for (let deaths = 0; deaths <= POISON_DEATHS; deaths++)
      await dies(server, async () => (await Raw.open(server.port)).send(request('GET', '/poison')));
    const named = server.err.split('\n').find((line) => line.includes('it may be what kills them'));
    expectShape(named?.replace('poison', 'report') ?? '', block('docs/supervision.md#a-request-that-kills'));
  });

  it('has every way to end with the words of the code', () => {
    expect(rowsBelow(PAGE, 'what-a-worker-died-of').map(([said]) => said)).to.deep.equal(
      ENDS.map((ending) => endingText(ending)),
    );
    expect(page(PAGE)).to.include(`\`${endingText({ code: 7, holding: ['GET /report'] }).slice(6)}\``);
  });

  it('shows what is said of memory, by the arithmetic of the code', () => {
    const memory = { limitMiB: 512, heapMiB: 259 };
    const surge = { workers: 1 } as const;
    expect(workersIn(surge, 3)).to.equal(1);
    const three = shareOut(memory, 3, surge);
    const limitMiB = three.fits ? three.share.rssMiB : 0;
    expect(
      text({ notice: 'memory shared out', sharing: three }) +
        text({
          notice: 'replacing',
          of: { worker: 1, generation: 1, pid: 1579 },
          why: 'memory share',
          passed: { usedMiB: 120, limitMiB },
        }),
    ).to.equal(block('docs/supervision.md#memory'));
    const four = shareOut(memory, 4, surge);
    expect(text({ notice: 'memory shared out', sharing: four })).to.equal(
      block('docs/supervision.md#memory:2'),
    );
  });

  it('has a command that takes a heap, for its owner alone', async () => {
    const server = await started();
    const { code, out } = await shop.shows(block('docs/supervision.md#what-fills-a-heap'), {
      PORT: String(server.port),
    });
    expect(code, out).to.equal(0);
    const [, file = ''] = /wrote (\S+):/.exec(out) ?? [];
    expect(statSync(join(shop.folder, file)).mode & 0o777).to.equal(0o600);
    expect(JSON.parse(shop.read(file))).to.include.keys('snapshot', 'nodes', 'edges');
  });

  it('has the times and counts of the code', () => {
    const steps = [0, 1, 2, 3, 4, 5, 6, 7].map((failures) => backoffMs(failures, 0.5) / 1000);
    expect(steps).to.deep.equal([0, 0.5, 1, 2, 4, 8, 15, 15]);
    expect([backoffMs(6, 0), backoffMs(6, 1)]).to.deep.equal([12_000, 18_000]);
    for (const said of [
      'after 0.5, 1, 2, 4, 8 and 15 s (each ± 20 %)',
      `${PROVEN_AFTER_MS / 1000} s without a crash`,
      `${CRASH_LOOP_BOOTS} workers in a row`,
      `up to ${EXITING_MS / 1000} s (\`DRAIN_TIMEOUT\``,
      `*armed* for ${ARMED_MS === 600_000 ? 'ten' : ARMED_MS} minutes`,
      `when ${POISON_DEATHS === 2 ? 'two' : POISON_DEATHS} workers died within ${POISON_MS === 600_000 ? 'ten' : POISON_MS} minutes`,
      `below ${LEAST_SHARE_MIB} MiB`,
      `called again after ${LEAD_AGAIN_MS === 1000 ? 'a second' : LEAD_AGAIN_MS}`,
      `\`HANG_TIMEOUT\`, ${DEFAULTS.HANG_TIMEOUT} s if you say nothing`,
      `\`SLOW_TURN\`, ${DEFAULTS.SLOW_TURN === '0.5' ? 'half a second' : DEFAULTS.SLOW_TURN} if you say nothing`,
    ])
      expect(page(PAGE)).to.include(said);
  });
});
