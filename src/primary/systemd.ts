// systemd's side of a service: the socket it passes, and what it is told by sd_notify(3).

import { execFile } from 'node:child_process';
import type { Fleet } from '../core/fleet.ts';

/** File descriptors of socket activation begin here: SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** A message that systemd does not take in this time is given up. */
const SEND_MS = 5000;
/** At the end of the primary its last messages are waited for so long. */
const END_MS = 500;

/** What systemd passed in the environment. */
export interface Inheritance {
  /** The listening socket; undefined = none. */
  readonly fd: number | undefined;
  /** Where to notify; undefined = nowhere. */
  readonly notifySocket: string | undefined;
  /** Feed the watchdog more often than this, ms; undefined = there is none. */
  readonly watchdogMs: number | undefined;
}

/** Takes systemd's variables out of the environment, where workers would take them for theirs. */
export function takeInheritance(env: NodeJS.ProcessEnv, pid: number): Inheritance {
  const own = (variable: string): boolean => env[variable] === undefined || Number(env[variable]) === pid;
  const activated = env.LISTEN_PID !== undefined && own('LISTEN_PID') && Number(env.LISTEN_FDS) >= 1;
  const watchdogUs = own('WATCHDOG_PID') ? Number(env.WATCHDOG_USEC) : 0;
  const inheritance = {
    fd: activated ? FIRST_FD : undefined,
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
  #healthy = false;

  /** @param inheritance where to notify, and how often the watchdog wants to be fed */
  constructor({ notifySocket, watchdogMs }: Inheritance) {
    this.#socket = notifySocket;
    if (notifySocket === undefined || watchdogMs === undefined) return;
    setInterval(() => {
      if (this.#healthy) this.#send('WATCHDOG=1');
    }, watchdogMs / 3).unref();
  }

  /** Compares what the fleet is with what was told, and tells the difference. */
  show(fleet: Fleet): void {
    if (this.#socket === undefined) return;
    const ready = fleet.workers.filter((w) => w.stage === 'ready').length;
    const away = fleet.workers.filter((w) => w.stage === 'draining' || w.stage === 'standby').length;
    this.#healthy = ready > 0;
    const phase = fleet.stop ? 'stopping' : fleet.reload ? 'reloading' : 'running';
    const status =
      `${phase}: ${ready} of ${fleet.wanted} workers ready${away > 0 ? `, ${away} draining` : ''}, ` +
      `generation ${fleet.generation}`;
    const news: string[] = [];
    if (phase !== this.#phase) news.push(...PHASE_MESSAGES[phase]());
    if (status !== this.#status) news.push(`STATUS=${status}`);
    this.#phase = phase;
    this.#status = status;
    if (news.length > 0) this.#send(...news);
  }

  /** Resolves when all is told: a program on its way would look like a process that stayed behind. */
  async end(): Promise<void> {
    const deadline = performance.now() + END_MS;
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
    execFile('systemd-notify', assignments, { env, timeout: SEND_MS }, () => this.#next());
  }
}

const PHASE_MESSAGES = {
  running: () => ['READY=1'],
  // systemd takes a reload for begun at this time of its clock, CLOCK_MONOTONIC in µs.
  reloading: () => ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`],
  stopping: () => ['STOPPING=1'],
} as const;
