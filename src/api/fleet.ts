// A fleet that a program runs: a primary of its own process, what it does, and what can be asked of it.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { Control } from '../client/connection.ts';
import type { Progress, Status } from '../control/status.ts';
import { MAX_WORKERS } from '../core/config.ts';
import {
  FLEET_EVENTS,
  type FleetEventName,
  type FleetEvents,
  fromPrimary,
  STOP,
} from '../core/fleet-events.ts';

/** How a primary ended: its exit code (0 = stopped as asked), or the signal that killed it. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A start that failed: the message is what the primary said of it. */
export class FleetError extends Error {
  /** The exit code of the primary: 1 = it cannot serve, 78 = what was asked for cannot be; null = it was killed or never began. */
  readonly code: number | null;

  constructor(message: string, code: number | null) {
    super(message);
    this.name = 'FleetError';
    this.code = code;
  }
}

/** A running fleet. It is made by `startFleet()`. */
export class Fleet {
  readonly #child: ChildProcess;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #emitter = new EventEmitter();
  #port = 0;
  /** Resolves when the primary and all workers have gone; it never rejects. */
  readonly closed: Promise<Ended>;

  /** @param env the environment of the primary */
  constructor(child: ChildProcess, env: Readonly<Record<string, string | undefined>>) {
    this.#child = child;
    this.#env = env;
    this.closed = new Promise((resolve) => {
      // One that cannot be started has no exit; one that runs says so only of a signal that did not reach it.
      child.on('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    child.on('message', (raw) => {
      const message = fromPrimary(raw);
      if (message?.type !== 'event') return;
      if (message.name === 'listening') this.#port = message.data.port;
      this.#emitter.emit(message.name, message.data);
    });
  }

  /** The port that is served; the one that was picked, where that was 0. */
  get port(): number {
    return this.#port;
  }

  /** The pid of the primary. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The log, with `stdio: 'pipe'`; otherwise null. */
  get stdout(): Readable | null {
    return this.#child.stdout;
  }

  /** The log's errors, with `stdio: 'pipe'`; otherwise null. */
  get stderr(): Readable | null {
    return this.#child.stderr;
  }

  /**
   * Calls `listener` at each event of this name, in the order in which they happen. What it throws is the program's own.
   * @throws TypeError for a name that is none
   */
  on<Name extends FleetEventName>(event: Name, listener: (data: FleetEvents[Name]) => void): this {
    this.#emitter.on(known(event), listener);
    return this;
  }

  /** Calls `listener` at the next event of this name. */
  once<Name extends FleetEventName>(event: Name, listener: (data: FleetEvents[Name]) => void): this {
    this.#emitter.once(known(event), listener);
    return this;
  }

  /** Takes a listener away. */
  off<Name extends FleetEventName>(event: Name, listener: (data: FleetEvents[Name]) => void): this {
    this.#emitter.off(known(event), listener);
    return this;
  }

  /** What `hello-server status --json` prints. Rejects when the fleet has gone. */
  async status(): Promise<Status> {
    return (await (await this.#control()).get('/status')) as Status;
  }

  /** Replaces all workers, without losing a request. Rejects with the reason where the reload is abandoned. `force` passes over the verdict on their traffic. */
  reload({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    return this.#do(force ? '/reload?force=true' : '/reload');
  }

  /** Puts the generation before back. Rejects where none stands by. */
  rollback(): Promise<void> {
    return this.#do('/rollback');
  }

  /** Changes the number of workers, 1 to 512; resolves when so many serve. */
  async scale(workers: number): Promise<void> {
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS)
      throw new TypeError(`workers: expected an integer from 1 to ${MAX_WORKERS}, got \`${workers}\``);
    await this.#do(`/scale?workers=${workers}`);
  }

  /** Answers what is in flight, and ends; resolves when all has gone. To call it again changes nothing. */
  stop(): Promise<Ended> {
    if (this.#child.connected) this.#child.send(STOP, () => {});
    else this.#child.kill('SIGTERM');
    return this.closed;
  }

  /** `await using fleet = await startFleet(…)` stops it at the end of its block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #do(path: string): Promise<void> {
    const end: Exclude<Progress, { text: string }> = await (await this.#control()).post(path, () => {});
    if (!('ok' in end) || !end.ok)
      throw new Error('ok' in end ? end.result : 'expected how it ended, got something else');
  }

  async #control(): Promise<Control> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      throw new Error('the fleet has stopped');
    const { CONTROL_SOCKET, HOST } = this.#env;
    const found = await Control.find({
      env: this.#env,
      tmp: this.#env.TMPDIR ?? tmpdir(),
      uid: process.getuid?.() ?? 0,
      explicit: CONTROL_SOCKET || undefined,
      port: this.#port,
      host: HOST || undefined,
    });
    if (typeof found === 'string') throw new Error(found);
    return found;
  }
}

function known(event: FleetEventName): FleetEventName {
  if (FLEET_EVENTS.includes(event)) return event;
  throw new TypeError(`event: expected one of ${FLEET_EVENTS.join(', ')}, got \`${String(event)}\``);
}

/** Resolves when the whole first generation listens; rejects with what was said where it cannot. */
export async function listening(fleet: Fleet, child: ChildProcess): Promise<void> {
  const said: string[] = [];
  child.on('message', (raw) => {
    const message = fromPrimary(raw);
    if (message?.type === 'refused') said.push(...message.problems);
    else if (message?.type === 'event' && message.name === 'failed') said.push(message.data.text);
  });
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
  const listens = new Promise<true>((resolve) => fleet.once('listening', () => resolve(true)));
  const how = await Promise.race([listens, fleet.closed]);
  if (how === true) return;
  if (child.pid === undefined) {
    const { code } = await failed;
    throw new FleetError(`${child.spawnfile}: expected Node there, got ${code}`, null);
  }
  const ended = `ended before it served, with ${how.signal ?? how.code}`;
  throw new FleetError(said.join('\n') || ended, how.code);
}
