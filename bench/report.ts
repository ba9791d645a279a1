// npm run bench:report [-- --quick | --check]: the page, the block of docs/benchmarks.md and README.md's picture from the results that are kept.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.ts';
import { filesOf, MANUAL } from './report/manual.ts';
import { writePage } from './report/page-file.ts';
import { folderOf, load } from './results.ts';

function read(path: string): string | undefined {
  const file = join(ROOT, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function main([option, ...more]: readonly string[]): void {
  if (more.length > 0 || ![undefined, '--quick', '--check'].includes(option)) {
    console.error(`expected --quick, --check or nothing, got \`${[option, ...more].join(' ')}\``);
    process.exit(2);
  }
  // Quick results are for looking at: the manual shows none.
  const files = option === '--quick' ? [] : filesOf(read(MANUAL) ?? '', load(folderOf(false)));
  if (option === '--check') {
    const other = files.filter(([path, text]) => read(path) !== text);
    for (const [path] of other) console.error(`${path}: expected what npm run bench:report writes`);
    process.exit(other.length > 0 ? 1 : 0);
  }
  console.log(writePage(load(folderOf(option === '--quick'))));
  for (const [path, text] of files) {
    if (text === undefined) continue;
    writeFileSync(join(ROOT, path), text);
    console.log(path);
  }
}

main(process.argv.slice(2));
