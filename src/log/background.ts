// A terminal that this process writes to from its background. Under `stty tostop` the kernel answers each such write
// with TTOU and has it made again: a process that handles the signal, as the primary does, would never be done.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether this process is in the background of its controlling terminal; where that cannot be known it is not. */
export function inBackground(readStat: () => string = readOwnStat): boolean {
  try {
    const stat = readStat();
    // The name of the program, in parentheses, may hold anything; see proc_pid_stat(5) for the fields behind it.
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(terminal) !== 0 && Number(foreground) > 0 && foreground !== group;
  } catch {
    return false;
  }
}

const readOwnStat = (): string => readFileSync('/proc/self/stat', 'latin1');

/**
 * Starts a program that passes on to the terminal what is written into the descriptor returned, which never blocks.
 * The program has a session of its own: to it the terminal is one like any other, which it may always write to. It ends
 * with this process. Returns undefined where it cannot be started.
 */
export function relayTo(terminal: number): number | undefined {
  try {
    const relay = spawn('cat', [], { detached: true, stdio: ['pipe', terminal, 'ignore'] });
    relay.on('error', () => {});
    relay.unref();
    const pipe = relay.stdin as unknown as Pipe | null;
    pipe?.on('error', () => {});
    pipe?.unref();
    return pipe?._handle?.fd;
  } catch {
    return undefined;
  }
}

/** The writable end as Node has it: with the descriptor under it. */
interface Pipe {
  readonly _handle: { readonly fd: number } | null;
  readonly on: (event: 'error', listener: () => void) => void;
  readonly unref: () => void;
}
