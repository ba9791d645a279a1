// Names the listeners that run too long in one piece: while one does, its process answers nobody.

import type { IncomingMessage } from 'node:http';
import type { Counts } from './counts.ts';
import type { ServerSettings } from './service.ts';

/** One is named in so long. All are counted. */
const NAMED_MS = 1000;

/** The slow turns of a server. */
export class SlowTurns {
  /** A listener that ran longer was slow, ms. */
  readonly limitMs: number;
  readonly #say: ServerSettings['slowTurn'];
  readonly #counts: Counts;
  #saidAt = -Infinity;

  constructor({ slowTurnMs = 0, slowTurn }: ServerSettings, counts: Counts) {
    this.limitMs = slowTurnMs || Infinity;
    this.#say = slowTurn;
    this.#counts = counts;
  }

  /** The listener of `req` ran for `ms`. */
  add({ method = '-', url = '-' }: IncomingMessage, ms: number): void {
    this.#counts.slowTurns += 1;
    const now = performance.now();
    if (now - this.#saidAt < NAMED_MS) return;
    this.#saidAt = now;
    this.#say?.({ method, path: url.split('?', 1)[0] ?? url, ms });
  }
}
