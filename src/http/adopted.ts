// A server that the app made and had listen itself: the contract is kept around it, and the app sees what it would alone.

import EventEmitter from 'node:events';
import { createServer, type IncomingMessage, Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Log } from '../log/logger.ts';
import type { Listener } from './app-module.ts';
import { type Aside, apart } from './aside.ts';
import { keepContract } from './contract.ts';
import type { Served, ServerSettings, Service } from './service.ts';
import type { Upgrade } from './upgrade.ts';
import { MAX_HEADER_BYTES } from './validate.ts';

/** What becomes of it. */
export interface Listeners {
  /** The app has closed it while it serves, and not had it listen again. */
  readonly closed: () => void;
}

/** Server and events by the names that Node keeps them under. */
type Internals = Server & {
  maxHeaderSize?: number;
  requireHostHeader: boolean;
  insecureHTTPParser: boolean;
  httpAllowHalfOpen: boolean;
  readonly _events: { readonly request?: unknown };
};

type Kept = ReturnType<typeof keepContract>;

/** A server that the app has closed is given so long to listen again. */
const REOPEN_MS = 1000;
/** Node's mark of an emitter that hands on what its async listeners reject with. */
const CAPTURE = Object.getOwnPropertySymbols(EventEmitter.prototype).find(
  ({ description }) => description === 'kCapture',
);
const placeholder = (): void => {};

const nativeEmit = EventEmitter.prototype.emit;
type Emit = (this: Server, event: string, ...args: unknown[]) => boolean;

/** One adopted server. */
export class Adopted {
  readonly service: Service;
  readonly #server: Internals;
  /** Keeps the contract on it; `#kept` does so now. */
  readonly #keep: (log?: Log) => Kept;
  #kept: Kept;
  readonly #listeners: Listeners;
  /** What the app put in the place of `emit` before it had the server listen. */
  readonly #emitOfApp: Server['emit'] | undefined;
  /** Whether it listens, as the app sees it. */
  #open = true;
  /** Whether the app has been told that it listens. */
  #told = false;
  #address: AddressInfo | string | null = null;
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  #reopen: NodeJS.Timeout | undefined;
  #upgrade: Upgrade | undefined;

