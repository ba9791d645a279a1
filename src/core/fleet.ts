// The fleet as the policy sees it: workers, slots, reload and stop, what can happen, and what can be done about it.

import type { Cause, Ending, ExitReason } from './ending.ts';
import type { StopSignal } from './exit-codes.ts';
import type { Doubt } from './last-words.ts';
import type { Share, Sharing } from './memory-share.ts';
import type { BootFailure, Fault, KillReason, Notice, Passed, ReplaceReason, WorkerName } from './notices.ts';
import { NO_POISON, type Poison } from './poison.ts';
import type { DrainReason } from './protocol.ts';
import type { Reading } from './reading.ts';
import type { Before, Renewal, Settings, Wish } from './settings.ts';
import type { Carried, Program } from './succession.ts';
import type { Upgrade } from './upgrade.ts';
import type { Verdict } from './verdict.ts';

/** A worker's stage, with what belongs to it alone; `by` is when the worker is killed unless it moved on, in ms. */
export type Stage =
  | { readonly name: 'booting'; readonly by: number }
  | { readonly name: 'ready' }
  /** Replaced: out of the rotation, and back if the reload is abandoned or, later, rolled back. */
  | { readonly name: 'standby' }
  /** On its way back into the rotation, as the reload that replaced it was abandoned. */
  | { readonly name: 'rejoining'; readonly by: number }
  | { readonly name: 'draining'; readonly by: number };

export interface Worker {
  readonly id: number;
  readonly slot: number;
  readonly generation: number;
  readonly forkedAt: number;
  /** Silent for so long it is hung, ms; 0 = never. It says often enough for this one that it lives. */
  readonly hangMs: number;
  /** What it may use of the memory; undefined = nothing was derived for it. */
  readonly share: Share | undefined;
  pid: number;
  stage: Stage;
  /** When the worker became ready first. */
  readyAt: number | undefined;
  /** When it was last heard of. */
  heardAt: number;
  /** Why it is to be replaced, and when it drains even without a replacement. */
  replace:
    | { readonly why: ReplaceReason | 'reload abandoned' | 'rolled back'; readonly by: number }
    | undefined;
  /** What its app did that put it in doubt: why its process ends, though it ends in order. */
  doubt: (Ending & { readonly cause: Cause }) | undefined;
  /** Whether its heap is nearly full: V8 aborts it soon. */
  isFull: boolean;
  /** Whether a snapshot of its heap is wanted or being taken: it leaves the rotation for that before it drains. */
  snapshot: boolean;
  /** Why we killed it; its end is only a matter of time. */
  killed: KillReason | undefined;
  failure: BootFailure | undefined;
  /** Whether its app has a `lead`. */
  leads: boolean;
}

export interface Slot {
  /** Failures in a row, which the backoff grows with. */
  failures: number;
  /** Nothing is forked into the slot before. */
  respawnAt: number;
  /** A stop signal reached its worker: the notice that is logged at `respawnAt`, unless our own signal has come. */
  heldNotice: Notice | undefined;
  /** How often its worker ended unasked, and how the last time. */
  restarts: number;
  lastExit: Ending | undefined;
  /** Until then its workers are armed: they record each request before the app has it. */
  armedUntil: number;
}

export interface Reload {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  /** Whether the verdict on its traffic is passed over. */
  readonly force: boolean;
  readonly before: Before;
  /** The first new workers alone, until a time that is known when all of them serve; undefined = the others follow. */
  canary: { readonly until: number | undefined } | undefined;
  /** When the whole new generation serves, and has settled. */
  settlesAt: number | undefined;
  /** How many requests the new generation has answered so far; undefined = nobody has counted. */
  asked: number | undefined;
}

/** A stop's phase: serve on for the delay, leave the rotation together, drain, and be over. */
export type StopPhase =
  | { readonly name: 'delay'; readonly until: number }
  | {
      readonly name: 'leaving';
      readonly until: number;
      readonly killAt: number;
      readonly waitsFor: readonly number[];
    }
  | { readonly name: 'draining' }
  | { readonly name: 'over' };

export interface Stop {
  readonly at: number;
  readonly exitCode: number;
  phase: StopPhase;
}

