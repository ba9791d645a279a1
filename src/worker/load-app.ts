// Loads the app's module anew, and says in one line what is wrong with one that cannot be used.

import { pathToFileURL } from 'node:url';
import type { BootFailure } from '../core/protocol.ts';
import { type App, asApp } from '../http/app.ts';

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
    const kind = error instanceof SyntaxError ? 'does not parse: ' : '';
    throw new BootError(`${path}: ${kind}${inOneLine(error)}`, error);
  }
  const app = asApp(exports);
  if (typeof app === 'string') throw new BootError(`${path}: ${app}`);
  return app;
}
