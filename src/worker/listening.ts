// A worker's listening socket: made by the first workers, held by the primary, and from then on handed out by it.

import type { Server } from 'node:net';
import * as messages from '../core/messages.ts';
import type { Assignment } from '../core/protocol.ts';
import { BootError } from './load-app.ts';

/** Where one worker's server listens. */
export class Listening {
  readonly #assignment: Assignment;
  #take: (socket: object) => void = () => {};
  readonly #held = new Promise<object>((resolve) => {
    this.#take = resolve;
  });

  constructor(assignment: Assignment) {
    this.#assignment = assignment;
  }

  /** The socket that the primary holds has come. */
  take(socket: object): void {
    this.#take(socket);
  }

  /** Has the server listen; throws a {@link BootError} that says why it cannot. */
  async listen(server: Server): Promise<void> {
    const { port, held, config } = this.#assignment;
    const socket = held ? await this.#held : undefined;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new BootError(messages.cannotListen(port, config.host, error.code, error.message)));
      });
      this.bind(server, socket, resolve);
    });
  }

  /** Has the server listen on `socket`, else on the one that systemd passed, else on the configured port. */
  bind(server: Server, socket: object | undefined, listening: () => void): void {
    const { port, fd, config } = this.#assignment;
    if (socket) server.listen(socket, listening);
    else if (fd !== undefined) server.listen({ fd }, listening);
    else server.listen(config.host === undefined ? { port } : { port, host: config.host }, listening);
  }

  /** The port really bound, and the socket for the primary to hold, where this worker made it. */
  made(server: Server): { port: number; socket: Server | undefined } {
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : this.#assignment.port;
    // Under Node's own round robin a worker has no socket that could be held.
    const shared = process.env.NODE_CLUSTER_SCHED_POLICY !== 'rr';
    return { port, socket: shared && !this.#assignment.held ? handleOf(server) : undefined };
  }
}

/** The listening socket under a server. Sent as it is, it starts no second server at the other end. */
const handleOf = (server: Server): Server | undefined => (server as unknown as { _handle?: Server })._handle;
