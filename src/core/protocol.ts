// What primary and workers say to each other over the IPC channel, and how a worker is told what it is.

import type { Config } from './config.ts';

/** A worker's environment variable that carries its {@link Assignment} as JSON. */
export const ASSIGNMENT_VARIABLE = 'HELLO_SERVER_WORKER';

/** What a worker is told when it is forked. */
export interface Assignment {
  readonly slot: number;
  readonly generation: number;
  /** Version of the primary, which the worker's own must equal. */
  readonly version: string;
  /** Absolute path of the app's module as typed, symbolic links unresolved; undefined = Hello. */
  readonly app: string | undefined;
  /** Whether to wait for the listening socket, which the primary holds; else this worker makes it. */
  readonly held: boolean;
  /** The listening socket as inherited by the primary (socket activation): a file descriptor. */
  readonly fd: number | undefined;
  /** Port to listen on; with `held` or `fd` the socket says which. */
  readonly port: number;
  readonly config: Config;
}

/** Why a worker drains; also the `reason` of the abort signal that an app's `ready` is given. */
export type DrainReason = 'stop' | 'replace';

export type ToWorker =
  /** The fleet was asked to stop: fail health checks, go on accepting; with `linger` close each connection with its answer. */
  | { readonly type: 'stopping'; readonly linger: boolean }
  /** Leave the rotation: accept no more, keep open connections; with `linger` close each with its next answer. */
  | { readonly type: 'leave'; readonly linger: boolean }
  /** The listening socket comes with this message. */
  | { readonly type: 'socket' }
  /** Back into the rotation, the socket comes along: the reload that replaced this worker was abandoned. */
  | { readonly type: 'rejoin' }
  /** Finish what is open within `graceMs`, then exit. */
  | { readonly type: 'drain'; readonly why: DrainReason; readonly graceMs: number };

/** Why a worker asks to be replaced. */
export type ReplaceReason = 'TERM' | 'fatal error' | 'MAX_REQUESTS' | 'MAX_MEMORY';

/** Why a worker could not boot. */
export interface BootFailure {
  /** One line: what failed and why. */
  readonly reason: string;
  /** The error's stack, where the error is the app's own. */
  readonly stack?: string | undefined;
}

/** A worker's figures, sent with every beat. */
export interface Stats {
  /** Requests answered so far. */
  readonly requests: number;
  readonly inFlight: number;
  readonly connections: number;
  /** How late the beat was, ms. */
  readonly loopDelayMs: number;
  readonly rssMiB: number;
}

export type FromWorker =
  /** It listens to the channel from now on; what was sent before would be lost. */
  | { readonly type: 'hello' }
  /** It serves; one that made the listening socket sends it along, for the primary to hold. */
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly failure: BootFailure }
  | { readonly type: 'beat'; readonly stats: Stats }
  | { readonly type: 'left' }
  | { readonly type: 'replace'; readonly why: ReplaceReason };

const FROM_WORKER = new Set(['hello', 'ready', 'failed', 'beat', 'left', 'replace']);
const TO_WORKER = new Set(['socket', 'stopping', 'leave', 'rejoin', 'drain']);

/** The name of the symbol under which a worker keeps the function that lists the requests it holds. */
export const HOLDING = 'hello-server.holding';

/** The mark of our messages: others, such as pm2's, may use the same channel. */
const MARK = 'hello-server';

/** Wraps a message for the channel. */
export const seal = (message: FromWorker | ToWorker): Record<string, unknown> => ({ [MARK]: message });

const open = (raw: unknown, types: ReadonlySet<string>): unknown => {
  if (typeof raw !== 'object' || raw === null || !(MARK in raw)) return undefined;
  const message = raw[MARK];
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  return typeof message.type === 'string' && types.has(message.type) ? message : undefined;
};

/** The worker's message in what came over the channel; undefined for anything that is not ours. */
export const fromWorker = (raw: unknown): FromWorker | undefined =>
  open(raw, FROM_WORKER) as FromWorker | undefined;

/** The primary's message in what came over the channel; undefined for anything that is not ours. */
export const toWorker = (raw: unknown): ToWorker | undefined => open(raw, TO_WORKER) as ToWorker | undefined;
