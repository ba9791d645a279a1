// A worker's listening socket: made by the first workers, held by the primary, and from then on handed out by it.

import { Server } from 'node:net';
import type { Assignment } from '../core/protocol.ts';
import { cannotListen } from '../log/wording.ts';
import { type Asked, nativeListen } from './adoption.ts';
import { BootError } from './load-app.ts';

/** Resolves when what is passed has made the server listen, rejects with why it cannot. */
export type Bound = (bind: () => void) => Promise<void>;

/** For a server whose events nobody stands between. */
export const boundBy =
  (server: Server): Bound =>
  (bind) =>
    new Promise((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
      bind();
    });

/** Where one worker's server listens. */
export class Listening {
  readonly #assignment: Assignment;
  #asked: Asked | undefined;
  #server: Server | undefined;
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

  /** The app wants it to listen there: that counts as far as nobody has said otherwise. */
  prefer(asked: Asked): void {
    this.#asked = asked;
  }

  /** Has the server listen, by `bound`, which resolves when it does; throws a {@link BootError} that says why it cannot. */
  async listen(server: Server, bound: Bound): Promise<void> {
    const { held } = this.#assignment;
    const socket = held ? await this.#held : undefined;
    try {
      await bound(() => this.bind(server, socket));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = cannotListen(this.#port, this.#host, code, message);
      throw new BootError(reason, undefined, { noPort: true });
    }
  }

  /** Has the server listen on `socket`, else on the one that systemd passed, else on the port and address to be had. */
  bind(server: Server, socket: object | undefined): void {
    const { fd } = this.#assignment;
    this.#server = server;
    const port = this.#port;
    const host = this.#host;
    const where = socket ?? (fd !== undefined ? { fd } : host === undefined ? { port } : { port, host });
    nativeListen.call(server, where as { port: number });
  }

  /** Where it listens, or is about to. */
  get where(): Asked {
    const bound = this.#server && portOf(this.#server);
    return { port: bound ?? this.#port, host: this.#host };
  }

  get #port(): number {
    const { port, portGiven } = this.#assignment;
    return portGiven ? port : (this.#asked?.port ?? port);
  }

  get #host(): string | undefined {
    return this.#assignment.config.host ?? this.#asked?.host;
  }

  /** The port really bound, and the socket for the primary to hold, where this worker made it. */
  made(server: Server): { port: number; socket: Server | undefined } {
    const port = portOf(server) ?? this.#assignment.port;
    const { roundRobin, held } = this.#assignment;
    return { port, socket: roundRobin || held ? undefined : handleOf(server) };
  }
}

/** The listening socket under a server. Sent as it is, it starts no second server at the other end. */
const handleOf = (server: Server): Server | undefined => (server as unknown as { _handle?: Server })._handle;

/** The port that a server listens on. Not by server.address(), which may be the app's view. */
function portOf(server: Server): number | undefined {
  const address = Server.prototype.address.call(server);
  return typeof address === 'object' && address ? address.port : undefined;
}
