// What a running primary says of itself over the control socket: the stable form behind `status --json`.

/** One worker. Fields that are not known yet are null. */
export interface WorkerStatus {
  readonly slot: number;
  readonly pid: number;
  readonly generation: number;
  readonly stage: 'booting' | 'ready' | 'standby' | 'draining';
  /** Seconds since the fork. */
  readonly uptime: number;
  /** Requests answered. */
  readonly requests: number | null;
  readonly inFlight: number | null;
  readonly connections: number | null;
  /** How late the event loop was at the last beat, ms. */
  readonly eventLoopDelay: number | null;
  /** Resident memory, MiB. */
  readonly rss: number | null;
  /** How often this slot's worker ended unasked since the primary began. */
  readonly restarts: number;
  /** How it ended last, such as `SIGKILL` or `code 1`. */
  readonly lastExit: string | null;
}

export interface Status {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** Seconds since the primary began. */
  readonly uptime: number;
  readonly state: 'starting' | 'running' | 'reloading' | 'stopping';
  readonly port: number;
  readonly host: string | null;
  /** Path of the app as typed; null = Hello. */
  readonly app: string | null;
  /** The generation that new workers belong to. */
  readonly generation: number;
  /** Workers wanted. */
  readonly wanted: number;
  readonly workers: readonly WorkerStatus[];
}

/** One line of the answer to `/reload`, `/scale` and `/stop`: what happens, and at the end how it ended. */
export type Progress = { readonly text: string } | { readonly ok: boolean; readonly result: string };
