// systemd's side of a service: the socket it passes, and what it is told by sd_notify(3).

import { execFile } from 'node:child_process';
import { GOODBYE_MS } from '../core/deadlines.ts';
import { type Fleet, serves } from '../core/fleet.ts';
import { isSucceeded } from '../core/upgrade.ts';

/** File descriptors of socket activation begin here: SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** A message that systemd does not take in this time is given up. */
const SEND_MS = 5000;

/** What systemd passed in the environment. */
export interface Inheritance {
  /** The listening socket; undefined = none. */
  readonly fd: number | undefined;
  /** How many listening sockets came. All workers serve on one: more are refused. */
  readonly sockets: number;
  /** Where to notify; undefined = nowhere. */
  readonly notifySocket: string | undefined;
  /** Feed the watchdog more often than this, ms; undefined = there is none. */
  readonly watchdogMs: number | undefined;
}

/** Takes systemd's variables out of the environment, where workers would take them for theirs. */
export function takeInheritance(env: NodeJS.ProcessEnv, pid: number): Inheritance {
  const own = (variable: string): boolean => env[variable] === undefined || Number(env[variable]) === pid;
  const sockets = env.LISTEN_PID !== undefined && own('LISTEN_PID') ? Number(env.LISTEN_FDS) || 0 : 0;
  const watchdogUs = own('WATCHDOG_PID') ? Number(env.WATCHDOG_USEC) : 0;
  const inheritance = {
    fd: sockets >= 1 ? FIRST_FD : undefined,
    sockets,
    notifySocket: env.NOTIFY_SOCKET || undefined,
    watchdogMs: watchdogUs > 0 ? watchdogUs / 1000 : undefined,
  };
  for (const name of [
    'LISTEN_PID',
    'LISTEN_FDS',
    'LISTEN_FDNAMES',
    'NOTIFY_SOCKET',
    'WATCHDOG_PID',
    'WATCHDOG_USEC',
  ]) {
    delete env[name];
  }
  return inheritance;
}

/** Tells systemd how the fleet is. */
export class Notifier {
  readonly #socket: string | undefined;
  readonly #queue: string[][] = [];
  #sending = false;
  #phase: 'starting' | 'running' | 'reloading' | 'stopping' = 'starting';
  #status = '';
  /** When the watchdog is fed next; Infinity = there is none. */
  #feedAt: number;
  readonly #feedEveryMs: number;
  readonly #onFailure: (reason: string) => void;
  #failure = '';
  /** Whether another primary tells systemd in the place of this one. */
  isMuted = false;
  readonly #first: readonly string[];

  /**
   * @param inheritance where to notify, and how often the watchdog wants to be fed
   * @param first what is told together with the first that is told
   * @param onFailure is told why systemd does not hear us, once for each reason
   */
  constructor(
    { notifySocket, watchdogMs }: Pick<Inheritance, 'notifySocket' | 'watchdogMs'>,
    onFailure: (reason: string) => void,
    first: readonly string[] = [],
  ) {
    this.#first = first;
    this.#socket = notifySocket;
    this.#onFailure = onFailure;
    this.#feedEveryMs = (watchdogMs ?? Infinity) / 3;
    this.#feedAt = watchdogMs === undefined ? Infinity : 0;
  }

  /**
   * Compares what the fleet is with what was told, and tells the difference. It is called by turns of the run loop,
   * and by them alone the watchdog is fed: a primary whose loop stands still is not alive.
   * @param now the time in ms
   */
  show(fleet: Fleet, now: number): void {
    if (this.#socket === undefined || this.isMuted) return;
    const ready = fleet.workers.filter(serves).length;
    const away = fleet.workers.filter(
      ({ stage: { name } }) => name === 'draining' || name === 'standby',
    ).length;
    const phase = fleet.stop ? 'stopping' : fleet.reload ? 'reloading' : 'running';
    // Another primary's fleet may serve in the place of this one.
    const isServed = ready > 0 || isSucceeded(fleet) || (fleet.relieves && !fleet.started);
    const status =
      `${fleet.upgrade ? 'upgrading' : phase}: ${ready} of ${fleet.wanted} workers ready${away > 0 ? `, ${away} draining` : ''}, ` +
      `generation ${fleet.generation}`;
    const news: string[] = this.#status === '' ? [...this.#first] : [];
    if (phase !== this.#phase) news.push(...PHASE_MESSAGES[phase]());
    if (status !== this.#status) news.push(`STATUS=${status}`);
    this.#phase = phase;
    this.#status = status;
    if (isServed && now >= this.#feedAt) {
      this.#feedAt = now + this.#feedEveryMs;
      news.push('WATCHDOG=1');
    }
    if (news.length > 0) this.#send(...news);
  }

  /** Resolves when all is told: a program on its way would look like a process that stayed behind. */
  async end(): Promise<void> {
    const deadline = performance.now() + GOODBYE_MS;
    while (this.#sending && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #send(...assignments: string[]): void {
    this.#queue.push(assignments);
    if (!this.#sending) this.#next();
  }

  /** One at a time, so that they arrive in order. Node has no datagram socket of the kind; systemd has a program. */
  #next(): void {
    const assignments = this.#queue.shift();
    this.#sending = assignments !== undefined;
    if (!assignments) return;
    const env = { PATH: process.env.PATH, NOTIFY_SOCKET: this.#socket };
    execFile('systemd-notify', assignments, { env, timeout: SEND_MS }, (error, _out, said) => {
      if (error) this.#fail(said.trim() || error.message);
      this.#next();
    });
  }

  #fail(reason: string): void {
    if (reason === this.#failure) return;
    this.#failure = reason;
    this.#onFailure(reason);
  }
}

const PHASE_MESSAGES = {
  running: () => ['READY=1'],
  // systemd takes a reload for begun at this time of its clock, CLOCK_MONOTONIC in µs.
  reloading: () => ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`],
  stopping: () => ['STOPPING=1'],
} as const;
