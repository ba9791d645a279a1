// The terminal that this process was started from: whether there is one, and how to end when it has gone.

import { closeSync, constants, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/** The descriptors that are a terminal. One that has gone does not say any more that it was one. */
const TERMINALS = [0, 1, 2].filter((fd) => isatty(fd));

/** Whether this process has a controlling terminal: a HUP after that is gone means that the window was closed. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

/** Node restores the terminal's settings at its end, and aborts where it cannot: not if the descriptors are closed. */
export function closeTerminal(): void {
  for (const fd of TERMINALS) closeSync(fd);
}
