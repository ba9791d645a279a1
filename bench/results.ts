// Results as files: one JSON per question.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './paths.ts';
import { QUESTIONS } from './questions.ts';
import type { Machine, Result } from './result.ts';

/** Where results are kept: those of quick runs apart, so that they never take the place of the others. */
export const folderOf = (quick: boolean): string =>
  quick ? join(ROOT, 'build', 'bench-results') : join(ROOT, 'bench', 'results');

/** Writes a result. */
export function save(result: Result): void {
  const folder = folderOf(result.quick);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.question}.json`), toText(result));
}

/** JSON whose lists of numbers stand in a line each. */
export const toText = (result: Result): string =>
  `${JSON.stringify(result, null, 2).replace(/\[[\d\s.,e+-]+\]/g, (list) => list.replace(/\s+/g, ' ').replace(/\[ | \]/g, (edge) => edge.trim()))}\n`;

/** Reads all results of a folder, in the order of the questions. */
export function load(folder: string): Result[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder);
  return QUESTIONS.map(({ name }) => `${name}.json`)
    .filter((file) => files.includes(file))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

/** This machine, without its name. */
export const machine = (): Machine => ({
  cpu: (cpus()[0]?.model ?? 'unknown').trim(),
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: `${type()} ${release()}`,
});