export interface Fleet {
  settings: Settings;
  /**
   * Whether a developer saves the next version at any time (`hello-server dev`): what does not boot waits for that instead
   * of being tried again or ending the primary, and what boots meanwhile is out of date.
   */
  readonly dev: boolean;
  wanted: number;
  /** Whether all workers of the first generation have served. */
  started: boolean;
  generation: number;
  newestGeneration: number;
  nextId: number;
  /** The state of the random numbers that jitter the backoff. */
  seed: number;
  /** Boots in a row that did not get ready while no worker served. */
  bootsInVain: number;
  /** How the memory is shared out, as it was said last; undefined = not at all. */
  sharing: Sharing | undefined;
  /** Workers in a row that passed their memory soon after they were ready. */
  earlyRecycles: number;
  reload: Reload | undefined;
  /** The reload to follow the one under way. */
  reloadAgain: Wish | undefined;
  /** The generation that stands by for a rollback, and until when. */
  previous: { readonly generation: number; readonly until: number; readonly before: Before } | undefined;
  /** A rollback under way. */
  rollback: { readonly to: number; readonly since: number } | undefined;
  upgrade: Upgrade | undefined;
  /** Whether a predecessor serves until this fleet has started. */
  relieves: boolean;
  stop: Stop | undefined;
  /** The requests that workers held which died of late. */
  poison: Poison;
  /** The one worker whose app leads, and whether it was asked to hand over. */
  lead: { readonly id: number; readonly yielding: boolean } | undefined;
  /** Nobody is asked to lead before. */
  leadAt: number;
  workers: Worker[];
  slots: Record<number, Readonly<Slot>>;
}

export type WorkerEvent =
  | { readonly type: 'forked'; readonly id: number; readonly pid: number }
  | { readonly type: 'hello' | 'left'; readonly id: number }
  | { readonly type: 'ready'; readonly id: number; readonly leads?: boolean }
  /** Its app leads no more. */
  | { readonly type: 'yielded'; readonly id: number; readonly failed: boolean }
  | { readonly type: 'failed'; readonly id: number; readonly failure: BootFailure }
  | {
      readonly type: 'replace';
      readonly id: number;
      readonly why: ReplaceReason;
      readonly doubt?: Doubt;
      readonly passed?: Passed;
    }
  /** A snapshot of its heap is wanted, once another has taken its place; and is no more: it has been taken, or cannot be. */
  | { readonly type: 'hold' | 'release'; readonly id: number }
  | { readonly type: 'exit'; readonly id: number; readonly ending: Ending };

export type Event =
  | WorkerEvent
  /** Workers were heard of, and there is nothing to it: when each was last. */
  | { readonly type: 'heard'; readonly at: ReadonlyMap<number, number> }
  | { readonly type: 'wake' }
  | {
      readonly type: 'reload';
      readonly force?: boolean;
      /** In development: files were saved, so that what boots already is out of date. */
      readonly saved?: boolean;
      readonly renewal?: Renewal | undefined;
    }
  /** What the traffic of the generation that a reload brings says of it so far. */
  | { readonly type: 'judged'; readonly generation: number; readonly verdict: Verdict }
  | { readonly type: 'scale'; readonly workers: number }
  /** Put the generation that stands by back into the rotation. */
  | { readonly type: 'rollback' }
  /** Renew the primary itself, on this Node if it is given. */
  | { readonly type: 'upgrade'; readonly node?: string | undefined }
  | { readonly type: 'successor serves'; readonly pid: number; readonly program: Program }
  /** The primary that this one serves for in the meantime serves itself. */
  | { readonly type: 'dismissed' }
  /** There is no successor, or no more. */
  | { readonly type: 'successor gone'; readonly reason: string }
  /** The primary before this one has gone, and all its workers. */
  | { readonly type: 'predecessor gone' }
  /** Asked for by a signal, over the control socket, or (`what` undefined) by an error of the primary's own. */
  | {
      readonly type: 'stop';
      readonly signal?: StopSignal;
      readonly what: string | undefined;
      readonly exitCode?: number;
    };

