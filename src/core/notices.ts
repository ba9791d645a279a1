// Everything the product has to say, as data: notices for the log, and outcomes for whoever gave a command.
// No text stands here; src/log/wording.ts words each of them, once.

import type { LongDuration, Variable } from './config.ts';
import type { Ending } from './ending.ts';
import type { StopSignal } from './exit-codes.ts';
import type { Sharing } from './memory-share.ts';
import type { Program } from './succession.ts';
import type { Verdict } from './verdict.ts';

/** A worker as every notice names it: by its slot, its generation and its pid. */
export interface WorkerName {
  readonly worker: number;
  readonly generation: number;
  readonly pid: number;
}

/** Why a worker asks to be replaced; `disconnected` = the app closed, or wanted to close, its channel to the primary; `exit called` = it called Node's exit. */
export const REPLACE_REASONS = [
  'TERM',
  'fatal error',
  'disconnected',
  'exit called',
  'MAX_REQUESTS',
  'MAX_MEMORY',
  'memory share',
  'heap limit',
] as const;
/** Why a worker is replaced on its own account; for `heap snapshot` only the primary can ask. */
export type ReplaceReason = (typeof REPLACE_REASONS)[number] | 'heap snapshot';

/** Whether it is memory that a worker has passed a limit of. */
export const isMemory = (why: ReplaceReason): boolean =>
  why === 'MAX_MEMORY' || why === 'memory share' || why === 'heap limit';

/** What a worker used when it passed a limit, and the limit, MiB. */
export interface Passed {
  readonly usedMiB: number;
  readonly limitMiB: number;
}

/** Why a worker leaves the rotation for good. */
export type RetireReason =
  | ReplaceReason
  | 'replaced'
  | 'reload abandoned'
  | 'rolled back'
  | 'scaled down'
  /** Another primary's fleet serves in its place. */
  | 'succeeded';

/** Why the primary kills a worker. */
export type KillReason =
  | { readonly why: 'not ready' | 'not back'; readonly withinMs: number }
  | { readonly why: 'second signal'; readonly signal: StopSignal }
  | { readonly why: 'not drained' | 'hung' | 'not wanted' | 'cannot serve' | 'no grace' };

/** Why a worker could not boot, in its own words. */
export interface BootFailure {
  /** One line: what failed and why. */
  readonly reason: string;
  /** The error's stack, where the error is the app's own. */
  readonly stack?: string | undefined;
  /** Whether it is the port that cannot be had: no other version of the app would boot either. */
  readonly noPort?: boolean;
}

/** Why a generation, or one worker of it, is not fit to serve. */
export type Fault =
  | { readonly fault: 'failed'; readonly failure: BootFailure }
  | { readonly fault: 'killed'; readonly of: WorkerName; readonly kill: KillReason }
  | { readonly fault: 'ended'; readonly of: WorkerName; readonly ending: Ending }
  | { readonly fault: 'crashed'; readonly of: WorkerName; readonly ending: Ending }
  /** The environment that it was to bring cannot be read. */
  | { readonly fault: 'environment'; readonly errors: readonly string[] }
  /** Its traffic speaks against it. */
  | {
      readonly fault: 'judged';
      readonly from: number;
      readonly to: number;
      readonly verdict: Extract<Verdict, { verdict: 'bad' }>;
    }
  /** It asked for its replacement soon after it was ready. */
  | { readonly fault: 'in doubt'; readonly of: WorkerName; readonly why: ReplaceReason };

