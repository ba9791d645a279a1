// What a running primary says of itself over the control socket: the stable form behind `status --json`.
// Rates and quantiles are those of the last five to ten seconds; figures are null as long as they are not known.

import type { ExitReason } from '../core/ending.ts';

/** One worker. Fields that are not known yet are null. */
export interface WorkerStatus {
  /** The worker's number, 0 to wanted - 1; `slot` is the same. */
  readonly worker: number;
  readonly slot: number;
  readonly pid: number;
  readonly generation: number;
  readonly stage: 'booting' | 'ready' | 'standby' | 'rejoining' | 'draining';
  /** Seconds since the fork. */
  readonly uptime: number;
  /** Requests answered. */
  readonly requests: number | null;
  readonly inFlight: number | null;
  readonly connections: number | null;
  /** WebSockets and event streams among them. */
  readonly longLived: number | null;
  /** How late the event loop was at most since the last beat but one, ms; and half and 99 % of the time. */
  readonly eventLoopDelay: number | null;
  readonly eventLoopDelayP50: number | null;
  readonly eventLoopDelayP99: number | null;
  /** The share of time that the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number | null;
  /** Resident memory, and V8's heap with its limit, MiB. */
  readonly rss: number | null;
  readonly heapUsed: number | null;
  readonly heapLimit: number | null;
  /** How much resident memory it may have before it is recycled, MiB; null = nothing was derived from a limit. */
  readonly memoryShare: number | null;
  /** The share of a processor that it takes, 0 to 1 and above with threads; and of its time that goes into garbage collection. */
  readonly cpu: number | null;
  readonly gc: number | null;
  readonly requestsPerSecond: number | null;
  /** Answers with a 5xx a second. */
  readonly errorsPerSecond: number | null;
  /** Time to the end of the answer, ms. */
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
  /** Why it is unwell: in the app's own words, or that it does not respond; null = it is well. */
  readonly unwell: string | null;
  /** How often this slot's worker ended unasked since the primary began. */
  readonly restarts: number;
  /** How it ended last and why, as far as that is known: `SIGSEGV, native crash, working on GET /report`, or `code 1`. */
  readonly lastExit: string | null;
}

export interface Status {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** Seconds since the primary began. */
  readonly uptime: number;
  readonly state: 'starting' | 'running' | 'reloading' | 'upgrading' | 'stopping';
  readonly port: number;
  readonly host: string | null;
  /** Path of the app as typed; null = Hello. */
  readonly app: string | null;
  /** The generation that new workers belong to. */
  readonly generation: number;
  /** Workers wanted. */
  readonly wanted: number;
  readonly reload: ReloadStatus | null;
  /** The generation that stands by for a rollback. */
  readonly previous: PreviousStatus | null;
  readonly workers: readonly WorkerStatus[];
  readonly totals: Totals;
  readonly now: Now;
  readonly health: Health;
  /** What has happened last, the newest first. */
  readonly events: readonly Happened[];
}

/** Figures of the whole fleet since the primary began, workers that have gone included. They only grow. */
export interface Totals {
  readonly requests: number;
  /** Answers by class of their status. */
  readonly answers: Readonly<Record<'2xx' | '3xx' | '4xx' | '5xx' | 'other', number>>;
  /** Answers that hello-server gave in the app's place, by status; they count among the answers too. */
  readonly refused: Readonly<Record<'400' | '408' | '431', number>>;
  /** Requests in which the app threw or rejected; and whose client left before its answer was whole. */
  readonly failed: number;
  readonly left: number;
  /** Listeners that ran longer than SLOW_TURN in one piece. */
  readonly slowTurns: number;
  /** Connections accepted, upgraded, and cut by a drain at its deadline. */
  readonly accepted: number;
  readonly upgraded: number;
  readonly cut: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly logLinesDropped: number;
  /** Ends of workers, by reason. */
  readonly exits: Readonly<Record<ExitReason, number>>;
  /** Requests that were named because workers died that held them: each at most once in ten minutes. */
  readonly poison: number;
  readonly reloads: Readonly<Record<'done' | 'abandoned', number>>;
}

/** Figures of the whole fleet now. */
export interface Now {
  readonly inFlight: number;
  readonly connections: number;
  readonly longLived: number;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
  /** The latest event loop of all. */
  readonly eventLoopDelay: number | null;
  /** Resident memory of all workers, MiB; the primary's own is beside it. */
  readonly rss: number;
  readonly primaryRss: number;
}

/** Something that happened: a line of the log, without its time. */
export interface Happened {
  /** Seconds ago. */
  readonly ago: number;
  readonly level: 'info' | 'warn' | 'error' | 'fatal';
  readonly text: string;
}

/** What a reload does: it is `replacing` workers, its `canary` serves alone, or all new ones are `settling`. */
export type ReloadPhase = 'replacing' | 'canary' | 'settling';

/** A reload under way. */
export interface ReloadStatus {
  readonly from: number;
  readonly to: number;
  /** Seconds since it began. */
  readonly age: number;
  readonly phase: ReloadPhase;
  /** Requests that the new generation has answered; null = not counted yet. */
  readonly asked: number | null;
}

/** A replaced generation that stands by for a rollback, with what that costs. */
export interface PreviousStatus {
  readonly generation: number;
  /** Seconds until it goes. */
  readonly left: number;
  readonly workers: number;
  /** What they hold, MiB; null = not known yet. */
  readonly rss: number | null;
}

/** Whether the fleet lives, and whether it is ready for traffic, with the reason in words. */
export interface Health {
  readonly live: boolean;
  readonly ready: boolean;
  /** Such as `2 of 2 workers ready`, or why it is not ready. */
  readonly reason: string;
}

/** The last minutes, second by second, the newest last. */
export interface History {
  /** Seconds from one point to the next. */
  readonly step: number;
  /** Each as long as the others; null where nothing was measured. */
  readonly series: Readonly<Record<SeriesName, readonly (number | null)[]>>;
}

/** One point of the history has all of these; times in ms, memory in MiB. */
export const SERIES = [
  'requestsPerSecond',
  'errorsPerSecond',
  'latencyP50',
  'latencyP99',
  'eventLoopDelay',
  'rss',
  'inFlight',
  'connections',
] as const;
export type SeriesName = (typeof SERIES)[number];

/** One line of the answer to `/reload`, `/scale` and `/stop`: what happens, and at the end how it ended. */
export type Progress =
  | { readonly text: string }
  | { readonly ok: boolean; readonly result: string }
  /** The last of an upgrade: this generation will answer at the same place, served by the process with this pid. */
  | { readonly follow: number; readonly pid: number };

/** A request that is being answered. */
export interface RequestInFlight {
  readonly worker: number;
  readonly generation: number;
  readonly pid: number;
  /** Seconds since it came. */
  readonly age: number;
  readonly method: string;
  /** The target, cut to 200 characters. */
  readonly target: string;
  /** The client's address; null = it has gone. */
  readonly client: string | null;
}

/** The requests in flight, the longest first. */
export interface Top {
  /** How many there are; no more than 100 of them are told. */
  readonly total: number;
  readonly requests: readonly RequestInFlight[];
  /** Workers that did not answer in time: they hang, or are busy. */
  readonly silent: readonly { readonly worker: number; readonly pid: number }[];
}