export type Effect =
  | {
      readonly do: 'fork';
      readonly id: number;
      readonly slot: number;
      readonly generation: number;
      readonly reading: Reading;
      /** The worker is armed for so long, ms; 0 = it is not. */
      readonly armedMs: number;
      readonly share: Share | undefined;
    }
  | { readonly do: 'rejoin' | 'kill'; readonly id: number }
  /** Take the snapshot of its heap now: it is out of the rotation. */
  | { readonly do: 'snapshot'; readonly id: number }
  /** Finish what is open within `graceMs`, and stand by. */
  | { readonly do: 'sleep'; readonly id: number; readonly graceMs: number }
  /** Have the worker's app lead, or hand over. */
  | { readonly do: 'lead' | 'yield'; readonly id: number }
  | { readonly do: 'stopping' | 'leave'; readonly id: number; readonly linger: boolean }
  | { readonly do: 'drain'; readonly id: number; readonly why: DrainReason; readonly graceMs: number }
  /** Explain what the worker hangs on, then kill it. */
  | { readonly do: 'explain'; readonly id: number; readonly silentMs: number }
  /** The first generation serves whole. */
  | { readonly do: 'announce' }
  /** Hold the listening socket no longer: it closes with the last worker that leaves. */
  | { readonly do: 'release socket' }
  | { readonly do: 'reloaded' | 'rolled back'; readonly generation: number }
  | { readonly do: 'abandoned'; readonly generation: number; readonly fault: Fault }
  | { readonly do: 'boot failed'; readonly fault: Fault }
  | { readonly do: 'boot successor'; readonly node: string | undefined }
  /** What is not a worker's, such as the control socket, is the successor's from now on. */
  | { readonly do: 'hand over'; readonly pid: number }
  /** Make room for the successor, as nothing is left to do here. */
  | { readonly do: 'succeed' }
  /** `begun` = there may be a successor, which is to end. */
  | { readonly do: 'upgrade failed'; readonly reason: string; readonly begun: boolean }
  /** A worker has gone, to be counted. */
  | { readonly do: 'ended'; readonly of: WorkerName; readonly reason: ExitReason }
  | { readonly do: 'log'; readonly notice: Notice }
  | { readonly do: 'exit'; readonly code: number };

const NEW_SLOT: Slot = {
  failures: 0,
  respawnAt: 0,
  heldNotice: undefined,
  restarts: 0,
  lastExit: undefined,
  armedUntil: 0,
};
/** A slot of which nothing has happened yet. */
export const newSlot = (restarts = 0): Slot => ({ ...NEW_SLOT, restarts });

/**
 * A fleet that wants as many workers as its settings say and has none.
 * @param carried what it goes on with, where it takes the place of another; its apps lead when that has gone
 */
export const newFleet = (settings: Settings, seed = 1, carried?: Carried, dev = false): Fleet => ({
  settings,
  dev,
  wanted: carried && carried.workers === settings.workers ? carried.wanted : settings.workers,
  started: false,
  generation: (carried?.generation ?? 0) + 1,
  newestGeneration: (carried?.generation ?? 0) + 1,
  nextId: 1,
  seed,
  bootsInVain: 0,
  sharing: undefined,
  earlyRecycles: 0,
  reload: undefined,
  reloadAgain: undefined,
  previous: undefined,
  rollback: undefined,
  upgrade: undefined,
  relieves: carried !== undefined,
  stop: undefined,
  poison: NO_POISON,
  lead: undefined,
  leadAt: carried ? Infinity : 0,
  workers: [],
  slots: Object.fromEntries(
    Object.entries(carried?.restarts ?? {}).map(([slot, restarts]) => [Number(slot), newSlot(restarts)]),
  ),
});

/** Whether the worker is in the rotation, or on the way into it. */
export const live = ({ stage: { name } }: Worker): boolean =>
  name === 'booting' || name === 'ready' || name === 'rejoining';

/** Whether a worker that asks for its replacement for this reason is in doubt: it counts like one that crashed. */
export const inDoubt = (why: string | undefined): boolean =>
  why === 'fatal error' || why === 'disconnected' || why === 'exit called';

/** Whether the worker is out of the rotation for a snapshot of its heap: it is blocked, and has no deadline. */
export const isHeld = ({ snapshot, stage }: Worker): boolean => snapshot && stage.name === 'draining';

/** Whether the worker has booted, and takes requests or may take them again. */
export const canServe = ({ stage: { name } }: Worker): boolean =>
  name === 'ready' || name === 'standby' || name === 'rejoining';

/** Whether the worker takes requests. */
export const serves = (w: Worker): boolean => w.stage.name === 'ready';
