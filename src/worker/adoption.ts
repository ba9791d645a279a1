// Watches for the app's first HTTP server to listen on TCP: that one serves on the fleet's socket.

import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import { constants as osConstants } from 'node:os';

/** Node's own, for this worker's ends. */
export const nativeListen = Server.prototype.listen;

/** Where the app asked its server to listen. */
export interface Asked {
  readonly port: number;
  readonly host: string | undefined;
}

/** What becomes of a server that the app has listen. */
export interface Listeners {
  /** The first one; what is returned is called when the app has it listen once more. */
  readonly adopted: (server: HttpServer, asked: Asked | undefined) => () => void;
  /** Where the first one listens, or is about to. */
  readonly servedAt: () => Asked;
  /** The app is served by its export already, and had a server listen all the same. */
  readonly needless: () => void;
}

/** The interception of `listen`, for the life of the worker. */
export class Adoption {
  readonly #listeners: Listeners;
  #server: Server | undefined;
  #listenAgain: () => void = () => {};
  #exported = false;
  /** Servers of the app that listen beside the one that is served. */
  readonly others = new Set<Server>();

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
    const adoption = this;
    Server.prototype.listen = function listen(this: Server, ...args: unknown[]) {
      return adoption.#listen(this, args);
    } as Server['listen'];
  }

  /** The app is served by what it exports: a server of its own that listens later is not needed. */
  exported(): void {
    this.#exported = true;
  }

  /** Takes a server that the app made and did not have listen. */
  take(server: HttpServer): void {
    this.#adopt(server, undefined);
  }

  #listen(server: Server, args: unknown[]): Server {
    // A server that is about to listen does so by way of the primary, and that is a reason for the app to go on.
    process.channel?.ref();
    const asked = askedIn(args);
    const isFirst = this.#server === undefined && asked !== undefined && 'headersTimeout' in server;
    if (server !== this.#server && !isFirst) {
      if (asked && this.#isTaken(asked)) return refused(server, asked);
      this.others.add(server);
      return nativeListen.apply(server, args as never);
    }
    const callback = args.at(-1);
    if (this.#exported && isFirst) {
      this.#server = server;
      this.#listenAgain = () => {};
      this.#listeners.needless();
      if (typeof callback === 'function') server.once('listening', callback as () => void);
      setImmediate(() => server.emit('listening'));
      return server;
    }
    if (server === this.#server) this.#listenAgain();
    if (typeof callback === 'function') server.once('listening', callback as () => void);
    if (isFirst) this.#adopt(server as HttpServer, asked);
    return server;
  }

  /**
   * Whether that is where the first server is served. node:cluster would not tell: it would share the socket of an older
   * worker, and what the second server accepted from it nobody would drain.
   */
  #isTaken({ port, host }: Asked): boolean {
    if (this.#server === undefined || port === 0) return false;
    const served = this.#listeners.servedAt();
    const isSame = host === undefined || served.host === undefined || host === served.host;
    return port === served.port && isSame;
  }

  #adopt(server: HttpServer, asked: Asked | undefined): void {
    this.#server = server;
    this.#listenAgain = this.#listeners.adopted(server, asked);
  }
}

/** The answer to a listen on an address that is taken, as Node gives it: an error, a little later. */
function refused(server: Server, { port, host = '::' }: Asked): Server {
  const error = new Error(`listen EADDRINUSE: address already in use ${host}:${port}`);
  const errno = -osConstants.errno.EADDRINUSE;
  const fields = { code: 'EADDRINUSE', errno, syscall: 'listen', address: host, port };
  setImmediate(() => server.emit('error', Object.assign(error, fields)));
  return server;
}

/** Port and address in the arguments of `listen`; undefined for a path, a descriptor or a handle. */
function askedIn([first, second]: unknown[]): Asked | undefined {
  const options =
    typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : undefined;
  if (options && ['path', 'fd', 'handle', '_handle'].some((name) => options[name] !== undefined))
    return undefined;
  const port = options ? options.port : typeof first === 'function' ? undefined : first;
  const host = options ? options.host : second;
  const number = Number(port ?? 0);
  if (port === '' || !Number.isInteger(number) || number < 0 || number > 65_535) return undefined;
  return { port: number, host: typeof host === 'string' && host !== '' ? host : undefined };
}