  constructor(server: Server, settings: ServerSettings, listeners: Listeners) {
    this.#server = server as Internals;
    this.#listeners = listeners;
    this.#emitOfApp = Object.hasOwn(server, 'emit') ? server.emit : undefined;
    limit(this.#server, settings);
    const below = this.#emitOfApp;
    const prototype = Object.getPrototypeOf(server) as Server;
    // On the way of every request: a single listener is called as it is, unless something stands in between that wants to
    // see it emitted, as instrumentation does that has put its own emit into the prototype.
    const request: Listener = (req, res) => {
      const listener = this.#server._events.request;
      const { emit } = prototype;
      if (below === undefined && emit === nativeEmit && typeof listener === 'function')
        return listener.call(server, req, res);
      return ((below ?? emit) as Emit).call(server, 'request', req, res);
    };
    const served: Served = {
      request,
      checkContinue: (req, res) => this.#emit('checkContinue', req, res),
      checkExpectation: (req, res) =>
        this.#emit(this.#listensFor('checkExpectation') ? 'checkExpectation' : 'request', req, res),
      upgrade: (req, stream, head) =>
        this.#upgrade ? this.#upgrade(req, stream, head) : void this.#emit('upgrade', req, stream, head),
      endsEmpty: false,
    };
    this.#keep = (log) => keepContract(server, served, log ? apart(settings, log) : settings);
    this.#kept = this.#keep();
    this.service = this.#kept.service;
    // Without a listener Node answers these itself.
    server.on('checkExpectation', placeholder);
    server.on('connect', placeholder);
    const rejected = (error: unknown, event: string, req: IncomingMessage, res: ServerResponse): void => {
      if (event === 'request' || event === 'checkContinue' || event === 'checkExpectation')
        this.#kept.fail(req, res, error);
      else void Promise.reject(error);
    };
    Object.assign(server, {
      emit: (event: string, ...args: [never, never]) => {
        if (event !== 'request') return this.#take(event, args);
        this.#kept.events.request(...args);
        return true;
      },
      close: (callback?: (error?: Error) => void) => this.#close(callback),
      address: () => (this.#told ? this.#address : Server.prototype.address.call(server)),
      [EventEmitter.captureRejectionSymbol]: rejected,
      ...(CAPTURE && { [CAPTURE]: true }),
    });
    Object.defineProperty(server, 'listening', { configurable: true, get: () => this.#told && this.#open });
  }

  /** The app takes upgrades by its export, not by listeners of its server. */
  takeUpgrades(upgrade: Upgrade): void {
    if (!this.#upgrade) this.#server.on('upgrade', placeholder); // without a listener Node knows no upgrade
    this.#upgrade = upgrade;
  }

  /** Before it listens: what comes is kept apart, and only by the way that is returned, past the app's `'connection'`. */
  aside(log: Log): Aside {
    const server = this.#server;
    const kept = this.#kept;
    this.#kept = this.#keep(log);
    const isSecure = 'setSecureContext' in server;
    const event = isSecure ? 'secureConnection' : 'connection';
    return {
      isSecure,
      connect: (socket) => {
        Object.assign(socket, { server }); // HTTP/2 of Node 20 looks for it there
        const listener = server.listeners(event).find(({ name }) => name === 'connectionListener'); // Node's own
        if (listener) listener.call(server, socket);
        else this.#emit(event, socket);
      },
      close: () => {
        this.#kept = kept;
      },
    };
  }

  /** Has `bind` make it listen; resolves when it does, rejects with why it cannot. */
  bound(bind: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      bind();
    });
  }

  /** The app has it listen once more: an error as in Node, unless it has closed it. */
  listenAgain(): void {
    if (this.#open) {
      const error = new Error('Listen method has been called more than once without closing.');
      throw Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' });
    }
    clearTimeout(this.#reopen);
    this.#open = true;
    process.nextTick(() => this.#emit('listening'));
  }

  #listensFor(event: string): boolean {
    return this.#server.listeners(event).some((listener) => listener !== placeholder);
  }

  /** Everything that happens to the server passes here first, requests apart. */
  #take(event: string, args: unknown[]): boolean {
    const events = this.#kept.events as unknown as Record<string, (...args: unknown[]) => void>;
    switch (event) {
      case 'checkContinue':
      case 'checkExpectation':
      case 'connect':
      case 'upgrade':
        events[event]?.(...args);
        return true;
      case 'clientError':
        events.clientError?.(...args);
        this.#emit(event, args[0], answered(args[1] as Socket));
        return true;
      case 'connection':
      case 'secureConnection':
        // Of a TLS server the connection that carries HTTP is the second one.
        if (event === 'secureConnection' || !('setSecureContext' in this.#server))
          events.connection?.(args[0]);
        return this.#emit(event, ...args);
      case 'session':
        events.session?.(...args);
        return this.#emit(event, ...args);
      case 'listening':
        this.#settle?.resolve();
        if (this.#told) return true; // it listens again after an abandoned reload, which is no affair of the app
        this.#told = true;
        this.#address = Server.prototype.address.call(this.#server);
        return this.#emit(event, ...args);
      case 'error':
        if (this.#told) return this.#emit(event, ...args);
        this.#settle?.reject(args[0]);
        return true;
      case 'close':
        return true; // of the app's own close() it is told by #close
      default:
        return this.#emit(event, ...args);
    }
  }

  /** Emits to the app: by what it put in the place of `emit`, or what instrumentation put into the prototype. */
  #emit(event: string, ...args: unknown[]): boolean {
    const emit = this.#emitOfApp ?? (Object.getPrototypeOf(this.#server) as Server).emit;
    return (emit as Emit).call(this.#server, event, ...args);
  }

  /** The app's part is over; what is open stays open, and is drained as ever. */
  #close(callback?: (error?: Error) => void): Server {
    if (this.service.ending) {
      if (callback) process.nextTick(callback);
      return Server.prototype.close.call(this.#server);
    }
    if (!this.#open) {
      const error = Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
      if (callback) process.nextTick(callback, error);
      return this.#server;
    }
    this.#open = false;
    if (callback) this.#server.once('close', callback);
    setImmediate(() => this.#emit('close'));
    this.#reopen = setTimeout(() => this.#listeners.closed(), REOPEN_MS).unref();
    return this.#server;
  }
}

/** Done to a connection, these would take the answer away that it has. */
const ENDS: ReadonlySet<unknown> = new Set(['write', 'end', 'destroy', 'destroySoon', 'resetAndDestroy']);

/** A connection as the app sees it that has its error answer already: it can be looked at, and not be written to. */
function answered(socket: Socket): Socket {
  return new Proxy(socket, {
    get: (target, name) => {
      if (name === 'writable') return false;
      if (ENDS.has(name)) return () => false;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Its limits are the app's where those are stricter than ours. What is Node's default is not the app's. */
function limit(server: Internals, { requestTimeoutMs = 0, keepAliveTimeoutMs = 0 }: ServerSettings): void {
  const defaults = createServer();
  const limits = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
  };
  for (const [name, ours] of Object.entries(limits) as [keyof typeof limits, number][]) {
    let own = server[name] === defaults[name] ? 0 : server[name];
    Object.defineProperty(server, name, {
      configurable: true,
      enumerable: true,
      get: () => stricter(own, ours),
      set: (value: number) => {
        own = value;
      },
    });
  }
  server.maxHeaderSize = Math.min(server.maxHeaderSize ?? MAX_HEADER_BYTES, MAX_HEADER_BYTES);
  server.maxHeadersCount = 0; // show all lines: a hidden one would escape validation
  server.requireHostHeader = false;
  server.insecureHTTPParser = false;
  server.httpAllowHalfOpen = true;
}

/** The smaller of two limits of which 0 is none. */
const stricter = (a: number, b: number): number => (a > 0 && b > 0 ? Math.min(a, b) : Math.max(a, b, 0));
