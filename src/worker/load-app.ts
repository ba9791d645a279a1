// Loads the app's module anew, and says in one line what is wrong with one that cannot be used.

import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BootFailure } from '../core/notices.ts';
import { entryOf } from '../host/paths.ts';
import { describeThrown } from '../log/thrown.ts';

/** How long Node may take to point at a syntax error. */
const CHECK_MS = 2000;

/** A boot that failed for a known reason. */
export class BootError extends Error {
  readonly failure: BootFailure;

  /**
   * @param stack shown below the reason
   * @param more what else is known of it
   */
  constructor(reason: string, stack?: string, more: Pick<BootFailure, 'noPort'> = {}) {
    super(reason);
    this.failure = { reason, stack, ...more };
  }
}

/** A boot that failed because the app, or Node on its behalf, threw: `where` and what was thrown. */
export function bootError(where: string, thrown: unknown): BootError {
  const { message, stack } = describeThrown(thrown);
  return new BootError(`${where}: ${message}`, stack);
}

/** The module at `path` (absolute; symbolic links are followed now), or in the package there. Throws a {@link BootError}. */
export async function loadModule(
  path: string,
  args: readonly string[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const entry = entryOf(path) ?? path;
    // The app finds itself as the file that Node was started with, in argv as in require.main.
    process.argv = [process.execPath, entry, ...args];
    const main = realpathSync(entry);
    Object.defineProperty(process, 'mainModule', { configurable: true, get: () => cache[main] });
    return await import(pathToFileURL(entry).href);
  } catch (error) {
    throw isSyntaxError(error) ? syntaxError(path, error) : (transformError(error) ?? bootError(path, error));
  }
}

const { cache } = createRequire(import.meta.url);

function isSyntaxError(error: unknown): error is SyntaxError & { readonly stack: string } {
  try {
    return error instanceof SyntaxError && typeof error.stack === 'string';
  } catch {
    return false;
  }
}

/**
 * A syntax error is one of the app's module, of a module that it imports, or of what the app has parsed itself: JSON, a
 * regular expression. Its stack tells the last one from the others, and of the others Node prints the place.
 */
function syntaxError(path: string, error: SyntaxError & { readonly stack: string }): BootError {
  const { message, stack = '' } = describeThrown(error);
  const at = (place: Place): string => `${place.file}:${place.line}`;
  const frame = placeIn(stack.split(OWN_FRAME, 1)[0] ?? '', FRAME);
  if (frame) return new BootError(`${at(frame)}: ${message}`, stack);
  const shown = placeIn(stack, FIRST_LINE) ? stack : checked(path);
  const place = placeIn(shown, FIRST_LINE);
  if (!place) return new BootError(`${path}: ${message}`, stack);
  // An import of what the other module does not export is no error of grammar.
  const parses = message.startsWith('The requested module') ? '' : 'does not parse: ';
  return new BootError(`${at(place)}: ${parses}${message}`, excerptIn(shown));
}

/** The code that Node shows and points into, up to the empty line below that. */
function excerptIn(shown: string): string {
  const end = shown.indexOf('\n\n', shown.search(POINTER));
  return end === -1 ? shown : shown.slice(0, end);
}

/** An error of esbuild's, by which a loader such as tsx compiles what it loads: it has the place, in its second line. */
function transformError(error: unknown): BootError | undefined {
  const [, shown, file, line, message] = UNTRANSFORMED.exec(describeThrown(error).stack ?? '') ?? [];
  return shown === undefined
    ? undefined
    : new BootError(`${file}:${line}: does not parse: ${message}`, shown);
}

interface Place {
  readonly file: string;
  readonly line: number;
}

/** Above the stack of an error Node puts the place that does not parse. */
const FIRST_LINE = /^((?:file:\/\/)?\/.*):(\d+)\n/;
/** Below the code Node points at what it stumbled over. */
const POINTER = /^[ \t]*\^/m;
const UNTRANSFORMED = /Transform failed with .*\n((\/.*):(\d+):\d+: ERROR: (.*))/;
/** Where the stack is as long as that: what has it loaded is no place of the app's. */
const OWN_FRAME = /^ +at (?:async )?loadModule \(/m;
/** A function of the app, or of a package, that ran: not one that waited. */
const FRAME = /^ +at (?!async )(?:.* \()?((?:file:\/\/)?\/[^()]*?):(\d+):\d+\)?$/m;

function placeIn(stack: string, pattern: RegExp): Place | undefined {
  const [, file, line] = pattern.exec(stack) ?? [];
  if (file === undefined) return undefined;
  return { file: file.startsWith('file:') ? fileURLToPath(file) : file, line: Number(line) };
}

/**
 * What Node prints where a module, or one that it imports, does not parse; such an error carries no position itself.
 * All of them are parsed before any of them runs, and the first that runs is one that ends the process.
 */
function checked(path: string): string {
  const source = `import 'data:text/javascript,process.exit(0)'; import ${JSON.stringify(pathToFileURL(path).href)};`;
  const args = [
    ...process.execArgv.filter((arg) => !arg.startsWith('--inspect')),
    '--input-type=module',
    '-e',
    source,
  ];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: CHECK_MS }).stderr ?? '';
}
