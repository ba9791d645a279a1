// A file of its own for what a command fetches: for the user alone, whole or not there at all.

import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Terminal } from './terminal.ts';

/** Where what is fetched goes: chunk by chunk, no faster than it is taken. */
export type Write = (coming: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Has `take` write into the file, or with `-` to stdout; what it says goes to the other of the two. Rejects with why there
 * is no file. One that is there already is not written over.
 */
export async function writeNew(
  file: string,
  terminal: Terminal,
  take: (say: Terminal['out'], write: Write) => Promise<void>,
): Promise<void> {
  if (file === '-') return take(terminal.err, (coming) => terminal.pour(coming));
  // Nobody else's to read: it has the app's names and paths, and maybe its data.
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new Error(`${file} is there already`) : error;
  });
  try {
    await take(terminal.out, (coming) => pipeline(Readable.from(coming), handle.createWriteStream()));
  } catch (error) {
    await handle.close();
    rmSync(file, { force: true });
    throw error;
  }
}

/** `hello-server-2026-11-28T10-40-12.cpuprofile`. */
export const defaultName = (now: Date, extension: string): string =>
  `hello-server-${now.toISOString().slice(0, 19).replaceAll(':', '-')}.${extension}`;
