// The command that profiles a worker: writes what comes into a file of its own, or nothing.

import { PID_HEADER, WORKER_HEADER } from '../control/profile.ts';
import type { Control } from './connection.ts';
import { defaultName, writeNew } from './new-file.ts';
import type { Terminal } from './terminal.ts';
import { shown } from './text.ts';

/** What is to be profiled, for how long, and into which file: `-` is stdout. */
export interface ProfileWanted {
  readonly worker: number | undefined;
  readonly seconds: number;
  readonly file: string | undefined;
}

/** Takes a profile; rejects with why there is none, and leaves no file then. */
export async function takeProfile(
  control: Control,
  { worker, seconds, file = defaultName(new Date(), 'cpuprofile') }: ProfileWanted,
  terminal: Terminal,
): Promise<void> {
  const which = worker === undefined ? '' : `&worker=${worker}`;
  await writeNew(file, terminal, async (say, write) => {
    const coming = await control.stream(`/profile?seconds=${seconds}${which}`);
    const { [WORKER_HEADER]: slot, [PID_HEADER]: pid } = coming.headers;
    say(`profiling worker ${shown(slot)} (pid ${shown(pid)}) for ${seconds} s\n`);
    await write(coming).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ECONNRESET' ? new Error('the worker went away before it was whole') : error;
    });
  });
  if (file !== '-') terminal.out(`wrote ${file}: open it in Chrome DevTools, or in VS Code\n`);
}
