// Taking a server out of the rotation without losing what is open on it; http-terminator ends what is left.

import { once } from 'node:events';
import { Server as NetServer } from 'node:net';
import { createHttpTerminator, type HttpTerminator } from 'http-terminator';
import type { DrainReason } from '../core/protocol.ts';
import type { Service } from './server.ts';

/** In a stop an idle connection is given so long to be used once more. */
const IDLE_MS = 500;
/** How often a drain looks whether it is done. */
const POLL_MS = 20;

/** Drains one service. Make it before the service listens: http-terminator knows only sockets accepted after it. */
export class Drain {
  readonly #service: Service;
  readonly #terminator: HttpTerminator;
  #deadline = Infinity;
  #idleUntil = Infinity;
  #finished: Promise<number> | undefined;

  constructor(service: Service) {
    this.#service = service;
    this.#terminator = createHttpTerminator({ server: service.server, gracefulTerminationTimeout: 1 });
  }

  /**
   * Stops accepting and leaves open connections alone. Not `http.Server#close()`: that destroys idle connections,
   * and stops the sweeper of slow requests.
   */
  leave(): void {
    const { server } = this.#service;
    if (server.listening) NetServer.prototype.close.call(server);
  }

  /**
   * Finishes what is open, closing each connection with its next answer; a `stop` ends idle ones after half a second,
   * a replacement lets them run out by themselves. Resolves with the number of connections cut after `graceMs`.
   * A second call, a stop during a replacement, sets the pace of the first.
   */
  finish(why: DrainReason, graceMs: number): Promise<number> {
    const now = performance.now();
    this.#deadline = now + graceMs;
    this.#idleUntil = why === 'stop' ? now + IDLE_MS : Infinity;
    this.#finished ??= this.#run();
    return this.#finished;
  }

  async #run(): Promise<number> {
    const service = this.#service;
    this.leave();
    service.closing = true;
    while (service.connections.size > 0) {
      const now = performance.now();
      if (now >= this.#deadline) break;
      if (now >= this.#idleUntil) this.#closeIdle();
      await pause(Math.min(POLL_MS, this.#deadline - now));
    }
    this.#closeIdle();
    await pause(0);
    const cut = service.connections.size;
    await this.#terminate();
    return cut;
  }

  #closeIdle(): void {
    const { server, connections } = this.#service;
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    // Node counts a connection as idle whose answer is ended but not yet sent: wait for a slow reader.
    for (const { _httpMessage: answer } of connections) if (answer?.finished) return;
    server.closeIdleConnections();
  }

  async #terminate(): Promise<void> {
    try {
      await this.#terminator.terminate();
    } catch (error) {
      // The server has stopped listening long ago; that is the one error expected here.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SERVER_NOT_RUNNING') throw error;
    }
  }

  /** Resolves when the service listens again. */
  async rejoin(listen: () => void): Promise<void> {
    this.#service.closing = this.#service.closesAlways;
    listen();
    await once(this.#service.server, 'listening');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
