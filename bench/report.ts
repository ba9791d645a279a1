// npm run bench:report [-- --quick | --check]: the page, README.md's block and its picture from the results that are kept.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePage } from './report/page-file.ts';
import { PICTURE, picture, withBlock } from './report/readme.ts';
import type { Result } from './result.ts';
import { folderOf, load } from './results.ts';
import { ROOT } from './subjects.ts';

/** What is written beside the page, by path; nothing by `undefined`. */
function filesOf(results: readonly Result[]): [path: string, text: string | undefined][] {
  return [
    ['README.md', withBlock(read('README.md') ?? '', results)],
    [PICTURE, picture(results)],
  ];
}

function read(path: string): string | undefined {
  const file = join(ROOT, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function main([option, ...more]: readonly string[]): void {
  if (more.length > 0 || ![undefined, '--quick', '--check'].includes(option)) {
    console.error(`expected --quick, --check or nothing, got \`${[option, ...more].join(' ')}\``);
    process.exit(2);
  }
  // Quick results are for looking at: README.md shows none.
  const files = option === '--quick' ? [] : filesOf(load(folderOf(false)));
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
