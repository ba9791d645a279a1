// What is served and what with: a server's settings, the app's part in it, its events, and what is open on it.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Log } from '../log/logger.ts';
import type { Listener } from './app-module.ts';
import type { Connection } from './connection.ts';
import type { Counts } from './counts.ts';
import type { Upgrade } from './upgrade.ts';

/** Says that a request was answered, after `ms`. `req` is undefined, and `ms` 0, for one the parser refused. */
export type Answered = (
  req: IncomingMessage | undefined,
  socket: Connection,
  statusCode: number,
  ms: number,
) => void;

/** A listener that ran long in one piece: nothing else ran meanwhile. */
export interface SlowTurn {
  readonly method: string;
  /** The target without its query. */
  readonly path: string;
  readonly ms: number;
}

/** Settings of a server; every one has a default. */
export interface ServerSettings {
  /** ms until a request not received whole, or not answered, is a 408; 0 = never. Default 30000. */
  readonly requestTimeoutMs?: number;
  /** ms an idle connection is kept; 0 = closed after each answer. Default 65000. */
  readonly keepAliveTimeoutMs?: number;
  /** Where lifecycle lines go. Default: nowhere. */
  readonly log?: Log;
  /** A listener that runs so many ms in one piece is a slow turn; 0 = none is. Default 0. */
  readonly slowTurnMs?: number;
  /** Called for a slow turn, at most once a second. Default: nothing. */
  readonly slowTurn?: ((turn: SlowTurn) => void) | undefined;
  /** Called for each request answered. Default: nothing. */
  readonly answered?: Answered | undefined;
  /** Called for each request before the app has it. Default: nothing, at no cost. */
  readonly begins?: ((req: IncomingMessage, res: ServerResponse) => void) | undefined;
}

/** What an app does with what comes to its server. */
export interface Served {
  readonly request: Listener;
  /** With a listener of its own to `'checkContinue'`, which then answers. Default: `100`, then `request`. */
  readonly checkContinue?: Listener | undefined;
  /** With a listener of its own to `'checkExpectation'`. Default: `request`. */
  readonly checkExpectation?: Listener | undefined;
  readonly upgrade: Upgrade | undefined;
  /** Whether requests without a body are ended before the app has them. */
  readonly endsEmpty: boolean;
}

/** What is to be done with each of the server's events. */
export interface Events {
  readonly request: (req: IncomingMessage, res: ServerResponse) => void;
  readonly checkContinue: (req: IncomingMessage, res: ServerResponse) => void;
  readonly checkExpectation: (req: IncomingMessage, res: ServerResponse) => void;
  readonly connection: (socket: Connection) => void;
  /** A connection speaks HTTP/2. */
  readonly session: (session: ServerHttp2Session) => void;
  readonly connect: (req: IncomingMessage, stream: Duplex) => void;
  readonly clientError: (error: NodeJS.ErrnoException, stream: Duplex) => void;
  /** Only where the app takes upgrades: a listener makes Node take them for such. */
  readonly upgrade?: (req: IncomingMessage, stream: Duplex, head: Buffer) => void;
}

/** A server and what is open on it. */
export interface Service {
  readonly server: Server;
  /** Open connections. */
  readonly connections: ReadonlySet<Connection>;
  /** Answers not finished when their listener returned, and when they began (ms of `performance.now()`). */
  readonly inFlight: ReadonlyMap<ServerResponse, number>;
  readonly counts: Counts;
  /** So many more answers close their connection; Infinity = all do, 0 = none. */
  closes: number;
  /** Whether every answer closes its connection also outside a drain. */
  readonly closesAlways: boolean;
  /** Whether the server is being closed for good, by us. */
  ending: boolean;
  /** The request whose listener runs right now. */
  current: IncomingMessage | undefined;
  /** How long a listener ran in one piece at most since this was asked last, ms. */
  readonly takeLongestTurn: () => number;
  /** Called when there was no connection open, and now there is one. */
  readonly woken: (() => void)[];
  /** Nobody caught an error: the request that is in flight, if it is just one, has its 500, if its answer has not begun. */
  readonly failAlone: () => void;
}
