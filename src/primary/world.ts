// The outside world as the primary sees it: all that it asks for and is told, so that a test can play the world.

import type { ControlEnd } from '../control/open.ts';
import type { Profiling } from '../control/profile.ts';
import type { Commands } from '../control/server.ts';
import type { Views } from '../control/views.ts';
import type { Config } from '../core/config.ts';
import type { Ending } from '../core/ending.ts';
import type { OwnProcess } from '../core/figures.ts';
import type { Event, Fleet } from '../core/fleet.ts';
import type { Notice, WorkerName } from '../core/notices.ts';
import type { OomCount } from '../core/oom-count.ts';
import type { Assignment, FromWorker, ToWorker } from '../core/protocol.ts';
import type { Checked, WorkerEnv } from '../core/reading.ts';
import type { Machine } from '../core/settings.ts';
import type { Predecessor } from './predecessor.ts';
import type { Successor } from './successor.ts';
import type { Handed } from './upgrades.ts';

/** A listening socket as it passes between processes: bound, and watched by nobody here. */
export type Socket = { readonly close: () => void; readonly fd?: number };

/** The primary's end of one worker. */
export interface Handle {
  /** 0 where the process could not be created. */
  readonly pid: number;
  /** Resolves when the process has ended and all its output has been read. */
  readonly closed: Promise<void>;
  /** Sends as soon as the worker listens; to one that is gone nothing: its exit tells the rest. */
  readonly send: (message: ToWorker, socket?: Socket) => void;
  /** Kills it, at once. */
  readonly kill: () => void;
  /** Opens its inspector; resolves with the address, or undefined when it is not open within `ms`. */
  readonly openInspector: (ms: number) => Promise<string | undefined>;
}

/** What a worker is heard of. */
export interface Listeners {
  readonly message: (message: FromWorker, socket: Socket | undefined) => void;
  /** Called once, also where the process could not be created. */
  readonly exit: (ending: Ending, found?: Found) => void;
}

/** What a process that has ended leaves behind. */
export interface Found {
  /** V8 had said that its heap was full, and how full in its trace, MiB. */
  readonly heapFull?: { readonly atMiB: number | undefined } | undefined;
  /** The requests that it had recorded and not ended, the latest first; undefined = it was not armed. */
  readonly recorded?: readonly string[] | undefined;
}

/** What it takes to have another primary take this one's place. */
export interface SuccessionWorld {
  /** Whether this process becomes the new program in the end, or ends in favour of another process. */
  readonly relays: boolean;
  /** Why there can be none, on this Node if it is given; undefined = there can. */
  readonly problem: (node: string | undefined) => Promise<string | undefined>;
  /** Boots it; `tell` is told when it serves, or has gone. */
  readonly boot: (
    handed: Handed,
    socket: Socket,
    node: string | undefined,
    tell: (event: Event) => void,
  ) => Successor;
  /** The service manager is told nothing, as it is the successor's. */
  readonly mute: (on: boolean) => void;
  /** Writes out what was logged. */
  readonly flush: () => void;
  /** Exchanges the program of this process. Returns only by an error. */
  readonly become: (handed: Handed, node: string | undefined) => never;
}

export interface World extends Machine {
  /** Time in ms, of a clock that stands still while this process does. */
  readonly now: () => number;
  /** Time in ms, of a clock that goes on meanwhile. */
  readonly elapsed: () => number;
  /** Calls `run` once after `ms`; the function that it returns prevents that. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** The same, of the next turn of the run loop: what comes later than this was held up by a pause, which `now` leaves out. */
  readonly sleep: (ms: number, run: () => void) => () => void;
  /** The service manager has to hear of a turn at least so often, ms. */
  readonly tickMs: number;
  /** Forks a worker, with `env` added to its environment; one that cannot be forked throws, or says so as its exit. */
  readonly fork: (assignment: Assignment, env: WorkerEnv, listeners: Listeners) => Handle;
  /** Reads the environment and its env files again; undefined = there is none that could have changed. Never rejects. */
  readonly readAgain: (() => Promise<Checked>) | undefined;
  readonly log: (notice: Notice) => void;
  /** Has another level and deadlines hold for what is not a worker's. */
  readonly configure: (config: Config) => void;
  /** Tells the service manager how the fleet is; called after every turn once the fleet has served. */
  readonly tellManager: (fleet: Fleet) => void;
  /** Tells the service manager for the first time that the fleet serves. */
  readonly tellServing: () => void;
  /** Opens the control socket for the port that is served; rejects with the reason. */
  readonly openControl: (commands: Commands, port: number) => Promise<ControlEnd>;
  /** Opens the admin listener where one is wanted; rejects with the reason. */
  readonly openAdmin: (views: Views) => Promise<ControlEnd | undefined>;
  /** What this process is like. */
  readonly own: () => OwnProcess & { readonly logLinesDropped: number };
  /** The memory of this process. */
  readonly residentBytes: () => number;
  /** How often the kernel has killed a process of our cgroup for memory; undefined = that cannot be read. */
  readonly oomCount: () => OomCount | undefined;
  /** The memory that our cgroup allows us and our workers; undefined = no less than the machine has. */
  readonly memoryLimitMiB: () => number | undefined;
  /** Tells the watch over orphans which workers there are. */
  readonly watch: (pids: readonly number[]) => void;
  /** Finds out what a hung worker does, within a bounded time. */
  readonly explainHang: (handle: Handle, of: WorkerName, silentMs: number) => Promise<Notice>;
  /** Begins to profile a worker for so many seconds; undefined where its inspector does not open. */
  readonly profile: (handle: Handle, seconds: number) => Promise<Profiling | undefined>;
  /** Begins a snapshot of a worker's heap; undefined where its inspector does not open. */
  readonly takeHeap: (handle: Handle) => Promise<Profiling | undefined>;
  /** The memory that is left, MiB; undefined = nobody knows. */
  readonly memoryLeft: () => number | undefined;
  /** Looks whether file descriptors have run out, or are there again; what is to be said of it, if that has changed. */
  readonly checkDescriptors: () => Notice | undefined;
  /** Whose place this primary takes; undefined = it is the first. */
  readonly predecessor: Predecessor | undefined;
  readonly succession: SuccessionWorld;
  /** Says goodbye to the service manager and the watch, within a bounded time. */
  readonly end: () => Promise<void>;
}
