// Where the app called process.exit(): read from the stack at that moment.

import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Deeper than any way from an app's call to where it is noticed. */
const MOST_FRAMES = 50;
/** Node's own exit on the stack: what stands below it called it. */
const NODES_EXIT = /^\s+at process\.(?:exit|reallyExit) \(node:internal\//;
/** `at run (file:///srv/app/jobs.js:17:3)`, `at /srv/app/jobs.cjs:17:3`; a path may have parentheses in it. */
const FRAME = /^\s+at (?:.* \()?((?:file:\/\/)?\/.*?):(\d+):\d+\)?$/;

/**
 * The place of the nearest frame below `callee` that is in a file, as `file:line`, the path relative to the working
 * directory where it is below it; undefined where there is none.
 */
export const placeBelow = (callee: (...args: never[]) => unknown): string | undefined =>
  placeIn(stackBelow(callee));

/** The place that called Node's own exit, which has led here; undefined where nothing of that is on the stack. */
export function placeOfNodesExit(): string | undefined {
  const stack = stackBelow(placeOfNodesExit);
  const exit = stack.findLastIndex((line) => NODES_EXIT.test(line));
  return exit === -1 ? undefined : placeIn(stack.slice(exit + 1));
}

/** The place of the first of these lines of a stack that names a file. */
export function placeIn(stack: readonly string[], folder = workingDirectory()): string | undefined {
  for (const frame of stack) {
    const [, file, line] = FRAME.exec(frame) ?? [];
    if (file === undefined) continue;
    const path = pathOf(file);
    const below = folder === undefined ? path : relative(folder, path);
    return `${below === '..' || below.startsWith(`..${sep}`) ? path : below}:${line}`;
  }
  return undefined;
}

function stackBelow(callee: (...args: never[]) => unknown): string[] {
  const { stackTraceLimit } = Error;
  try {
    const holder: { stack?: unknown } = {};
    Error.stackTraceLimit = MOST_FRAMES;
    Error.captureStackTrace(holder, callee);
    // An app may have put anything into the place of what makes the text.
    return typeof holder.stack === 'string' ? holder.stack.split('\n') : [];
  } catch {
    return [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function pathOf(file: string): string {
  try {
    return file.startsWith('file:') ? fileURLToPath(file) : file;
  } catch {
    return file;
  }
}

function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // it has been removed
  }
}
