// What the app does with its process, which it believes its own: its listeners on stop signals run when the worker has
// drained, and a process.exit() before that asks for a replacement. So nothing in flight is lost, whatever they do.

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;
type GatedSignal = (typeof SIGNALS)[number];

/** Node's own exit, for this worker's own ends. */
export const exitProcess: (code: number) => never = process.exit.bind(process);

/** Codes that an app's shutdown ends with when all is well: 0, or 128 and the number of the signal it was told. */
const FINE: ReadonlySet<number> = new Set([0, 129, 130, 131, 143]);

/** What reaches the worker in the place of the app. */
export interface Listeners {
  readonly signal: (signal: GatedSignal) => void;
  /** The app has called process.exit() while it serves. */
  readonly exit: (code: number) => void;
}

/** The app's view of its process, from before the app is loaded to the end. */
export class AppProcess {
  readonly #listeners: Listeners;
  readonly #emit = process.emit.bind(process) as (event: string, ...rest: unknown[]) => boolean;
  /** How many listeners to the channel are not the app's. */
  #ownMessageListeners = 0;
  #stage: 'booting' | 'serving' | 'over' = 'booting';

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
    // Node calls what process.emit is when the first listener to a signal comes. Modules that NODE_OPTIONS imports, for
    // tracing say, may have been here before: their listeners come anew.
    const before = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
    for (const signal of SIGNALS) process.removeAllListeners(signal);
    Object.assign(process, { emit: (event: string, ...rest: unknown[]) => this.#take(event, rest) });
    for (const [signal, listeners] of before)
      for (const listener of [held, ...listeners]) process.on(signal, listener as () => void);
    // Without a listener a signal would end the process: an app that removes all of them has none itself, no more.
    process.on('removeListener', (event, listener) => {
      if (listener === held) process.on(event as GatedSignal, held);
    });
    Object.assign(process, { exit: (code?: number | string | null) => this.#exit(code) });
  }

  /** The app is about to be loaded: listeners to the channel that come from now on are its own. */
  begin(): void {
    this.#ownMessageListeners = process.listenerCount('message');
  }

  /** From now on an exit is a request. */
  serve(): void {
    if (this.#stage === 'booting') this.#stage = 'serving';
  }

  /** The worker has drained: from now on an exit is one. */
  drained(): void {
    this.#stage = 'over';
  }

  /**
   * Runs the app's own shutdown, once: its listeners to the first of the signals that it has
   * any for, or pm2's message. Returns whether it has one; when that is done the app exits, or has nothing left to do.
   */
  shutDown(): boolean {
    const signal = SIGNALS.find((name) => process.listeners(name).some((listener) => listener !== held));
    if (signal) this.#emit(signal, signal);
    else if (process.listenerCount('message') > this.#ownMessageListeners) this.#emit('message', 'shutdown');
    else return false;
    return true;
  }

  #take(event: string, rest: unknown[]): boolean {
    const signal = SIGNALS.find((name) => name === event);
    if (!signal) return this.#emit(event, ...rest);
    this.#listeners.signal(signal);
    return true;
  }

  #exit(given: number | string | null | undefined): void {
    const number = Number(given ?? process.exitCode ?? 0);
    const code = Number.isInteger(number) ? number : 1;
    if (this.#stage === 'booting') exitProcess(code);
    else if (this.#stage === 'over') exitProcess(FINE.has(code) ? 0 : code);
    else this.#listeners.exit(code);
  }
}

/** The place of a listener to a signal that the worker answers. */
const held = (): void => {};
