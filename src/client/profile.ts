// The command that profiles a worker: writes what comes into a file of its own, or nothing.

import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { PID_HEADER, WORKER_HEADER } from '../control/profile.ts';
import type { Control } from './connection.ts';
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
  { worker, seconds, file = defaultName(new Date()) }: ProfileWanted,
  terminal: Terminal,
): Promise<void> {
  const which = worker === undefined ? '' : `&worker=${worker}`;
  const take = async (
    say: Terminal['out'],
    write: (coming: IncomingMessage) => Promise<void>,
  ): Promise<void> => {
    const coming = await control.stream(`/profile?seconds=${seconds}${which}`);
    const { [WORKER_HEADER]: slot, [PID_HEADER]: pid } = coming.headers;
    say(`profiling worker ${shown(slot)} (pid ${shown(pid)}) for ${seconds} s\n`);
    await write(coming).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ECONNRESET' ? new Error('the worker went away before it was whole') : error;
    });
  };
  if (file === '-') {
    await take(terminal.err, async (coming) => {
      for await (const chunk of coming.setEncoding('utf8')) terminal.out(chunk);
    });
    return;
  }
  // Nobody else's to read: a profile has the app's names and paths. A file that is there already is not written over.
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new Error(`${file} is there already`) : error;
  });
  try {
    await take(terminal.out, (coming) => pipeline(coming, handle.createWriteStream()));
  } catch (error) {
    await handle.close();
    rmSync(file, { force: true });
    throw error;
  }
  terminal.out(`wrote ${file}: open it in Chrome DevTools, or in VS Code\n`);
}

/** `hello-server-2026-11-28T10-40-12.cpuprofile`. */
const defaultName = (now: Date): string =>
  `hello-server-${now.toISOString().slice(0, 19).replaceAll(':', '-')}.cpuprofile`;
