import { expect } from 'chai';
import { statusIn, type ToldStatus } from '../../src/client/answers.ts';
import { type Room, statusPage } from '../../src/client/status-table.ts';
import { page, widthOf } from '../../src/client/text.ts';
import type { Status } from '../../src/control/status.ts';
import { exits, extreme, status, totals, worker, workers } from './made-up.ts';

const shown = (told: ToldStatus, room?: Room): string => page(statusPage(told, room), 100, false);
const lines = (told: ToldStatus, room?: Room): string[] => shown(told, room).trimEnd().split('\n');
/** The cells of the lines of workers, which the columns' headings end above. */
const rows = (told: ToldStatus): string[][] => {
  const all = lines(told);
  const first = all.findIndex((line) => /^ *worker/.test(line)) + 1;
  return all
    .slice(first)
    .filter((line) => /^ *\d+ +\d+ /.test(line))
    .map((line) => line.trim().split(/ +/));
};

describe('the page of a status', () => {
  it('says who serves what since when, whether it is ready, how much it does, and one line a worker', () => {
    expect(shown(status())).to.equal(
      [
        'hello-server 1.0.0 running on port 3000: 2 of 2 workers ready, generation 1, up 1m25s',
        'ready for traffic, pid 1563, Node v20.20.2, app /srv/app/report.js',
        '625 requests/s  p50 1.2ms  p99 13ms  0 5xx/s  6 in flight  42 connections  143 MiB',
        '',
        '                                                          in          loop     heap  rss  restarts,',
        'worker   pid  gen  stage  uptime  req/s   p99  5xx/s  flight  conns  delay      MiB  MiB  last exit',
        '     0  1578    1  ready   1m23s    312  13ms      0       3     21  2.3ms  18/4144   71  0',
        '     1  1579    1  ready   1m23s    312  13ms      0       3     21  2.3ms  18/4144   71  0',
        '',
      ].join('\n'),
    );
  });

  for (const [what, told] of [
    ['two healthy workers', status()],
    ['512 workers with the largest figures and the longest texts', extreme()],
    ['a last exit of some length', status({ workers: workers(2, { lastExit: 'cannot fork: '.repeat(9) }) })],
    [
      'texts in a wide script',
      status({ app: '報'.repeat(99), workers: workers(1, { lastExit: '告'.repeat(99) }) }),
    ],
  ] as const) {
    it(`is never wider than 100 columns: ${what}`, () => {
      expect(lines(told).every((line) => widthOf(line) <= 100)).to.equal(true);
      // Of a worker only the last exit is cut.
      expect(rows(told).map((cells) => Number(cells[12]?.split('/')[0]))).to.deep.equal(
        told.workers.map(({ rss }) => Math.round(rss ?? 0)),
      );
      expect(lines(told)[0]).to.include(' workers ready, generation ');
    });
  }

  it('cuts a long last exit with …, and an app from the left', () => {
    const [row] = lines(
      status({ workers: [worker(0, { restarts: 2, lastExit: `code ${'1'.repeat(99)}` })] }),
    ).slice(-1);
    expect(row)
      .to.match(/ 2 code 1+…$/)
      .and.to.have.length(100);
    const [, second] = lines(status({ app: `/srv/${'x'.repeat(99)}/app.js` }));
    expect(second)
      .to.match(/, app …x+\/app\.js$/)
      .and.to.have.length(100);
  });

  it('says why it is not ready, all of it', () => {
    const reason = `worker 0 is unwell: ${'the database is away, '.repeat(9)}that is why`;
    const all = lines(status({ health: { live: true, ready: false, reason } }));
    expect(all.slice(1).join(' ')).to.include(`not ready: ${reason} pid 1563`);
    expect(all.join('\n')).not.to.include('ready for traffic');
    expect(lines(status({ health: { live: false, ready: false, reason: 'it hangs' } }))[1]).to.equal(
      'not alive: it hangs',
    );
  });

  it('says what can be rolled back to, for how long, and what that costs', () => {
    const previous = { generation: 6, left: 592.4, workers: 2, rss: 141.6 };
    expect(lines(status({ previous }))[3]).to.equal('rollback to generation 6 for 9m52s: 2 workers, 142 MiB');
    expect(shown(status())).not.to.include('rollback');
  });

  it('names what has gone wrong so far, once there is any', () => {
    expect(shown(status())).not.to.include('so far');
    const told = status({
      totals: totals({
        logLinesDropped: 7,
        exits: exits({ asked: 9, crashed: 2 }),
        reloads: { done: 3, abandoned: 1 },
      }),
    });
    expect(lines(told)[3]).to.equal('so far:  2 restarts  1 reload abandoned  7 log lines dropped');
    const died = status({
      totals: totals({ exits: exits({ crashed: 1, killed: 2, 'out of memory': 3, hung: 4 }), poison: 1 }),
    });
    expect(lines(died)[3]).to.equal(
      'so far:  10 restarts  4 of them hung  3 of them out of memory  1 poison request',
    );
  });

  it("has the app's reason below a worker that is unwell", () => {
    const all = lines(status({ workers: [worker(0, { unwell: 'no database' }), worker(1)] }));
    expect(all[6]).to.match(/^ +0 +1578 /);
    expect(all[7]).to.equal('        unwell: no database');
    expect(all[8]).to.match(/^ +1 +1579 /);
  });

  it('has why the one before a worker ended below it, where more is known than how', () => {
    const lastExit = 'SIGKILL, the kernel killed for memory (rss 310 of 512 MiB), working on GET /a';
    const all = lines(status({ workers: [worker(0, { restarts: 1, lastExit }), worker(1)] }));
    expect(all[6]).to.match(/^ +0 +1578 .* 1 SIGKILL$/);
    expect(all[7]).to.equal(`        last exit: ${lastExit}`);
    expect(all[8]).to.match(/^ +1 +1579 /);
    expect(shown(status({ workers: [worker(0, { restarts: 1, lastExit: 'code 1' })] }))).not.to.include(
      'last exit:',
    );
  });

  it('marks a loop that is late and a heap that is full with !, not by their colour alone', () => {
    const told = status({ workers: [worker(0, { eventLoopDelay: 240, heapUsed: 3900 }), worker(1)] });
    expect(rows(told).map((cells) => [cells[10], cells[11]])).to.deep.equal([
      ['240ms!', '3900/4144!'],
      ['2.3ms', '18/4144'],
    ]);
  });

  it('says 0 of a heap limit nothing, and - of what is not known', () => {
    const unknown = {
      inFlight: null,
      connections: null,
      eventLoopDelay: null,
      rss: null,
      heapUsed: null,
      heapLimit: null,
      requestsPerSecond: null,
      errorsPerSecond: null,
      latencyP99: null,
    };
    expect(rows(status({ workers: [worker(0, unknown)] }))[0]?.slice(5, 13)).to.deep.equal(
      Array(8).fill('-'),
    );
    expect(shown(status({ workers: [worker(0, { heapLimit: 0 })] }))).to.include(' 18/0 ');
  });

  it('ends with the five newest events and their age', () => {
    const events: Status['events'] = Array.from({ length: 9 }, (_, i) => ({
      ago: 50 * i,
      level: i === 1 ? ('error' as const) : ('info' as const),
      text: `event ${i}`,
    }));
    expect(lines(status({ events })).slice(-6)).to.deep.equal([
      '',
      '   0s ago  info   event 0',
      '  50s ago  error  event 1',
      '1m40s ago  info   event 2',
      '2m30s ago  info   event 3',
      '3m20s ago  info   event 4',
    ]);
  });

  it('lets no text from outside steer the terminal', () => {
    const evil = '\u001b[2J\u0007\u202e\u009b31m\r\n';
    const all = shown(
      status({
        version: evil,
        node: evil,
        host: evil,
        app: evil,
        health: { live: true, ready: false, reason: evil },
        workers: [worker(0, { lastExit: evil, unwell: evil, stage: evil as 'ready' })],
        events: [{ ago: 1, level: evil as 'info', text: evil }],
      }),
    );
    expect(all).to.match(/^[\x20-\x7e\n…]*$/);
    expect(all).to.include('\\x1b[2J');
    expect(all).to.include('\\u{202e}');
  });

  it('of an older server has - for what it does not tell', () => {
    const { totals: _t, now: _n, health: _h, events: _e, ...old } = status();
    const few = old.workers.map(
      ({ pid, generation, stage, uptime, inFlight, connections, eventLoopDelay, rss }) => ({
        slot: 0,
        ...{
          pid,
          generation,
          stage,
          uptime,
          inFlight,
          connections,
          eventLoopDelay,
          rss,
          restarts: 1,
          lastExit: null,
        },
      }),
    );
    const told = statusIn({ ...old, workers: few });
    expect(lines(told).slice(0, 4)).to.deep.equal([
      'hello-server 1.0.0 running on port 3000: 2 of 2 workers ready, generation 1, up 1m25s',
      'pid 1563, Node v20.20.2, app /srv/app/report.js',
      'so far:  2 restarts',
      '',
    ]);
    expect(rows(told)[0]?.join(' ')).to.equal('0 1578 1 ready 1m23s - - - 3 21 2.3ms - 71 1');
  });

  describe('where the height is limited', () => {
    const events = Array.from({ length: 5 }, () => ({ ago: 1, level: 'info' as const, text: 'reloaded' }));

    it('fits, and says how many more workers there are, and that they are not well', () => {
      const told = status({
        workers: [...workers(60), worker(60, { stage: 'booting' }), worker(61, { unwell: 'ill' })],
        events,
      });
      const all = lines(told, { rows: 24 });
      expect(all).to.have.length(24);
      expect(all[17]).to.equal('… 51 more workers, 1 of them not ready, 1 of them unwell');
      expect(all.slice(18)).to.deep.equal(['', ...Array(5).fill('1s ago  info   reloaded')]);
    });

    it('shows fewer events before it has fewer than six lines of workers', () => {
      const all = lines(status({ workers: workers(60), events }), { rows: 14 });
      expect(all).to.have.length(14);
      expect(all.slice(-3)).to.deep.equal(['… 55 more workers', '', '1s ago  info   reloaded']);
      expect(lines(status({ workers: workers(60), events }), { rows: 13 }).at(-1)).to.equal(
        '… 54 more workers',
      );
    });

    for (const height of [1, 2, 5, 7, 8, 24, 600]) {
      it(`has no more lines than ${height}`, () => {
        expect(statusPage(status({ workers: workers(100), events }), { rows: height }).length).to.be.at.most(
          height,
        );
        expect(statusPage(extreme(), { rows: height, columns: 40 }).length).to.be.at.most(height);
      });
    }
  });
});
