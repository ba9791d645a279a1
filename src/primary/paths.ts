// Paths as they were typed, symbolic links unresolved, so that every worker resolves them anew.

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The working directory as the shell spells it, where that names the same folder. */
function workingDirectory(): string {
  const cwd = process.cwd();
  const typed = process.env.PWD;
  return typed && sameFile(typed, cwd) ? typed : cwd;
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** The absolute path of an APP as typed; in `problem` one line when there is no readable file. */
export function resolveApp(typed: string): { path: string; problem?: string } {
  const path = resolve(workingDirectory(), typed);
  try {
    if (!statSync(path).isFile()) return { path, problem: `${typed}: expected a module, got a folder` };
    accessSync(path, constants.R_OK);
    return { path };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : code === 'EACCES' ? 'not readable' : code;
    return { path, problem: `${typed}: expected a module, got ${reason}` };
  }
}

/** The file to run workers from: the one that was started, as it was typed, else `url`'s own file. */
export function selfPath(url: string): string {
  const own = fileURLToPath(url);
  const started = process.argv[1];
  if (started === undefined) return own;
  const typed = resolve(workingDirectory(), process.argv[1] ?? '');
  for (const candidate of [typed, started]) if (sameFile(candidate, own)) return candidate;
  return own;
}