/** One thing to log; times in ms. */
export type Notice =
  | { readonly notice: 'listening' | 'visit'; readonly port: number }
  | { readonly notice: 'received'; readonly what: string }
  | { readonly notice: 'closed' }
  | { readonly notice: 'cut short'; readonly signal: StopSignal }
  | { readonly notice: 'ready'; readonly of: WorkerName; readonly afterMs: number }
  | { readonly notice: 'boot failed'; readonly of: WorkerName; readonly fault: Fault }
  | { readonly notice: 'cannot serve'; readonly fault: Fault }
  | { readonly notice: 'crash loop'; readonly boots: number }
  | {
      readonly notice: 'crashed' | 'gone';
      readonly of: WorkerName;
      readonly ending: Ending;
      readonly uptimeMs: number;
      /** When the slot is forked again; undefined = not on account of this. */
      readonly nextMs?: number | undefined;
    }
  /** The same request was held when several workers died: it may be what kills them. */
  | {
      readonly notice: 'poison';
      /** As `GET /path`, without a query. */
      readonly request: string;
      readonly deaths: number;
      readonly withinMs: number;
    }
  | { readonly notice: 'interrupted'; readonly of: WorkerName; readonly ending: Ending }
  | {
      readonly notice: 'replacing';
      readonly of: WorkerName;
      readonly why: ReplaceReason;
      readonly passed?: Passed | undefined;
    }
  | {
      readonly notice: 'recycled early';
      readonly of: WorkerName;
      readonly why: ReplaceReason;
      readonly passed?: Passed | undefined;
      readonly uptimeMs: number;
    }
  | { readonly notice: 'memory shared out'; readonly sharing: Sharing }
  | { readonly notice: 'draining'; readonly of: WorkerName; readonly why: RetireReason }
  | { readonly notice: 'killed'; readonly of: WorkerName; readonly kill: KillReason }
  | {
      readonly notice: 'hung';
      readonly of: WorkerName;
      readonly silentMs: number;
      /** Where it is stuck, as `name (file:line)`. */
      readonly place: string | undefined;
      /** The requests it holds, as `GET /path`. */
      readonly holding: readonly string[];
      readonly stack: string | undefined;
    }
  | { readonly notice: 'reloading'; readonly generation: number }
  | {
      readonly notice: 'reloaded';
      readonly generation: number;
      readonly tookMs: number;
      /** Requests that it has answered; undefined = nobody has counted. */
      readonly asked: number | undefined;
    }
  /** A replaced generation stands by for a rollback. */
  | { readonly notice: 'kept'; readonly generation: number; readonly workers: number; readonly forMs: number }
  | { readonly notice: 'rolling back'; readonly from: number; readonly to: number }
  | { readonly notice: 'rolled back'; readonly generation: number; readonly tookMs: number }
  /** The first workers of a new generation serve beside the old ones. */
  | {
      readonly notice: 'canary';
      readonly generation: number;
      readonly workers: number;
      readonly forMs: number;
    }
  | { readonly notice: 'canary passed'; readonly generation: number; readonly asked: number | undefined }
  | {
      readonly notice: 'abandoned';
      readonly generation: number;
      readonly fault: Fault;
      /** No worker of the old generation is left to go on. */
      readonly nothingServes?: boolean;
    }
  | { readonly notice: 'scaled'; readonly from: number; readonly to: number }
  | { readonly notice: 'upgrading'; readonly workers: number }
  /** A successor serves; so many workers are left here. */
  | {
      readonly notice: 'succeeded';
      readonly pid: number;
      readonly program: Program;
      readonly workers: number;
    }
  /** This process is about to become the new program. */
  | { readonly notice: 'becoming'; readonly program: Program }
  | {
      readonly notice: 'upgraded';
      readonly from: Program;
      readonly to: Program;
      readonly generation: number;
      readonly tookMs: number;
    }
  | { readonly notice: 'no upgrade' | 'upgrade abandoned'; readonly reason: string }
  /** Asked for while an upgrade is under way. */
  | { readonly notice: 'not during upgrade'; readonly what: 'reload' | 'scale' | 'rollback' }
  | { readonly notice: 'ignored signal'; readonly signal: string }
  /** What its app says of itself has changed. */
  | { readonly notice: 'unwell'; readonly of: WorkerName; readonly reason: string }
  | { readonly notice: 'well again'; readonly of: WorkerName }
  | ({ readonly notice: 'long duration' } & LongDuration)
  /** The environment says something that a reload cannot change. */
  | { readonly notice: 'needs restart'; readonly variables: readonly Variable[] }
  /** The working directory, as it was typed, is gone: new workers start in the root. */
  | { readonly notice: 'no working directory'; readonly path: string }
  | { readonly notice: 'no control socket' | 'other control socket'; readonly reason: string }
  | { readonly notice: 'bad control socket'; readonly path: string; readonly reason: string }
  | { readonly notice: 'systemd unreachable' | 'bad app metrics'; readonly reason: string }
  | { readonly notice: 'descriptors exhausted' | 'descriptors back' }
  /** The primary itself failed: an error where none was expected. */
  | { readonly notice: 'primary failed'; readonly message: string; readonly stack: string | undefined }
  // What follows is said in development alone.
  /** A reload on account of saved files is over; they are named as in the project. */
  | { readonly notice: 'saved'; readonly files: readonly string[]; readonly tookMs: number }
  /** What was booting is out of date. */
  | { readonly notice: 'boots anew'; readonly of: WorkerName }
  | { readonly notice: 'awaits save' }
  /** The kernel does not tell of saved files: they are looked at instead. */
  | { readonly notice: 'cannot watch'; readonly reason: string; readonly setting: string | undefined }
  // What follows is said by workers.
  | { readonly notice: 'cut'; readonly connections: number; readonly graceMs: number }
  | { readonly notice: 'dropped'; readonly lines: number }
  | { readonly notice: 'client left'; readonly method: string; readonly url: string }
  | {
      readonly notice: 'app failed';
      readonly method: string;
      readonly url: string;
      readonly message: string;
      readonly stack: string | undefined;
    }
  | {
      readonly notice: 'close failed' | 'lead failed';
      readonly message: string;
      readonly stack: string | undefined;
    }
  | {
      readonly notice: 'uncaught';
      readonly origin: string;
      /** The requests that the worker was working on, as `GET /path`. */
      readonly holding?: readonly string[];
      readonly message: string;
      readonly stack: string | undefined;
    }
  /** A listener blocked its worker; the path is without its query. */
  | {
      readonly notice: 'slow turn';
      readonly worker: number;
      readonly method: string;
      readonly path: string;
      readonly ms: number;
    }
  /** `place` is where the app did so, as `file:line`. */
  | { readonly notice: 'asked to exit'; readonly code: number; readonly place: string | undefined }
  | { readonly notice: 'needless listen' | 'closed by app' }
  /** A request of the warm-up, as `GET /path`, or, without one, its function. */
  | { readonly notice: 'warm-up failed'; readonly of: string | undefined; readonly problem: string }
  | { readonly notice: 'warm-up cut'; readonly afterMs: number }
  | { readonly notice: 'warm-up skipped' }
  | { readonly notice: 'orphaned' | 'asked to disconnect' | 'channel closed' };

/** How a command on the control socket ended. */
export type Outcome =
  | { readonly outcome: 'reloaded'; readonly generation: number }
  | { readonly outcome: 'abandoned'; readonly fault: Fault }
  | { readonly outcome: 'boot failed'; readonly fault: Fault }
  | { readonly outcome: 'rolled back'; readonly generation: number }
  | { readonly outcome: 'nothing kept' | 'reload under way' | 'upgrade under way' }
  /** `begun` = a successor was to boot. */
  | { readonly outcome: 'upgrade failed'; readonly reason: string; readonly begun: boolean }
  | { readonly outcome: 'scaled'; readonly workers: number }
  | { readonly outcome: 'rescaled'; readonly workers: number }
  | { readonly outcome: 'reload cut by stop' | 'stopping' | 'stopped' };
