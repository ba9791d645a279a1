// What is made of the bench's results as text: tables and JSON.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { markdownTable, shown, tableOf, terminalTable } from '../../bench/report/table.ts';
import { folderOf, toText } from '../../bench/results.ts';
import { comparison, madeUp } from './made-up.ts';

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

  it('have the version of each subject where it is known, also where a row names more than the subject', () => {
    const subjects = [
      { name: 'bare', version: 'Node 24.1.0', settings: '' },
      { name: 'hello', version: '1.0.0', settings: '' },
    ];
    const [bare] = comparison.rows;
    if (!bare) throw new Error('expected a row');
    const rows = [bare, { ...bare, subject: 'hello, far away' }, ...comparison.rows.slice(2)];
    expect(terminalTable(tableOf({ ...comparison, ratios: [], rows }, subjects)).split('\n')).to.deep.equal([
      'subject          version      requests/s  p99 ms',
      'bare             Node 24.1.0      20 000    1.50',
      'hello, far away  1.0.0            20 000    1.50',
      'nginx            not on the PATH: nginx',
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
