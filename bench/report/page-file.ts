// Where the page is written: with the rest of what is built.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.ts';
import type { Result } from '../result.ts';
import { page } from './page.ts';

const PAGE = 'build/bench-report.html';

/** Writes the page; returns its path from the repository's folder. */
export function writePage(results: readonly Result[]): string {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  writeFileSync(join(ROOT, PAGE), page(results));
  return PAGE;
}
