// Shows the lines of a developer's code where an error is.

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** So many lines are shown before and after the one with the error. */
const AROUND = 2;

interface Place {
  readonly file: string;
  /** Both from 1 on. */
  readonly line: number;
  readonly column: number;
}

/** Node puts the place that does not parse above the error, and points at it unless it is the end; esbuild counts columns from 0. */
const NODE = /^((?:file:\/\/)?\/.*):(\d+)(?:\n(?:.*\n)*?([ \t]*)\^|$|\n)/;
const ESBUILD = /^(\/.*):(\d+):(\d+): ERROR: /;
const FRAME = /^ +at (?:async )?(?:.* \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/gm;

/**
 * What an error shows to a developer: the code around its place, then its stack, unless that says no more than the place.
 * The place is where the code does not parse, or the topmost function of the project in the stack. The stack alone where
 * there is no such place.
 * @param isOwn whether a file is the developer's, not one of a package
 * @param root the folder that paths are shown from
 */
export function withCode(stack: string, isOwn: (file: string) => boolean, root: string): string {
  const unparsed =
    placeOf(NODE.exec(stack), ({ length }) => length + 1) ??
    placeOf(ESBUILD.exec(stack), (text) => Number(text) + 1);
  const ran = [...stack.matchAll(FRAME)].map((frame) => placeOf(frame, Number));
  const place = unparsed ?? ran.find((at) => at && isOwn(at.file));
  const code = place && codeAt(place, root);
  if (code === undefined) return stack;
  return unparsed ? code : `${code}\n${stack}`;
}

function placeOf(found: RegExpExecArray | null, columnOf: (text: string) => number): Place | undefined {
  const [, path, line, column = ''] = found ?? [];
  if (path === undefined) return undefined;
  const file = path.startsWith('file:') ? fileURLToPath(path) : path;
  return { file, line: Number(line), column: columnOf(column) };
}

function codeAt({ file, line, column }: Place, root: string): string | undefined {
  const lines = linesOf(file);
  // What a last line break ends is no line, unless it is where code is missing.
  if (lines.at(-1) === '' && line < lines.length) lines.pop();
  const first = Math.max(1, line - AROUND);
  const last = Math.min(lines.length, line + AROUND);
  if (line > last) return undefined;
  const width = String(last).length;
  const shown = [`${relative(root, file)}:${line}:${column}`];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] ?? '';
    const margin = String(number).padStart(width);
    shown.push(`${number === line ? '>' : ' '} ${margin} | ${widened(text)}`.trimEnd());
    const before = ' '.repeat(widened(text.slice(0, column - 1)).length);
    if (number === line) shown.push(`  ${' '.repeat(width)} | ${before}^`);
  }
  return shown.join('\n');
}

/** Tabs do not come through the log. */
const widened = (text: string): string => text.replaceAll('\t', '  ');

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}
