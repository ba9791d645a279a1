// Tells the primary which requests this worker has been working on for a while, so that it knows should the worker die.

import type { ServerResponse } from 'node:http';
import { heldNow, heldSince, nameOf } from '../http/held.ts';
import type { Service } from '../http/service.ts';

/** Looked for so often, as long as connections are open; requests that are older than this are told, ms. */
const LONG_MS = 100;

/** What one worker holds. */
export class Holding {
  readonly #tell: (requests: readonly string[]) => void;
  #service: Service | undefined;
  #told: readonly ServerResponse[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param tell takes the requests whenever they are others than before */
  constructor(tell: (requests: readonly string[]) => void) {
    this.#tell = tell;
  }

  /** Looks from now on. */
  begin(service: Service): void {
    this.#service = service;
    service.woken.push(() => this.#wake());
    if (service.connections.size > 0) this.#wake();
  }

  /** All that is held at this moment. */
  get now(): string[] {
    return this.#service ? heldNow(this.#service) : [];
  }

  #wake(): void {
    this.#timer ??= setInterval(() => this.#look(), LONG_MS).unref();
  }

  #look(): void {
    const service = this.#service;
    if (!service) return;
    if (service.connections.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    if (service.inFlight.size === 0 && this.#told.length === 0) return;
    const held = heldSince(service, performance.now() - LONG_MS);
    if (held.length === this.#told.length && held.every((res, i) => res === this.#told[i])) return;
    this.#told = held;
    this.#tell(held.map(({ req }) => nameOf(req)));
  }
}
