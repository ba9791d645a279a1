// Writes notices as log output: plain lines, or pino's json.

import { createRequire } from 'node:module';
import { LOG_LEVELS, type LogLevel } from '../core/config.ts';
import type { Notice } from '../core/notices.ts';
import { type Line, lineOf } from './wording.ts';

/** Where finished output goes: `out` for what is expected, `err` for errors. Each call is one or more whole lines. */
export interface Output {
  readonly out: (lines: string) => void;
  readonly err: (lines: string) => void;
}

/** Logs one notice, if the level lets it through. */
export type Log = (notice: Notice) => void;

const rank = (level: LogLevel): number => LOG_LEVELS.indexOf(level);

/** Whether a logger at `level` writes lines of the level `line`. */
export const isLogged = (level: LogLevel, line: LogLevel): boolean => rank(line) >= rank(level);

/**
 * A log of notices. In text a line is its sentence, the stack indented below it; in json it is pino's, with
 * `bindings` on every line. Errors go to `output.err`, all else to `output.out`.
 */
export function createLog(
  format: 'text' | 'json',
  level: LogLevel,
  output: Output,
  bindings: Readonly<Record<string, unknown>>,
): Log {
  const write = lineWriter(format, level, output, bindings);
  return (notice) => write(lineOf(notice));
}

/** What writes lines that are worded already, if the level lets them through. */
export function lineWriter(
  format: 'text' | 'json',
  level: LogLevel,
  output: Output,
  bindings: Readonly<Record<string, unknown>>,
): (line: Line) => void {
  const write = format === 'json' ? jsonWriter(level, output, bindings) : textWriter(output);
  return (line) => {
    if (isLogged(level, line.level)) write(line);
  };
}

/** The line, in the format, that says how many lines were dropped for a reader that stalled. */
export function droppedLine(
  format: 'text' | 'json',
  lines: number,
  bindings: Readonly<Record<string, unknown>> = {},
): string {
  const { level, text, data } = lineOf({ notice: 'dropped', lines });
  if (format === 'text') return `${text}\n`;
  const head = { level, time: new Date().toISOString(), pid: process.pid };
  return `${JSON.stringify({ ...head, ...bindings, ...data, msg: text })}\n`;
}

const target = (output: Output, level: LogLevel): ((lines: string) => void) =>
  isLogged('error', level) ? output.err : output.out;

const textWriter = (output: Output) => (line: Line) => {
  const stack = line.stack ? `\n${line.stack}` : '';
  target(output, line.level)(`${clean(line.text + stack)}\n`);
};

function jsonWriter(level: LogLevel, output: Output, bindings: Readonly<Record<string, unknown>>) {
  // Loaded only where it is used: it costs a start about 50 ms.
  // Required rather than imported: through a symbolic link Node 22 imports an empty module at times.
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  let write = output.out;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (lines: string) => write(lines.replace(CONTROLS, escaped)) },
  );
  return (line: Line) => {
    write = target(output, line.level);
    // The pid of a line about a worker is the worker's: it takes the place of ours, which pino's own base could not.
    const fields = { pid: process.pid, ...bindings, ...line.data };
    logger[line.level]({ ...fields, ...(line.stack && { err: { stack: line.stack } }) }, line.text);
  };
}

/** Control characters within lines; JSON leaves those from DEL on raw. */
const CONTROLS = /(?!\n)\p{Cc}/gu;
const escaped = (char: string): string => `\\u00${char.charCodeAt(0).toString(16)}`;

/** Control characters escaped and continuation lines indented, so that no text can pass for a line of its own. */
const clean = (text: string): string =>
  text
    .replace(/\r?\n/g, '\n    ')
    .replace(CONTROLS, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
