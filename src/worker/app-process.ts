// What the app does with its process, which it believes its own: its listeners on stop signals run when the worker has
// drained, and a process.exit() before that asks for a replacement. So nothing in flight is lost, whatever they do.

import { placeBelow, placeOfNodesExit } from './exit-place.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;
type GatedSignal = (typeof SIGNALS)[number];

const nodesExit: (code: number) => never = process.exit.bind(process);
/** Whether this worker ends the process itself. */
let isOurs = false;

/** Node's own exit, for this worker's own ends. */
export function exitProcess(code: number): never {
  isOurs = true;
  return nodesExit(code);
}

/** Codes that an app's shutdown ends with when all is well: 0, or 128 and the number of the signal it was told. */
const FINE: ReadonlySet<number> = new Set([0, 129, 130, 131, 143]);

/** What reaches the worker in the place of the app. */
export interface Listeners {
  readonly signal: (signal: GatedSignal) => void;
  /** The app has called process.exit() while it serves, at `place`: `file:line`. */
  readonly exit: (code: number, place: string | undefined) => void;
}

/** The app's view of its process, from before the app is loaded to the end. */
export class AppProcess {
  readonly #listeners: Listeners;
  readonly #emit = process.emit.bind(process) as (event: string, ...rest: unknown[]) => boolean;
  /** How many listeners to the channel are not the app's. */
  #ownMessageListeners = 0;
  #stage: 'booting' | 'serving' | 'over' = 'booting';
  /** Where the app has called the exit that ends the process. */
  #exitPlace: string | undefined;

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
    const exit = (code?: number | string | null): void => this.#exit(code, placeBelow(exit));
    Object.assign(process, { exit });
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

  /** To be asked when the process exits: where the app has called Node's exit; undefined = it has not. */
  get exit(): { readonly place: string | undefined } | undefined {
    if (isOurs) return undefined;
    const place = this.#exitPlace ?? placeOfNodesExit();
    return place === undefined ? undefined : { place };
  }

  #exit(given: number | string | null | undefined, place: string | undefined): void {
    const number = Number(given ?? process.exitCode ?? 0);
    const code = Number.isInteger(number) ? number : 1;
    if (this.#stage === 'serving') {
      this.#listeners.exit(code, place);
      return;
    }
    this.#exitPlace = place;
    nodesExit(this.#stage === 'over' && FINE.has(code) ? 0 : code);
  }
}

/** The place of a listener to a signal that the worker answers. */
const held = (): void => {};
