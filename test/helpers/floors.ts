// The floors of the house: which folders of src/ stand on which, and the imports that are really there.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { ROOT } from './server.ts';

const SRC = join(ROOT, 'src');

/** Parts of processes that know nothing of each other: none of them imports from another. */
export const PROCESSES: readonly string[] = ['primary', 'worker', 'client', 'fleet', 'dev', 'init'];

/** The floor of each folder, 0 being the ground; `.` is what stands in src/ itself. Imports go down, or stay in their folder. */
export const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  log: 1,
  host: 2,
  http: 2,
  control: 2,
  primary: 3,
  worker: 3,
  client: 3,
  fleet: 3,
  dev: 3,
  init: 3,
  page: 3,
  '.': 4,
};

/** All source files, by their paths from src/. */
export const files: readonly string[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'));

export const textOf = (file: string): string => readFileSync(join(SRC, file), 'utf8');

/** What a file imports or exports from, type imports and `import()` included. */
export function importsOf(file: string): string[] {
  const statements =
    /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g;
  return [...textOf(file).matchAll(statements)].map(([, named, dynamic]) => named ?? dynamic ?? '');
}

/** The folder of a file; `.` for one that stands in src/ itself. */
export const folderOf = (file: string): string => posix.dirname(file).split('/')[0] ?? '.';

export interface Import {
  readonly file: string;
  readonly from: string;
  /** The imported file below src; undefined for a package or a module of Node. */
  readonly to: string | undefined;
}

export const imports: readonly Import[] = files.flatMap((file) =>
  importsOf(file).map((from) => ({
    file,
    from,
    to: from.startsWith('.')
      ? relative(SRC, join(SRC, dirname(file), from)).replaceAll('\\', '/')
      : undefined,
  })),
);
