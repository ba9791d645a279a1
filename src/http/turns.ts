// Watches how long listeners run in one piece: while one does, its process answers nobody. Names those that run too long.

import type { IncomingMessage } from 'node:http';
import type { Counts } from './counts.ts';
import type { ServerSettings } from './service.ts';

/** One slow turn is named in so long. All are counted. */
const NAMED_MS = 1000;

/** The turns of a server's listeners. */
export class Turns {
  /** A turn that took longer is to be added, ms: the one comparison that a request costs. */
  watchMs = 0;
  #longestMs = 0;
  readonly #limitMs: number;
  readonly #say: ServerSettings['slowTurn'];
  readonly #counts: Counts;
  #saidAt = -Infinity;

  constructor({ slowTurnMs = 0, slowTurn }: ServerSettings, counts: Counts) {
    this.#limitMs = slowTurnMs || Infinity;
    this.#say = slowTurn;
    this.#counts = counts;
  }

  /** The listener of `req` ran for `ms`, longer than `watchMs`. */
  add({ method = '-', url = '-' }: IncomingMessage, ms: number): void {
    this.#longestMs = Math.max(this.#longestMs, ms);
    this.watchMs = Math.min(this.#longestMs, this.#limitMs);
    if (ms <= this.#limitMs) return;
    this.#counts.slowTurns += 1;
    const now = performance.now();
    if (now - this.#saidAt < NAMED_MS) return;
    this.#saidAt = now;
    this.#say?.({ method, path: url.split('?', 1)[0] ?? url, ms });
  }

  /** The longest turn since this was asked last, ms. */
  takeLongest(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    this.watchMs = 0;
    return longest;
  }
}
