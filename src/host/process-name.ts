// Tells a process from a later one with the same pid, and whether it still runs.

import { readFileSync } from 'node:fs';
import type { ProcessName } from '../core/succession.ts';

/** How often is looked whether a process has gone, ms. */
const LOOK_MS = 100;

/** The process that has this pid now. */
export const processName = (pid: number): ProcessName => ({ pid, started: startOf(pid)?.started ?? '' });

/** Whether it still runs; one that has ended and waits for its parent to notice does not. */
export function runs({ pid, started }: ProcessName): boolean {
  if (!exists(pid)) return false;
  const now = startOf(pid);
  return now === undefined || (now.started === started && !'ZX'.includes(now.state));
}

/** Sends it a signal, unless it has gone. */
export function signal(name: ProcessName, kind: NodeJS.Signals): void {
  try {
    if (runs(name)) process.kill(name.pid, kind);
  } catch {
    // It has gone between the two.
  }
}

/** Resolves when it has gone. */
export const ended = (name: ProcessName): Promise<void> =>
  new Promise((resolve) => {
    const look = setInterval(() => {
      if (runs(name)) return;
      clearInterval(look);
      resolve();
    }, LOOK_MS);
  });

/** Whether there is a process with this pid. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** State and time of start from /proc; undefined where there is none. A name in parentheses may hold anything. */
function startOf(pid: number): { state: string; started: string } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
