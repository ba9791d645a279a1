// The fleet as the policy sees it: workers, slots, reload and stop, what can happen and what can be done about it.

import type { StopSignal } from './exit-codes.ts';
import type { Line } from './messages.ts';
import type { BootFailure, DrainReason, ReplaceReason } from './protocol.ts';

/** `standby`: replaced in a reload that is not over yet; out of the rotation, and back if the reload is abandoned. */
export type Stage = 'booting' | 'ready' | 'standby' | 'draining';

export interface Worker {
  readonly id: number;
  pid: number;
  readonly slot: number;
  readonly generation: number;
  readonly forkedAt: number;
  stage: Stage;
  /** When the worker became ready first. */
  readyAt: number | undefined;
  /** When it is killed unless it moved on: the end of its boot or drain. */
  deadline: number;
  /** Why it is to be replaced, and when it drains even without a replacement. */
  replace: { readonly why: string; readonly by: number } | undefined;
  /** In a stop: it has left the rotation. */
  left: boolean;
  /** Why we killed it. */
  killed: string | undefined;
  failure: BootFailure | undefined;
  /** When it was last heard of. */
  heardAt: number;
}

export interface Slot {
  failures: number;
  /** Nothing is forked into it before. */
  respawnAt: number;
  /** Its worker got a stop signal: what is said of that at `respawnAt`, unless our own has come. */
  unsaid: Line | undefined;
  /** How often its worker ended unasked, and how the last time. */
  restarts: number;
  lastExit: string | undefined;
}

export interface Reload {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  /** When the whole new generation serves, and has settled. */
  settlesAt: number | undefined;
}

export interface Stop {
  readonly at: number;
  readonly exitCode: number;
  stage: 'delay' | 'leaving' | 'draining' | 'over';
  until: number;
  killAt: number;
}

/** Times in ms; 0 of `bootMs` and `hangMs` means no limit. */
export interface Settings {
  readonly bootMs: number;
  readonly drainMs: number;
  readonly stopDelayMs: number;
  readonly stopMs: number;
  readonly hangMs: number;
}

export interface Fleet {
  readonly settings: Settings;
  wanted: number;
  /** Whether all workers of the first generation have served. */
  started: boolean;
  generation: number;
  newestGeneration: number;
  nextId: number;
  seed: number;
  bootsInVain: number;
  reload: Reload | undefined;
  reloadAgain: boolean;
  stop: Stop | undefined;
  workers: Worker[];
  slots: Record<number, Slot>;
}

export type Event =
  | { readonly type: 'wake' }
  | { readonly type: 'forked'; readonly id: number; readonly pid: number }
  | { readonly type: 'hello'; readonly id: number }
  | { readonly type: 'ready'; readonly id: number }
  | { readonly type: 'beat'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly failure: BootFailure }
  | { readonly type: 'left'; readonly id: number }
  | { readonly type: 'replace'; readonly id: number; readonly why: ReplaceReason }
  | {
      readonly type: 'exit';
      readonly id: number;
      readonly code: number | null;
      readonly signal: string | null;
    }
  | { readonly type: 'reload' }
  | { readonly type: 'scale'; readonly workers: number }
  /** Asked by a signal, over the control socket, or (`what` undefined) by an error of the primary's own. */
  | {
      readonly type: 'stop';
      readonly signal?: StopSignal;
      readonly what: string | undefined;
      readonly exitCode?: number;
    };

export type Effect =
  | { readonly do: 'fork'; readonly id: number; readonly slot: number; readonly generation: number }
  | { readonly do: 'rejoin'; readonly id: number }
  | { readonly do: 'stopping' | 'leave'; readonly id: number; readonly linger: boolean }
  | { readonly do: 'drain'; readonly id: number; readonly why: DrainReason; readonly graceMs: number }
  | { readonly do: 'kill'; readonly id: number }
  /** Explain what the worker hangs on, then kill it. */
  | { readonly do: 'hung'; readonly id: number; readonly silentMs: number }
  | { readonly do: 'serving' }
  /** Hold the listening socket no longer: it closes with the last worker that leaves. */
  | { readonly do: 'let go' }
  | { readonly do: 'reloaded'; readonly generation: number }
  | { readonly do: 'abandoned'; readonly generation: number; readonly reason: string }
  | { readonly do: 'boot failed'; readonly reason: string }
  | { readonly do: 'log'; readonly line: Line }
  | { readonly do: 'exit'; readonly code: number };

/** A fleet that wants `wanted` workers and has none; `seed` makes its jitter. */
export const newFleet = (wanted: number, settings: Settings, seed = 1): Fleet => ({
  settings,
  wanted,
  started: false,
  generation: 1,
  newestGeneration: 1,
  nextId: 1,
  seed,
  bootsInVain: 0,
  reload: undefined,
  reloadAgain: false,
  stop: undefined,
  workers: [],
  slots: {},
});

/** When the policy wants to be woken next, ms; Infinity = only by an event. */
export function wakeAt(fleet: Fleet): number {
  const { stop, reload, settings, workers } = fleet;
  const times = workers.map((w) => w.deadline);
  if (!stop) {
    for (const w of workers)
      times.push(hangsAt(w, settings), w.stage === 'ready' ? (w.replace?.by ?? Infinity) : Infinity);
  }
  if (stop) times.push(stop.until);
  else {
    times.push(reload?.settlesAt ?? Infinity);
    for (const { unsaid, respawnAt } of Object.values(fleet.slots)) if (unsaid) times.push(respawnAt);
    for (let slot = 0; slot < fleet.wanted; slot++) {
      if (!workers.some((w) => w.slot === slot && live(w))) times.push(fleet.slots[slot]?.respawnAt ?? 0);
    }
  }
  return Math.min(Infinity, ...times);
}

/** In the rotation, or on the way into it. */
export const live = (w: Worker): boolean => w.stage === 'booting' || w.stage === 'ready';
/** When the worker counts as hung, ms. */
export const hangsAt = (w: Worker, { hangMs }: Settings): number =>
  hangMs === 0 || w.readyAt === undefined || w.killed ? Infinity : w.heardAt + hangMs;
