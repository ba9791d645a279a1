// The primary's clock: monotonic, and standing still while the primary itself does, so that its pause kills nobody.

/** The run loop looks at the clock at least so often. */
export const TICK_MS = 500;
/** A gap longer than this was a pause (SIGSTOP, a suspended machine), not a tick. */
const PAUSE_MS = 750;

/** Counts ms since some moment, without the pauses of this process. */
export class Clock {
  readonly #source: () => number;
  #last: number;
  #paused = 0;

  /** @param source a monotonic clock in ms; not `performance`, which takes 3 ms to load before the first fork */
  constructor(source: () => number = () => Number(process.hrtime.bigint()) / 1e6) {
    this.#source = source;
    this.#last = source();
  }

  now(): number {
    const real = this.#source();
    const gap = real - this.#last;
    this.#last = real;
    if (gap > PAUSE_MS) this.#paused += gap - TICK_MS;
    return real - this.#paused;
  }
}
