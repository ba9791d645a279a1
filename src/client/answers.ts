// What a server answers, of this version or an older one: what it has at least, and what may be missing.

import type { Status, Top, WorkerStatus } from '../control/status.ts';

type Old =
  | 'pid'
  | 'generation'
  | 'stage'
  | 'uptime'
  | 'inFlight'
  | 'connections'
  | 'eventLoopDelay'
  | 'rss'
  | 'restarts'
  | 'lastExit';

/** One worker; what this version has added may be missing. */
export type ToldWorker = Pick<WorkerStatus, Old> & Partial<Omit<WorkerStatus, Old>>;

type Added = 'totals' | 'now' | 'health' | 'events' | 'reload' | 'previous';

/** The status; what this version has added may be missing. */
export interface ToldStatus extends Omit<Status, Added | 'workers'>, Partial<Pick<Status, Added>> {
  readonly workers: readonly ToldWorker[];
}

/** The status that was answered; throws where it is none. */
export function statusIn(answer: unknown): ToldStatus {
  if (!isObject(answer) || !isList(answer.workers)) throw new Error('expected a status, got something else');
  return answer as unknown as ToldStatus;
}

/** The requests in flight that were answered; throws where they are none. */
export function topIn(answer: unknown): Top {
  if (!isObject(answer) || !isList(answer.requests) || !isList(answer.silent))
    throw new Error('expected requests in flight, got something else');
  return answer as unknown as Top;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isList = (value: unknown): boolean => Array.isArray(value) && value.every(isObject);
