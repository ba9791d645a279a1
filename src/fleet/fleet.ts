// A running fleet as its caller has it in hand: what it can be asked, and the events that it tells.

import type { Readable } from 'node:stream';
import type { Status } from '../control/status.ts';
import type { Exit, FleetEvents } from '../core/fleet-events.ts';

type Listener<E extends keyof FleetEvents> = (event: FleetEvents[E]) => void;

/** A fleet that runs. It keeps this process alive until it has ended, as a listening server does. */
export interface Fleet {
  /** The port that it really serves. */
  readonly port: number;
  /** The primary's pid. */
  readonly pid: number;
  /** The log, with `stdio: 'pipe'`; else null. A log that nobody reads is dropped, and stalls nothing. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Resolves with how the primary ended, when it has; never rejects. In a stop no worker is left then. */
  readonly closed: Promise<Exit>;
  /** What `hello-server status --json` prints. Rejects when the fleet has gone. */
  status(): Promise<Status>;
  /**
   * Replaces all workers by new ones; resolves when the whole new generation serves. Rejects with the reason when it is
   * abandoned: then the old generation goes on. `force` passes over the verdict on its traffic; default false.
   */
  reload(options?: { readonly force?: boolean | undefined }): Promise<void>;
  /** Puts the generation before back, as long as it stands by (KEEP_PREVIOUS); rejects when none does. */
  rollback(): Promise<void>;
  /** Runs so many workers from now on, 1 to 512; resolves when they serve. */
  scale(workers: number): Promise<void>;
  /** Drains and stops; resolves with how the primary ended. It may be called at any time, more than once. */
  stop(): Promise<Exit>;
  on<E extends keyof FleetEvents>(event: E, listener: Listener<E>): this;
  once<E extends keyof FleetEvents>(event: E, listener: Listener<E>): this;
  off<E extends keyof FleetEvents>(event: E, listener: Listener<E>): this;
  /** The same as `stop`: `await using fleet = await startFleet(...)`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Why a fleet could not be started, in the words of its primary. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  /** The primary's exit code, as README.md lists them; null = a signal ended it, or it never ran. */
  readonly code: number | null;

  constructor(message: string, code: number | null) {
    super(message);
    this.code = code;
  }
}
