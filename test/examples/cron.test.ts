// The example with a job: it runs in one worker at a time, and soon again, over reloads and the death of the worker that ran it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Example, Examples } from '../helpers/example.ts';
import { eventually } from '../helpers/server.ts';

/** Between the end of one run and the next there may be this pause, and no leader for so long. */
const PAUSE_MS = 50;
const NO_LEADER_MS = 3000;

interface Note {
  readonly at: number;
  readonly what: string;
  readonly pid: number;
  readonly generation: number;
}

describe('the example cron', function () {
  this.timeout(60_000);
  let examples: Examples;
  let example: Example;
  before(async () => {
    examples = new Examples();
    example = await examples.install('cron');
  });
  after(() => examples.remove());

  /** What the job has noted; nothing before its first run. */
  const notes = (): Note[] => {
    let text = '';
    try {
      text = readFileSync(join(example.folder, 'job.log'), 'utf8');
    } catch {
      return [];
    }
    return [...text.matchAll(/^(\S+) (begins|ends) (\d+) of generation (\d+)$/gm)].map(
      ([, at = '', what = '', pid, generation]) => ({
        at: Date.parse(at),
        what,
        pid: Number(pid),
        generation: Number(generation),
      }),
    );
  };
  const runsOf = (generation: number): Promise<void> =>
    eventually(
      () => notes().filter((note) => note.generation === generation && note.what === 'ends').length > 2,
      `runs of generation ${generation}`,
    );

  it('runs its job in one worker at a time, and in the new generation once the old one has ended its run', async () => {
    const server = await example.serve({ WEB_CONCURRENCY: '3', PAUSE_MS: String(PAUSE_MS) });
    await runsOf(1);
    for (const generation of [2, 3]) {
      await example.reload(server);
      await runsOf(generation);
    }
    await example.stop(server);

    const all = notes();
    const began = all.filter((_, i) => i % 2 === 0);
    const ended = all.filter((_, i) => i % 2 === 1);
    expect(began.map(({ what }) => what)).to.deep.equal(began.map(() => 'begins'));
    expect(ended.map(({ what, pid }) => [what, pid])).to.deep.equal(began.map(({ pid }) => ['ends', pid]));
    const leaders = began.map(({ pid }) => pid).filter((pid, i, pids) => pid !== pids[i - 1]);
    expect(leaders).to.have.length(3);
    const gaps = began.slice(1).map(({ at }, i) => at - (ended[i]?.at ?? 0));
    expect(Math.max(...gaps)).to.be.below(PAUSE_MS + NO_LEADER_MS);
    expect(server.err).to.equal('');
  });

  it('goes on in another worker when the one that ran it has been killed', async () => {
    const server = await example.serve({ PAUSE_MS: String(PAUSE_MS) });
    const before = notes().length;
    await eventually(() => notes().length > before, 'the job runs');
    const leader = notes().at(-1)?.pid ?? 0;
    expect(server.pids()).to.include(leader);
    process.kill(leader, 'SIGKILL');
    await eventually(
      () =>
        notes()
          .slice(before)
          .some(({ pid }) => pid !== leader),
      'the job runs in another worker',
    );
    await example.stop(server);
  });
});
