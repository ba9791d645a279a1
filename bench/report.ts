// npm run bench:report [-- --quick]: the page, README.md's block and its picture from the results that are kept.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePage } from './report/page-file.ts';
import { PICTURE, picture, withBlock } from './report/readme.ts';
import { folderOf, load } from './results.ts';
import { ROOT } from './subjects.ts';

function main(args: readonly string[]): void {
  const other = args.find((arg) => arg !== '--quick');
  if (other !== undefined) {
    console.error(`expected --quick or nothing, got \`${other}\``);
    process.exit(2);
  }
  const quick = args.length > 0;
  const results = load(folderOf(quick));
  console.log(writePage(results));
  // Quick results are for looking at: README.md shows none.
  if (quick) return;
  const readme = join(ROOT, 'README.md');
  writeFileSync(readme, withBlock(readFileSync(readme, 'utf8'), results));
  console.log('README.md');
  const svg = picture(results);
  if (svg === undefined) return;
  writeFileSync(join(ROOT, PICTURE), svg);
  console.log(PICTURE);
}

main(process.argv.slice(2));
