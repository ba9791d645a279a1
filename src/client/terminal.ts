// Where a command writes: what this process's stdout is, how large, whether in colours, and when nobody reads it any more.

import { pipeline } from 'node:stream/promises';
import { CANNOT_SERVE } from '../core/exit-codes.ts';

/** A terminal's size in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Results go to `out`, what went wrong to `err`; one call is one line or more. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Writes all that comes to `out`, no faster than it is read. */
  readonly pour: (coming: AsyncIterable<Uint8Array>) => Promise<void>;
  readonly colours: boolean;
  /** Whether what stands there can be written over; false for a pipe, a file, and a terminal that only prints. */
  readonly redraws: boolean;
  /** undefined = it is no terminal. */
  readonly size: () => Size | undefined;
  /** Calls back whenever the size has changed. */
  readonly onResize: (callback: () => void) => void;
  /**
   * From the call on, Ctrl-C and TERM abort the signal instead of ending the process, and so does a reader that has gone.
   * Before a Ctrl-Z stops the process, `pausing` is called.
   */
  readonly untilInterrupted: (pausing: () => void) => AbortSignal;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** This process's terminal. */
export function ownTerminal(env: Environment, { stdout, stderr } = process): Terminal {
  const ended = new AbortController();
  // A reader that has gone is no failure: whoever repeats itself ends, and a command that works on something goes on.
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    ended.abort();
    if (code === 'EPIPE') return;
    stderr.write(`cannot write: ${code}\n`);
    process.exit(CANNOT_SERVE);
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    pour: (coming) => pipeline(coming, stdout, { end: false }),
    colours: wantsColours(env, stdout.isTTY === true),
    redraws: stdout.isTTY === true && env.TERM !== 'dumb',
    // A terminal that does not know its size says 0.
    size: () => (stdout.isTTY ? { columns: stdout.columns || 80, rows: stdout.rows || 24 } : undefined),
    onResize: (callback) => void stdout.on('resize', callback),
    untilInterrupted: (pausing) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ended.abort());
      process.on('SIGTSTP', () => {
        pausing();
        process.kill(process.pid, 'SIGSTOP');
      });
      return ended.signal;
    },
  };
}

/** Whether to write in colours: FORCE_COLOR decides, then NO_COLOR, then what the terminal is. */
export function wantsColours({ FORCE_COLOR, NO_COLOR, TERM }: Environment, isTerminal: boolean): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTerminal && !NO_COLOR && TERM !== 'dumb';
}
