// What is made of the bench's results: tables, JSON, page, and the block of README.md.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { chart, standalone } from '../../bench/report/chart.ts';
import { page } from '../../bench/report/page.ts';
import { PICTURE, withBlock } from '../../bench/report/readme.ts';
import { markdownTable, shown, tableOf, terminalTable } from '../../bench/report/table.ts';
import type { Comparison } from '../../bench/result.ts';
import { folderOf, toText } from '../../bench/results.ts';
import { ROOT } from '../helpers/server.ts';
import { madeUp } from './made-up.ts';

const REPORT = join(ROOT, 'build', 'bench', 'report.js');

const comparison: Comparison = {
  title: 'one process',
  metrics: ['requestsPerSecond', 'p99Ms'],
  baseline: 'bare',
  ratios: ['requestsPerSecond'],
  plot: 'requestsPerSecond',
  rows: [
    { subject: 'bare', rounds: { requestsPerSecond: [20_000, 10_000, 30_000], p99Ms: [1.5] } },
    { subject: 'hello-server', rounds: { requestsPerSecond: [22_000, 12_000, 30_000] } },
    { subject: 'nginx', rounds: {}, note: 'not on the PATH: nginx' },
  ],
};

describe("the bench's tables", () => {
  it('show figures, and ratios with their least and greatest round', () => {
    expect(terminalTable(tableOf(comparison)).split('\n')).to.deep.equal([
      'subject       requests/s  p99 ms      requests/s ×',
      'bare              20 000    1.50              1.00',
      'hello-server      22 000       -  1.10 (1.00–1.20)',
      'nginx         not on the PATH: nginx',
    ]);
  });

  it('are Markdown whose rows all have as many cells as its head', () => {
    expect(markdownTable(tableOf(comparison)).split('\n')).to.deep.equal([
      '| subject | requests/s | p99 ms | requests/s × |',
      '|---|---|---|---|',
      '| bare | 20 000 | 1.50 | 1.00 |',
      '| hello-server | 22 000 | - | 1.10 (1.00–1.20) |',
      '| nginx | not on the PATH: nginx |  |  |',
    ]);
  });

  it('set thousands apart from five digits on', () => {
    expect([shown(1234, 0), shown(12_345.678, 1), shown(1_234_567, 0), shown(undefined, 2)]).to.deep.equal([
      '1234',
      '12 345.7',
      '1 234 567',
      '-',
    ]);
  });
});

describe("the bench's JSON", () => {
  it('is read back as it was, each list of rounds in one line', () => {
    const [result] = madeUp();
    if (!result) throw new Error('expected a result');
    const text = toText(result);
    expect(JSON.parse(text)).to.deep.equal(result);
    expect(text).to.match(/": \[11\.5, 10, 13\],?$/m);
  });

  it('says nothing of where it was measured but the machine', () => {
    const folder = folderOf(false);
    const files = existsSync(folder) ? readdirSync(folder) : [];
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
    for (const text of texts) expect(text).to.not.match(/"\/|[ =]\/(?:home|root|tmp|usr|opt|var)\//);
    for (const text of texts) expect(text).to.not.include(`"${hostname()}"`);
  });
});

describe("the bench's pictures", () => {
  it('are the same each time, and say in words what they show', () => {
    const svg = chart(comparison, 'x') ?? '';
    expect(chart(comparison, 'x')).to.equal(svg);
    expect(svg)
      .to.include('<title id="x-title">one process: requests/s</title>')
      .and.to.include('<desc id="x-desc">bare: 20 000; hello-server: 22 000</desc>')
      .and.to.include('aria-labelledby="x-title x-desc"');
    expect(standalone(svg)).to.match(/prefers-color-scheme:dark.*<\/style><\/svg>\n$/s);
  });

  it('are none without a figure', () => {
    expect(chart({ ...comparison, plot: 'lost' }, 'x')).to.equal(undefined);
  });
});

describe("the bench's page", () => {
  it('has all results, their words escaped, and asks for nothing', () => {
    const text = page(madeUp());
    for (const { question, asks } of madeUp()) {
      expect(text).to.include(`<section id="${question}">`).and.to.include(`<h2>${asks}</h2>`);
    }
    expect(text)
      .to.include('A &lt;CPU&gt;')
      .and.to.include('r.end(&#39;x&#39;) &amp; more')
      .and.to.include('not on the PATH: nobody');
    expect(text).to.not.match(/<script|<link|<img|src=|@import|url\(/);
  });
});

describe("README.md's block of results", () => {
  it('and its picture are what `npm run bench:report` writes from the results that are kept', () => {
    // In a process of its own: Plot draws half a pixel off where there is an `it`, as its own tests have.
    const { status, stderr } = spawnSync(process.execPath, [REPORT, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });

  it('has what was measured on, losses, picture, costs and targets; nothing around it changes', () => {
    const text = withBlock('before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n', madeUp());
    expect(text)
      .to.match(/^before\n<!-- bench -->\n/)
      .and.to.match(/\n<!-- \/bench -->\nafter\n$/)
      .and.to.include('Measured on 2026-11-23: A <CPU>, 2 cores, 4 GiB, Linux 6.1, Node v20.20.2.')
      .and.to.include('`reload`, ')
      .and.to.include('`keep-alive`, several processes:')
      .and.to.include(`](${PICTURE})`)
      .and.to.include('| target | bound | result |');
    expect(text).to.not.include('old');
    expect(withBlock(text, madeUp())).to.equal(text);
  });

  it('needs its marks', () => {
    expect(() => withBlock('nothing', [])).to.throw(
      'expected <!-- bench --> and <!-- /bench --> in README.md',
    );
  });
});
