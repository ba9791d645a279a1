// The primary's clock: monotonic, and standing still while the primary itself does, so that its pause kills nobody.

/** What comes so much later than it was due was held up by a pause (SIGSTOP, a suspended machine). */
const LATE_MS = 250;

/** Counts ms since some moment, without the pauses of this process. */
export class Clock {
  readonly #source: () => number;
  /** It is looked at again within so long. */
  #within = 0;
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
    // Never all of it: deadlines have to pass also where everything comes late.
    if (gap > this.#within + LATE_MS) this.#paused += gap - Math.max(this.#within, LATE_MS);
    return real - this.#paused;
  }

  /** It will be looked at again within `ms` from now on, unless there is a pause. */
  expectWithin(ms: number): void {
    this.now();
    this.#within = ms;
  }
}
