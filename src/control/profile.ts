// The route of a profile on the control socket: what is asked for, and the profile as it comes.

import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { WorkerName } from '../core/notices.ts';

/** The longest profile, s. */
export const MOST_SECONDS = 300;
export const DEFAULT_SECONDS = 10;

/** The headers that say who is profiled. */
export const WORKER_HEADER = 'hello-server-worker';
export const PID_HEADER = 'hello-server-pid';

/** A profile under way. */
export interface Profiling {
  /** The profile, when it has been taken. */
  readonly output: Readable;
  /** Resolves with whether there is one. */
  readonly ended: Promise<boolean>;
  readonly cancel: () => void;
}

/** What is asked for. */
export interface Asked {
  /** Its slot; undefined = the busiest. */
  readonly worker: number | undefined;
  readonly seconds: number;
}

/** A profile that has begun. */
export interface Begun {
  readonly of: WorkerName;
  readonly profiling: Profiling;
}

/** The seconds of a profile as the command and the route accept them; undefined for anything else. */
export const parseSeconds = (text: string): number | undefined =>
  /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST_SECONDS ? Number(text) : undefined;

/** A slot as they accept it. */
export const parseSlot = (text: string): number | undefined =>
  /^\d{1,3}$/.test(text) ? Number(text) : undefined;

/** What the query of the route asks for; a text that says what is wrong with it. */
export function askedIn(query: URLSearchParams | undefined): Asked | string {
  const [slot, time] = [query?.get('worker') ?? undefined, query?.get('seconds') ?? String(DEFAULT_SECONDS)];
  const worker = slot === undefined ? undefined : parseSlot(slot);
  if (slot !== undefined && worker === undefined)
    return `expected worker to be the number of a slot, got \`${slot}\``;
  const seconds = parseSeconds(time);
  if (seconds === undefined)
    return `expected seconds to be an integer from 1 to ${MOST_SECONDS}, got \`${time}\``;
  return { worker, seconds };
}

/** Sends a profile as it comes. One that is not whole ends with its connection, and so does one that nobody waits for. */
export function sendProfile(res: ServerResponse, { of, profiling }: Begun): void {
  const { output, ended, cancel } = profiling;
  if (res.destroyed) cancel();
  else res.once('close', cancel);
  res.writeHead(200, {
    'Content-Type': 'application/json',
    [WORKER_HEADER]: String(of.worker),
    [PID_HEADER]: String(of.pid),
  });
  res.flushHeaders();
  output.on('error', () => res.destroy());
  output.pipe(res, { end: false });
  void ended.then((isWhole) => (isWhole ? res.end() : res.destroy()));
}
