// Runs a fleet from code: the primary is a process of its own, so that nothing this process does can hold it up.

import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { Status } from '../control/status.ts';
import type { ToCaller } from '../core/caller.ts';
import type { Exit, FleetEvents } from '../core/fleet-events.ts';
import { type Fleet, FleetError } from './fleet.ts';
import { checkWorkers, type FleetOptions, launchOf } from './options.ts';
import { PrimaryProcess } from './primary-process.ts';

/**
 * Starts a fleet with the primary in this file. Resolves when its whole first generation serves.
 * Rejects with a TypeError where the options are wrong, with a {@link FleetError} where it cannot serve, and with the reason
 * of `signal` where that aborts before; nothing is left of it then.
 */
export async function startFleetOf(main: string, options: FleetOptions = {}): Promise<Fleet> {
  const launch = launchOf(options, { env: process.env, node: process.execPath, cwd: process.cwd() });
  const { signal } = launch;
  signal?.throwIfAborted();
  const fleet = new RunningFleet(main, launch);
  const stop = (): void => void fleet.stop();
  signal?.addEventListener('abort', stop, { once: true });
  void fleet.closed.then(() => signal?.removeEventListener('abort', stop));
  await fleet.serves(signal);
  return fleet;
}

/** The fleet of one primary. */
class RunningFleet implements Fleet {
  readonly #primary: PrimaryProcess;
  readonly #events = new EventEmitter();
  readonly closed: Promise<Exit>;
  port = 0;
  /** What is told before anybody can listen: the events of the start, which come when `startFleet` has resolved. */
  #early: (() => void)[] | undefined = [];
  /** Why it cannot serve, as far as it said so. */
  #reason: string | undefined;
  #serves: () => void = () => {};
  readonly #served = new Promise<void>((resolve) => {
    this.#serves = resolve;
  });

  constructor(main: string, launch: ConstructorParameters<typeof PrimaryProcess>[1]) {
    this.#primary = new PrimaryProcess(main, launch, (message) => this.#told(message));
    this.closed = this.#primary.ended.then(({ code, signal }) => ({ code, signal }));
    // Behind all that was told.
    void this.closed.then((exit) => this.#emit('closed', exit));
  }

  /** Resolves when it serves, and rejects when it will not. */
  async serves(signal: AbortSignal | undefined): Promise<void> {
    const ended = await Promise.race([this.#served, this.#primary.ended]);
    if (ended) {
      signal?.throwIfAborted();
      throw this.#failure(ended);
    }
    if (signal?.aborted) {
      await this.closed;
      signal.throwIfAborted();
    }
    setImmediate(() => this.#tellEarly());
  }

  #failure({ code, signal, error }: Exit & { readonly error?: Error }): FleetError {
    if (error) return new FleetError(`the primary cannot be started: ${error.message}`, null);
    const how = code === null ? `died of ${signal}` : `ended with code ${code}`;
    return new FleetError(this.#reason ?? `the primary ${how} before it served`, code);
  }

  #tellEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const tell of early) tell();
  }

  #told(message: ToCaller): void {
    switch (message.type) {
      case 'serves':
        this.port = message.port;
        this.#serves();
        return;
      case 'refused':
        this.#reason = message.reason;
        return;
      case 'told': {
        const { level, text, event } = message;
        if (level === 'fatal') this.#reason ??= text;
        this.#emit('notice', { level, text });
        if (event) this.#emit(event.name, { ...event.data, text } as FleetEvents[typeof event.name]);
        return;
      }
      case 'missed':
        this.#emit('missed', { notices: message.notices });
        return;
      default:
        return; // of another version, and none that this one knows
    }
  }

  #emit<E extends keyof FleetEvents>(name: E, event: FleetEvents[E]): void {
    if (this.#early) this.#early.push(() => this.#events.emit(name, event));
    else this.#events.emit(name, event);
  }

  get pid(): number {
    return this.#primary.child.pid ?? 0;
  }

  get stdout(): Readable | null {
    return this.#primary.child.stdout;
  }

  get stderr(): Readable | null {
    return this.#primary.child.stderr;
  }

  async status(): Promise<Status> {
    return (await this.#primary.ask({ ask: 'status' })) as Status;
  }

  async reload({ force = false }: { readonly force?: boolean | undefined } = {}): Promise<void> {
    await this.#primary.ask({ ask: 'reload', force });
  }

  async rollback(): Promise<void> {
    await this.#primary.ask({ ask: 'rollback' });
  }

  async scale(workers: number): Promise<void> {
    checkWorkers(workers);
    await this.#primary.ask({ ask: 'scale', workers });
  }

  async stop(): Promise<Exit> {
    // One that goes meanwhile, or has gone, is what was wanted.
    await this.#primary.ask({ ask: 'stop' }).catch(() => {});
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  on<E extends keyof FleetEvents>(event: E, listener: (told: FleetEvents[E]) => void): this {
    this.#events.on(event, listener);
    return this;
  }

  once<E extends keyof FleetEvents>(event: E, listener: (told: FleetEvents[E]) => void): this {
    this.#events.once(event, listener);
    return this;
  }

  off<E extends keyof FleetEvents>(event: E, listener: (told: FleetEvents[E]) => void): this {
    this.#events.off(event, listener);
    return this;
  }
}
