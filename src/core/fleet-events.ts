// The events of a fleet that runs from code: their names, and what each of them tells.

import type { LogLevel } from './config.ts';
import type { ReplaceReason, RetireReason } from './notices.ts';

/** What every event of the fleet has: the line of the log that says the same. */
export interface Told {
  readonly text: string;
}

/** One of a worker, which is known by its slot (0 to workers - 1), its generation and its pid. */
export interface OfWorker extends Told {
  readonly worker: number;
  readonly generation: number;
  readonly pid: number;
}

/** One of a whole generation, that which serves from now on or was to. */
export interface OfGeneration extends Told {
  readonly generation: number;
}

/** How a primary ended: with a code, or by a signal. */
export interface Exit {
  /** 0 = stopped as asked; null = a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** What the primary tells of its fleet, by the name of the event; times are in ms. */
export interface ToldEvents {
  /** A worker takes traffic, so long after its fork. */
  readonly ready: OfWorker & { readonly afterMs: number };
  /** A worker ended before it was ready. */
  readonly bootFailed: OfWorker & { readonly reason: string };
  /** A worker that served ended unasked. `nextMs` = its slot is forked again after so long; null = not on account of this. */
  readonly crashed: OfWorker & { readonly how: string; readonly nextMs: number | null };
  /** A worker has been silent for so long that it is killed, and what it did as far as that is known. */
  readonly hung: OfWorker & {
    readonly silentMs: number;
    /** Where it is stuck, as `name (file:line)`. */
    readonly place: string | null;
    /** The requests it holds, as `GET /path`. */
    readonly holding: readonly string[];
  };
  /** A worker is replaced on its own account. */
  readonly replacing: OfWorker & { readonly why: ReplaceReason };
  /** A worker answers what it has open, and goes. */
  readonly draining: OfWorker & { readonly why: RetireReason };
  /** The primary has killed a worker. */
  readonly killed: OfWorker & { readonly why: string };
  /** A worker that was asked to go has gone. */
  readonly gone: OfWorker & { readonly how: string };
  /** What a worker's app says of itself has changed. */
  readonly unwell: OfWorker & { readonly reason: string };
  readonly well: OfWorker;
  /** A request was being worked on in several workers that died: it may be what kills them. */
  readonly poison: Told & { readonly request: string; readonly deaths: number };
  /** Too many boots in a row did not get ready: the fleet ends. */
  readonly crashLoop: Told & { readonly boots: number };
  readonly reloading: OfGeneration;
  /** The first workers of a new generation serve alone for so long. */
  readonly canary: OfGeneration & { readonly workers: number; readonly forMs: number };
  readonly reloaded: OfGeneration & { readonly tookMs: number };
  /** A new generation is not fit to serve: the old one goes on. */
  readonly reloadAbandoned: OfGeneration & { readonly reason: string };
  /** A replaced generation stands by for a rollback. */
  readonly kept: OfGeneration & { readonly workers: number; readonly forMs: number };
  readonly rolledBack: OfGeneration & { readonly tookMs: number };
  readonly scaled: Told & { readonly from: number; readonly to: number };
  /** A stop begins; `what` asked for it: `stop`, a signal such as `SIGTERM`, or `disconnect`, the end of the caller. */
  readonly stopping: Told & { readonly what: string };
}

/** All events of a fleet, by name, each with what its listeners are given. */
export interface FleetEvents extends ToldEvents {
  /** Everything that the primary has to say, as a line of its log, whatever LOG_LEVEL lets into the log. */
  readonly notice: Told & { readonly level: Exclude<LogLevel, 'silent'> };
  /** So many notices were left out, with their events, as this process did not read them in time. */
  readonly missed: { readonly notices: number };
  /** The primary has ended; in a stop no worker is left then. */
  readonly closed: Exit;
}

/** One event with what it tells. */
export type ToldEvent = {
  readonly [E in keyof ToldEvents]: { readonly name: E; readonly data: Omit<ToldEvents[E], 'text'> };
}[keyof ToldEvents];
