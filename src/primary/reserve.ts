// The primary's reserve of file descriptors: given up when there are no others, so that it stays answerable.

import { closeSync, openSync } from 'node:fs';
import type { Notice } from '../core/notices.ts';

/** So many are held: enough for clients of the control socket and for the program that notifies systemd. */
const HELD = 8;
/** The reserve is held again only when so many more are free, a fork's for instance; else it would come and go. */
const SPARE = 16;

/** A few descriptors that nobody uses. */
export class Reserve {
  readonly #open: () => number;
  readonly #close: (fd: number) => void;
  #held: number[] = [];
  #exhausted = false;
  /** Whether that cannot be found out, as under a permission model. */
  #unknown = false;

  constructor(
    open: () => number = () => openSync('/dev/null', 'r'),
    close: (fd: number) => void = closeSync,
  ) {
    this.#open = open;
    this.#close = close;
    this.#held = this.#take(HELD);
  }

  /** Gives the reserve up when no other descriptor is free, takes it back when many are; says which, when that is new. */
  check(): Notice | undefined {
    if (this.#unknown) return undefined;
    if (!this.#exhausted) {
      const probe = this.#take(1);
      this.#giveBack(probe);
      if (probe.length > 0) return undefined;
      this.#giveBack(this.#held);
      this.#held = [];
      this.#exhausted = true;
      return { notice: 'descriptors exhausted' };
    }
    const taken = this.#take(HELD + SPARE);
    const enough = taken.length === HELD + SPARE;
    this.#held = enough ? taken.splice(0, HELD) : [];
    this.#giveBack(taken);
    this.#exhausted = !enough;
    return enough ? { notice: 'descriptors back' } : undefined;
  }

  /** As many as there are, `count` at most. */
  #take(count: number): number[] {
    const taken: number[] = [];
    try {
      while (taken.length < count) taken.push(this.#open());
    } catch (error) {
      // No more: what was taken so far says how many there are.
      this.#unknown ||= (error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
    }
    return taken;
  }

  #giveBack(fds: readonly number[]): void {
    for (const fd of fds) this.#close(fd);
  }
}
