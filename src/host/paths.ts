// Paths as they were typed, symbolic links unresolved, so that every worker resolves them anew.

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The working directory as it was typed: as the shell has it in `$PWD`, or as the beginning of one of the absolute
 * `paths` names it. One that goes through a symbolic link is preferred to the folder itself.
 */
export function workingDirectory(...paths: readonly (string | undefined)[]): string {
  const cwd = process.cwd();
  const named = [process.env.PWD, ...paths.flatMap(ancestors)].filter((path) => path && sameFile(path, cwd));
  return named.find((path) => path !== cwd) ?? cwd;
}

/** The folders above an absolute path, the nearest first. */
function ancestors(path: string | undefined): string[] {
  if (path === undefined || !isAbsolute(path) || path === '/') return [];
  const above = dirname(path);
  return [above, ...ancestors(above)];
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** The absolute path of an APP as typed, and the file that it is; in `problem` one line when there is no readable file. */
export function resolveApp(typed: string): { path: string; entry?: string; problem?: string } {
  const path = resolve(workingDirectory(), typed);
  try {
    const file = entryOf(path);
    if (file === undefined) return { path, problem: `${typed}: expected a module, got a folder` };
    accessSync(file, constants.R_OK);
    return { path, entry: file };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : code === 'EACCES' ? 'not readable' : code;
    return { path, problem: `${typed}: expected a module, got ${reason}` };
  }
}

/** The file to load for an APP: of a folder what its package.json says, or index.js; undefined where it has neither. */
export function entryOf(path: string): string | undefined {
  if (!statSync(path).isDirectory()) return path;
  try {
    return createRequire(join(path, 'package.json')).resolve(path);
  } catch {
    return undefined;
  }
}

/**
 * The file to run workers from: the one that was started, as it was typed, else `url`'s own file. npm and npx start a
 * file by its real path, also where the working directory was typed through a link: then the link is put back.
 * @param cwd the working directory as it was typed
 */
export function selfPath(url: string, cwd: string): string {
  const own = fileURLToPath(url);
  const [, started = own] = process.argv;
  const real = realpathSync(cwd);
  const candidates = [started, own].flatMap((path) =>
    path.startsWith(`${real}/`) ? [join(cwd, path.slice(real.length)), path] : [path],
  );
  return candidates.find((path) => sameFile(path, own)) ?? own;
}

/** The folder that new workers start in: what the path names now, which a deploy may have exchanged. */
export class StartFolder {
  readonly #path: string;
  readonly #gone: () => void;
  #told = false;

  /** @param gone called when there is no such folder any more, once until it is back */
  constructor(path: string, gone: () => void) {
    this.#path = path;
    this.#gone = gone;
  }

  /** The folder, or the root while there is none: a worker that is needed does not wait for it. */
  now(): string {
    const exists = isFolder(this.#path);
    if (!exists && !this.#told) this.#gone();
    this.#told = !exists;
    return exists ? this.#path : '/';
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
