// What the policy is told of the environment: the settings of one reading, and what a reload brings of it and leaves behind.

import type { Memory } from './memory-share.ts';
import type { Reading, WorkerEnv } from './reading.ts';
import type { WorkerShare } from './share.ts';

/** What one reading of the environment sets; times in ms, 0 of `bootMs` and `hangMs` means no limit. */
export interface Settings {
  /** What workers are forked with. */
  readonly reading: Reading;
  /** How many workers it asks for. */
  readonly workers: number;
  readonly bootMs: number;
  readonly drainMs: number;
  readonly stopDelayMs: number;
  readonly stopMs: number;
  readonly hangMs: number;
  /** A reload is over when its last worker has been ready for so long. */
  readonly settleMs: number;
  /** How long the first new workers of a reload serve before the others follow; 0 = no canary. */
  readonly canaryMs: number;
  /** How many these are, and how many workers a reload replaces at a time. */
  readonly canary: WorkerShare;
  readonly surge: WorkerShare;
  /** How long a replaced generation stands by after its reload; 0 = it goes at once. */
  readonly keepMs: number;
  /** The memory to be shared out among the workers; undefined = there is no limit to it, or the user has set one. */
  readonly memory: Memory | undefined;
}

/** What the settings ask of the machine, each time anew. */
export interface Machine {
  /** How many workers `auto` are. */
  readonly cpus: () => number;
  /** The memory there is under a limit, for workers with this environment; undefined = no limit, or a heap of the user's. */
  readonly memory: (env: WorkerEnv) => Memory | undefined;
}

/** The settings of a reading on this machine. */
export const settingsOf = (reading: Reading, { cpus, memory }: Machine): Settings => {
  const { config, env } = reading;
  return {
    reading,
    workers: config.workers === 'auto' ? cpus() : config.workers,
    bootMs: config.bootTimeoutMs,
    drainMs: config.drainTimeoutMs,
    stopDelayMs: config.shutdownDelayMs,
    stopMs: config.shutdownTimeoutMs,
    hangMs: config.hangTimeoutMs,
    settleMs: config.settleTimeMs,
    canaryMs: config.canaryTimeMs,
    canary: config.canaryWorkers,
    surge: config.reloadSurge,
    keepMs: config.keepPreviousMs,
    memory: config.maxMemoryMiB > 0 ? undefined : memory(env),
  };
};

/** What was in force before a reload, for the way back. */
export interface Before {
  readonly settings: Settings;
  readonly wanted: number;
  /** How many workers the reload makes it; another number since is a wish of its own. */
  readonly becomes: number;
}

/** What a reload brings beside new workers: other settings, or an environment that cannot be read. */
export type Renewal = { readonly settings: Settings } | { readonly errors: readonly string[] };

/** A reload as it is asked for. */
export interface Wish {
  /** Whether the verdict on its traffic is passed over. */
  readonly force: boolean;
  readonly renewal: Renewal | undefined;
}
