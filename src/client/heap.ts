// The command that takes a snapshot of a worker's heap: writes what comes into a file of its own, or nothing.

import { PROBLEM_TRAILER } from '../control/heap.ts';
import { PID_HEADER, WORKER_HEADER } from '../control/profile.ts';
import type { Control } from './connection.ts';
import { defaultName, writeNew } from './new-file.ts';
import type { Terminal } from './terminal.ts';
import { shown } from './text.ts';

/** Whose heap is wanted, whether also where memory is short, and into which file: `-` is stdout. */
export interface HeapWanted {
  readonly worker: number | undefined;
  readonly force: boolean;
  readonly file: string | undefined;
}

/** Takes a snapshot; rejects with why there is none, and leaves no file then. */
export async function takeHeap(
  control: Control,
  { worker, force, file = defaultName(new Date(), 'heapsnapshot') }: HeapWanted,
  terminal: Terminal,
): Promise<void> {
  const which = worker === undefined ? '' : `&worker=${worker}`;
  await writeNew(file, terminal, async (say, write) => {
    const coming = await control.stream(`/heap?force=${force}${which}`);
    const { [WORKER_HEADER]: slot, [PID_HEADER]: pid } = coming.headers;
    say(`taking the heap of worker ${shown(slot)} (pid ${shown(pid)}) when another serves in its place\n`);
    await write(coming).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ECONNRESET' ? new Error('the server went away before it was whole') : error;
    });
    const problem = coming.trailers[PROBLEM_TRAILER];
    if (problem !== undefined) throw new Error(problem);
  });
  if (file !== '-') terminal.out(`wrote ${file}: load it in the Memory panel of Chrome DevTools\n`);
}
