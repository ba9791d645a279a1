// Loads the app's module anew, and says in one line what is wrong with one that cannot be used.

import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import type { BootFailure } from '../core/protocol.ts';
import { type App, asApp } from '../http/app.ts';

/** How long Node may take to point at a syntax error. */
const CHECK_MS = 2000;

/** A boot that failed for a known reason. */
export class BootError extends Error {
  readonly failure: BootFailure;

  constructor(reason: string, cause?: unknown) {
    super(reason);
    const stack = cause instanceof Error ? cause.stack : undefined;
    this.failure = { reason, stack };
  }
}

/** What an error says, in one line. */
export const inOneLine = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] || 'no reason given';
};

/** The app at `path` (absolute; symbolic links are followed now). Throws a {@link BootError}. */
export async function loadApp(path: string): Promise<App> {
  let exports: Record<string, unknown>;
  try {
    exports = await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw doesNotParse(path, error);
    throw new BootError(`${path}: ${inOneLine(error)}`, error);
  }
  const app = asApp(exports);
  if (typeof app === 'string') throw new BootError(`${path}: ${app}`);
  return app;
}

/** A syntax error carries no position; `node --check` prints it, with the line itself. */
function doesNotParse(path: string, error: SyntaxError): BootError {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: CHECK_MS });
  const [, line] = /:(\d+)\n/.exec(stderr ?? '') ?? [];
  const shown = Object.assign(new Error(), { stack: line ? stderr.split('\n\n', 1)[0] : error.stack });
  return new BootError(`${path}${line ? `:${line}` : ''}: does not parse: ${inOneLine(error)}`, shown);
}
