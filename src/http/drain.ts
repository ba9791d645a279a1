// Taking a server out of the rotation without losing what is open on it; http-terminator ends what is left.

import { Server as HttpServer } from 'node:http';
import { Server as NetServer } from 'node:net';
import { createHttpTerminator, type HttpTerminator } from 'http-terminator';
import type { DrainReason } from '../core/protocol.ts';
import type { Connection } from './connection.ts';
import { goAway } from './http2.ts';
import { Endings } from './long-lived.ts';
import type { Service } from './service.ts';

/** In a stop an idle connection is given so long to be used once more. */
const IDLE_MS = 500;
/** How often a drain looks whether it is done. */
const POLL_MS = 20;

/** Drains one service. Make it before the service listens: http-terminator knows only sockets accepted after it. */
export class Drain {
  readonly #service: Service;
  readonly #terminator: HttpTerminator;
  readonly #endings: Endings;
  #deadline = Infinity;
  #idleUntil = Infinity;
  #finished: Promise<number> | undefined;
  /** While it is asleep, a number of its own; else undefined. */
  #asleep: symbol | undefined;

  constructor(service: Service) {
    this.#service = service;
    this.#endings = new Endings(service);
    this.#terminator = createHttpTerminator({ server: service.server, gracefulTerminationTimeout: 1 });
  }

  /**
   * Stops accepting and leaves open connections alone. Not `http.Server#close()`: that destroys idle connections,
   * and stops the sweeper of slow requests.
   */
  leave(): void {
    const { server } = this.#service;
    if ((server as { _handle?: unknown })._handle) NetServer.prototype.close.call(server);
  }

  /**
   * Finishes what is open, closing each connection with its next answer; a `stop` ends idle ones after half a second,
   * a replacement lets them run out by themselves. Resolves with the number of connections cut after `graceMs`.
   * A second call, a stop during a replacement, sets the pace of the first.
   */
  finish(why: DrainReason, graceMs: number): Promise<number> {
    this.#asleep = undefined;
    const now = performance.now();
    this.#deadline = now + graceMs;
    this.#idleUntil = why === 'stop' ? now + IDLE_MS : Infinity;
    this.#endings.begin(now + graceMs / 2);
    this.#finished ??= this.#run();
    return this.#finished;
  }

  /** Finishes what is open like a replacement does, but may rejoin. Resolves with the number of connections cut. */
  async sleep(graceMs: number): Promise<number> {
    const { connections } = this.#service;
    const deadline = performance.now() + graceMs;
    const asleep = Symbol('asleep');
    this.#asleep = asleep;
    this.#endings.begin(performance.now() + graceMs / 2);
    while (connections.size > 0 && this.#asleep === asleep) {
      const now = performance.now();
      if (now >= deadline) break;
      this.#endings.look(now);
      goAway(connections, now);
      await pause(Math.min(POLL_MS, deadline - now));
    }
    if (this.#asleep !== asleep) return 0;
    const left = [...connections];
    for (const socket of left) {
      socket.isCut = true;
      socket.destroy();
    }
    return left.length;
  }

  async #run(): Promise<number> {
    const service = this.#service;
    this.leave();
    service.closes = Infinity;
    while (service.connections.size > 0) {
      const now = performance.now();
      if (now >= this.#deadline) break;
      this.#endings.look(now);
      goAway(service.connections, now);
      if (now >= this.#idleUntil) this.#closeIdle();
      await pause(Math.min(POLL_MS, this.#deadline - now));
    }
    this.#closeIdle();
    await pause(0);
    const cut = [...service.connections].filter(({ lingers }) => !lingers).length;
    await this.#terminate();
    return cut;
  }

  #closeIdle(): void {
    const { server, connections } = this.#service;
    for (const socket of connections) if (socket.bytesRead === 0 && !socket.session) socket.destroy();
    // Node counts a connection as idle whose answer is ended but not yet sent to a slow reader, or whose client goes on
    // sending: these are not to be destroyed meanwhile.
    const busy = [...connections].filter((socket) => socket.lingers || socket._httpMessage?.finished);
    for (const socket of busy) socket.destroy = () => socket;
    // An app, or a library of its, may have put another in its place.
    HttpServer.prototype.closeIdleConnections.call(server);
    for (const socket of busy) delete (socket as Partial<Connection>).destroy;
  }

  async #terminate(): Promise<void> {
    this.#service.ending = true;
    for (const socket of this.#service.connections) socket.isCut = true;
    try {
      await this.#terminator.terminate();
    } catch (error) {
      // The server has stopped listening long ago; that is the one error expected here.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SERVER_NOT_RUNNING') throw error;
    } finally {
      this.#service.ending = false;
    }
  }

  /** Has so many connections go to other workers, each with its next answer; the count holds until the next, or a drain. */
  ease(connections: number): void {
    if (this.#service.closes !== Infinity) this.#service.closes = connections;
  }

  /** Answers leave connections open again; the caller has the server listen. */
  rejoin(): void {
    this.#asleep = undefined;
    this.#service.closes = this.#service.closesAlways ? Infinity : 0;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
