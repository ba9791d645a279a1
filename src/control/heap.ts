// The route of a heap snapshot on the control socket: what is asked for, and the snapshot as it comes.

import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { WorkerName } from '../core/notices.ts';
import { PID_HEADER, parseSlot, WORKER_HEADER } from './profile.ts';

/** The trailer that says, behind what has been sent, why it is not whole. */
export const PROBLEM_TRAILER = 'hello-server-problem';

/** What is asked for. */
export interface HeapAsked {
  /** Its slot; undefined = the one with the largest heap. */
  readonly worker: number | undefined;
  /** Whether to take it also where memory is short. */
  readonly force: boolean;
}

/** A snapshot that is being taken. */
export interface Snapshot {
  readonly output: Readable;
  /** Resolves with why it is not whole; undefined = it is. */
  readonly ended: Promise<string | undefined>;
}

/** A snapshot that will be taken when another worker has come in the place of this one. */
export interface HeapBegun {
  readonly of: WorkerName;
  /** Resolves with it, or with why there is none. */
  readonly coming: Promise<Snapshot | string>;
  /** Nobody waits for it any more. */
  readonly cancel: () => void;
}

/** What the query of the route asks for; a text that says what is wrong with it. */
export function heapAskedIn(query: URLSearchParams | undefined): HeapAsked | string {
  const slot = query?.get('worker') ?? undefined;
  const worker = slot === undefined ? undefined : parseSlot(slot);
  if (slot !== undefined && worker === undefined)
    return `expected worker to be the number of a slot, got \`${slot}\``;
  return { worker, force: query?.get('force') === 'true' };
}

/** Says whose heap it will be, and sends the snapshot as it comes, no faster than it is read. */
export async function sendHeap(res: ServerResponse, { of, coming, cancel }: HeapBegun): Promise<void> {
  if (res.destroyed) cancel();
  else res.once('close', cancel);
  res.writeHead(200, {
    'Content-Type': 'application/json',
    Trailer: PROBLEM_TRAILER,
    [WORKER_HEADER]: String(of.worker),
    [PID_HEADER]: String(of.pid),
  });
  res.flushHeaders();
  const snapshot = await coming;
  let problem: string | undefined;
  if (typeof snapshot === 'string') problem = snapshot;
  else {
    snapshot.output.on('error', () => res.destroy());
    snapshot.output.pipe(res, { end: false });
    problem = await snapshot.ended;
  }
  if (problem !== undefined) res.addTrailers({ [PROBLEM_TRAILER]: problem });
  res.end();
}
