// docs/benchmarks.md and README.md's picture: they are what is made of the kept results, and its commands are the bench's.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from '../../bench/arguments.ts';
import { picture } from '../../bench/report/loss-picture.ts';
import { filesOf, MANUAL, withBlock } from '../../bench/report/manual.ts';
import type { Result } from '../../bench/result.ts';
import { folderOf, load } from '../../bench/results.ts';
import { block, page } from '../helpers/manual.ts';
import { ROOT } from '../helpers/server.ts';
import { madeUp } from './made-up.ts';

/** Results with the losses of three systems in 10 reloads each. */
function losses(): Result[] {
  const row = (subject: string, ok: number[], lost: number[]) => ({
    subject,
    rounds: { reloads: [5, 5], ok, lost },
  });
  const rows = [
    row('hello-server, 2 workers', [100_000, 109_790], [0, 0]),
    row('nginx, 2 workers', [30_000, 35_867], [30, 4]),
    row('pm2 cluster, 2 workers', [1000, 1000], [50, 18]),
  ];
  const [reload, ...others] = madeUp();
  if (reload?.question !== 'reload') throw new Error('expected the question reload first');
  const comparison = { title: 'requests lost', metrics: [], ratios: [], plot: 'lost', rows } as const;
  const subjects = rows.map(({ subject }) => ({ name: subject, version: '1.2.3', settings: '' }));
  return [{ ...reload, subjects, comparisons: [comparison] }, ...others];
}

describe('docs/benchmarks.md', () => {
  it('and the picture are what `npm run bench:report` writes from the results that are kept', () => {
    const kept = (path: string): string | undefined => {
      const file = join(ROOT, path);
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    };
    const files = filesOf(page(MANUAL), load(folderOf(false)));
    const others = files.filter(([path, text]) => kept(path) !== text).map(([path]) => path);
    expect(others, 'written otherwise by npm run bench:report').to.deep.equal([]);
  });

  it('has the machine and the Node once, losses, picture, costs and targets; nothing around them changes', () => {
    const text = withBlock('before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n', losses());
    expect(text)
      .to.match(/^before\n<!-- bench -->\n/)
      .and.to.match(/\n<!-- \/bench -->\nafter\n$/)
      .and.to.include('Measured on 2026-11-23 on A <CPU>, 2 cores, 4 GiB, Linux 6.1.')
      .and.to.include('| hello-server, 2 workers | 1.2.3 |')
      .and.to.include('`keep-alive`, several processes:')
      .and.to.include('](reload-loss.svg)')
      .and.to.include('| target | bound | result |');
    expect(text).to.not.include('old');
    expect(text.split('A <CPU>')).to.have.length(2);
    expect(text.split('20.20.2')).to.have.length(2);
    expect(withBlock(text, losses())).to.equal(text);
  });

  it('names the questions that were measured otherwise', () => {
    const [first, second, ...others] = losses();
    if (!first || !second) throw new Error('expected results');
    const other = { ...second, node: 'v26.1.0', date: '2026-11-25T00:00:00.000Z' };
    const text = withBlock('<!-- bench --><!-- /bench -->', [first, other, ...others]);
    expect(text)
      .to.include(`Node 20.20.2; Node 26.1.0 (\`${second.question}\`)`)
      .and.to.include('from 2026-11-23 to 2026-11-25');
  });

  it('has Node 24 first, also where more was measured on another', () => {
    const [first, ...others] = losses();
    if (!first) throw new Error('expected results');
    const text = withBlock('<!-- bench --><!-- /bench -->', [{ ...first, node: 'v24.1.0' }, ...others]);
    expect(text).to.include('ran on Node 24.1.0; Node 20.20.2 (`keep-alive`, ');
  });

  it('needs its marks', () => {
    expect(() => withBlock('nothing', [])).to.throw(
      'expected <!-- bench --> and <!-- /bench --> in docs/benchmarks.md',
    );
  });

  it('shows commands that the bench takes', () => {
    const text = block('docs/benchmarks.md#run-them');
    const questions = [...page(MANUAL).matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name = '']) => name);
    const commands = text
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +#.*$/, ''));
    const asked = commands.filter((line) => /^npm run bench( |$)/.test(line));
    expect([...asked, 'npm run bench:report']).to.have.members(commands);
    for (const command of asked) {
      const [, words = ''] = /^npm run bench(?: -- (.+))?$/.exec(command) ?? [];
      expect(parse(words.split(' ').filter(Boolean), questions), command).to.be.an('object');
    }
  });
});

describe('the picture of losses', () => {
  const svg = picture(losses()) ?? '';

  it('has a bar for each system that lost requests, its length by their number, and none for a zero', () => {
    const bars = [...svg.matchAll(/<rect class="(\w+)" x="\d+" y="\d+" width="([\d.]+)"/g)];
    expect(bars.map(([, kind]) => kind)).to.deep.equal(['peer', 'peer']);
    const [pm2 = 0, nginx = 0] = bars.map(([, , width]) => Number(width));
    expect(nginx / pm2).to.be.closeTo(34 / 68, 0.01);
  });

  it('says how many were lost of how many, in how many reloads, by which version, where', () => {
    const words = svg.replace(/<[^>]+>/g, '');
    expect(words)
      .to.include('0 of 209 790 requests')
      .and.to.include('34 of 65 901 requests')
      .and.to.include('10 reloads of each system')
      .and.to.include('nginx 1.2.3')
      .and.to.include('A &lt;CPU&gt;, 2 cores')
      .and.to.include('Node 20.20.2');
  });

  it('is the same each time, says in words what it shows, and knows light and dark', () => {
    expect(picture(losses())).to.equal(svg);
    expect(svg)
      .to.include('<desc id="desc">hello-server 1.2.3: 0 of 209 790 requests; pm2 1.2.3: 68 of 2068 requests')
      .and.to.include('prefers-color-scheme:dark');
  });

  it('is none where the reloads were not measured', () => {
    expect(picture([])).to.equal(undefined);
  });
});
