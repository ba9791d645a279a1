// The app's `lead`, for work that must run once in the whole fleet: called when the primary says so, until it says no more.

/** The app's part: works until `signal` aborts, then hands over by returning. */
export type Lead = (signal: AbortSignal) => unknown;

/** What is told of it. */
export interface Listeners {
  /** It has handed over, or failed. */
  readonly yielded: (failed: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** One worker's part in it. */
export class Leading {
  readonly #listeners: Listeners;
  #abort: AbortController | undefined;
  /** Whether the call goes on. */
  #running = false;
  #asked = false;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  /** Calls it. One that returns before it is asked to is done with its work, and stays the one that leads. */
  async begin(lead: Lead | undefined): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#asked = false;
    this.#running = true;
    let failed = false;
    try {
      await lead?.(abort.signal);
    } catch (error) {
      // What it throws because it was asked to end is no failure.
      failed = !abort.signal.aborted;
      if (failed) this.#listeners.failed(error);
    }
    this.#running = false;
    if (!failed && !this.#asked) return;
    this.#abort = undefined;
    this.#listeners.yielded(failed);
  }

  /** Has it end; also when nobody is left to tell. */
  end(): void {
    if (!this.#abort) return;
    this.#asked = true;
    this.#abort.abort();
    if (this.#running) return;
    this.#abort = undefined;
    this.#listeners.yielded(false);
  }
}
