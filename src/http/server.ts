// An HTTP server that keeps the contract around an app: validation, error answers, timeouts, draining, counting.

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import * as messages from '../core/messages.ts';
import type { Log } from '../log/logger.ts';
import type { App, Listener } from './app.ts';
import { type Connection, type ErrorStatus, errorBody, errorHeaders, refuse } from './refusal.ts';
import { fault, MAX_HEADER_BYTES } from './validate.ts';

/** How often timeouts are looked at, ms. */
const SWEEP_MS = 500;

/** Says that a request was answered. `req` is undefined for one the parser refused; `startedAt` is 0 unless `timed`. */
export type Answered = (
  req: IncomingMessage | undefined,
  socket: Connection,
  statusCode: number,
  startedAt: number,
) => void;

/** Settings of a server; every one has a default. */
export interface ServerSettings {
  /** ms until a request not received whole, or not answered, is a 408; 0 = never. Default 30000. */
  readonly requestTimeoutMs?: number;
  /** ms an idle connection is kept; 0 = closed after each answer. Default 65000. */
  readonly keepAliveTimeoutMs?: number;
  /** Where lifecycle lines go. Default: nowhere. */
  readonly log?: Log;
  /** Called for each request answered. Default: nothing. */
  readonly answered?: Answered | undefined;
  /** Whether `answered` is told when the request began. Default false. */
  readonly timed?: boolean;
}

/** A server and what is open on it. */
export interface Service {
  readonly server: Server;
  /** Open connections. */
  readonly connections: ReadonlySet<Connection>;
  /** Answers not finished when their listener returned, and when they began (ms of `performance.now()`). */
  readonly inFlight: ReadonlyMap<ServerResponse, number>;
  /** Requests answered so far. */
  requests: number;
  /** While true every answer closes its connection. */
  closing: boolean;
  /** What `closing` is outside a drain. */
  readonly closesAlways: boolean;
  /** The request whose listener runs right now. */
  current: IncomingMessage | undefined;
}

type HeadersArgument = OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined;

/** Node's own, in the one type that covers its overloads. */
const nativeWriteHead = ServerResponse.prototype.writeHead as unknown as (
  this: ServerResponse,
  statusCode: number,
  ...rest: [headers: HeadersArgument] | [phrase: string, headers: HeadersArgument]
) => ServerResponse;

const nativeEnd = ServerResponse.prototype.end as unknown as (
  this: ServerResponse,
  body: string,
) => ServerResponse;

/** A server around `app`, an app module or a bare request listener; it listens when its `server` is told to. */
export function createServer(app: App | Listener, settings: ServerSettings = {}): Service {
  const { default: listener, upgrade, options } = typeof app === 'function' ? ({ default: app } as App) : app;
  const {
    requestTimeoutMs = 30_000,
    keepAliveTimeoutMs = 65_000,
    log = () => {},
    answered,
    timed = false,
  } = settings;
  const connections = new Set<Connection>();
  const inFlight = new Map<ServerResponse, number>();
  const server = createHttpServer({
    ...options,
    requireHostHeader: false, // the Host check is ours: it sees all of them
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: SWEEP_MS,
  });
  server.maxHeadersCount = 0; // show all lines: a hidden one would escape validation
  server.timeout = 0;
  const service: Service = {
    server,
    connections,
    inFlight,
    requests: 0,
    closing: keepAliveTimeoutMs === 0,
    closesAlways: keepAliveTimeoutMs === 0,
    current: undefined,
  };

  const done: Answered = (req, socket, statusCode, startedAt) => {
    service.requests += 1;
    answered?.(req, socket, statusCode, startedAt);
  };

  /** Takes the place of `res.writeHead`, on the answer itself: frameworks exchange its prototype. */
  function writeHead(
    this: ServerResponse,
    statusCode: number,
    reason?: string | HeadersArgument,
    given?: HeadersArgument,
  ): ServerResponse {
    const phrase = typeof reason === 'string' ? reason : undefined;
    let headers = phrase === undefined ? ((reason as HeadersArgument) ?? given) : given;
    if (service.closing) {
      this.shouldKeepAlive = false;
      this.setHeader('Connection', 'close');
      headers = withoutConnection(headers);
    }
    if (!this.hasHeader('server') && !names(headers, 'server')) {
      if (headers === undefined || this.getHeaderNames().length > 0) this.setHeader('Server', 'hello-server');
      else headers = withServer(headers);
    }
    return phrase === undefined
      ? nativeWriteHead.call(this, statusCode, headers)
      : nativeWriteHead.call(this, statusCode, phrase, headers);
  }

  const handle = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void => {
    const socket = req.socket as Connection;
    if (socket.refused) return;
    const status = fault(req);
    if (status !== 0) {
      refuse(socket, res, status, () => done(undefined, socket, status, 0));
      return;
    }
    res.writeHead = writeHead as ServerResponse['writeHead'];
    if (expectsContinue) res.writeContinue();
    const startedAt = timed ? performance.now() : 0;
    let result: unknown;
    service.current = req;
    try {
      result = listener(req, res);
    } catch (error) {
      fail(req, res, error);
    }
    service.current = undefined;
    if (res.writableEnded && socket.writableLength === 0) done(req, socket, res.statusCode, startedAt);
    else track(req, res, socket, startedAt || performance.now());
    if (isThenable(result)) result.then(undefined, (error: unknown) => fail(req, res, error));
  };

  const track = (req: IncomingMessage, res: ServerResponse, socket: Connection, startedAt: number): void => {
    inFlight.set(res, startedAt);
    res.once('close', () => {
      inFlight.delete(res);
      if (res.writableFinished) done(req, socket, res.statusCode, startedAt);
      else if (!socket.refused) log(messages.clientLeft(req.method ?? '-', req.url ?? '-'));
    });
  };

  const fail = (req: IncomingMessage, res: ServerResponse, error: unknown): void => {
    const { socket } = req;
    if (socket.destroyed && CLIENT_LEFT.has(String((error as NodeJS.ErrnoException)?.code))) return;
    log(messages.appFailed(req.method ?? '-', req.url ?? '-', ...said(error)));
    if (socket.destroyed || (socket as Connection).refused || res.writableFinished) return;
    if (res.headersSent) {
      // The connection is cut, so that nobody takes half an answer for a whole one.
      if (!res.writableEnded) socket.destroy();
      return;
    }
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    if (service.closing) res.shouldKeepAlive = false;
    res.statusMessage = '';
    nativeWriteHead.call(res, 500, errorHeaders(500));
    nativeEnd.call(res, errorBody(500));
    mute(res);
  };

  server.on('request', (req, res) => handle(req, res, false));
  server.on('checkContinue', (req, res) => handle(req, res, true));
  server.on('checkExpectation', (req, res) => handle(req, res, false));

  server.on('connection', (socket: Connection) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });

  const refuseDetached = (socket: Connection): void => {
    socket.on('error', () => socket.destroy());
    refuse(socket, undefined, 400, () => done(undefined, socket, 400, 0));
  };
  server.on('connect', (_req, socket) => refuseDetached(socket as unknown as Connection));

  if (upgrade) {
    server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (fault(req) !== 0) {
        refuseDetached(socket as Connection);
        return;
      }
      const failed = (error: unknown): void => {
        log(messages.appFailed(req.method ?? '-', req.url ?? '-', ...said(error)));
        socket.destroy();
      };
      try {
        const result = upgrade(req, socket, head);
        if (isThenable(result)) result.then(undefined, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Connection;
    if (socket.refused) return;
    const status = statusOf(error);
    if (status === undefined || !socket.writable || socket.bytesRead === 0) {
      socket.destroy();
      return;
    }
    const incoming = socket.parser?.incoming;
    if (!incoming || incoming.complete) {
      refuse(socket, undefined, status, () => done(undefined, socket, status, 0));
      return;
    }
    // The error is in the body of a request that the app has: its answer is this one, unless it has begun.
    const owed = answerTo(incoming);
    if (owed && !owed.headersSent) {
      const req = status === 408 ? owed.req : undefined;
      refuse(socket, owed, status, () => done(req, socket, status, inFlight.get(owed) ?? 0));
    } else if (owed && status === 408) owed.once('close', () => socket.destroy());
    else socket.destroy();
  });

  const answerTo = (incoming: object): ServerResponse | undefined => {
    for (const res of inFlight.keys()) if (res.req === incoming) return res;
    return undefined;
  };

  if (requestTimeoutMs > 0) {
    const sweep = setInterval(() => {
      const limit = performance.now() - requestTimeoutMs;
      for (const [res, startedAt] of inFlight) {
        if (startedAt > limit) break; // in the order they began
        if (res.headersSent) continue;
        const socket = res.req.socket as Connection;
        refuse(socket, res, 408, () => done(res.req, socket, 408, startedAt));
      }
    }, SWEEP_MS);
    sweep.unref();
  }
  return service;
}

/** Errors of streams whose other end went away. */
const CLIENT_LEFT: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ABORT_ERR',
]);

function statusOf(error: NodeJS.ErrnoException): ErrorStatus | undefined {
  const code = error.code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** What an error says, and where it was thrown. */
const said = (error: unknown): [string, string | undefined] =>
  error instanceof Error ? [error.message, error.stack] : [String(error), undefined];

/** After our 500 whatever else the app does to its answer goes nowhere. */
function mute(res: ServerResponse): void {
  const self = () => res;
  Object.assign(res, { writeHead: self, setHeader: self, appendHeader: self, removeHeader: self, end: self });
  Object.assign(res, { write: () => true, flushHeaders: () => {} });
}

const isNested = (headers: OutgoingHttpHeader[]): boolean => Array.isArray(headers[0]);
const nameOf = (entry: OutgoingHttpHeader | undefined): string =>
  String(Array.isArray(entry) ? entry[0] : entry);

/** Whether the headers given to writeHead (object, flat array or array of pairs) have one of that lower-case name. */
function names(headers: HeadersArgument, name: string): boolean {
  if (headers === undefined) return false;
  if (!Array.isArray(headers)) {
    for (const key in headers) if (key.length === name.length && key.toLowerCase() === name) return true;
    return false;
  }
  const step = isNested(headers) ? 1 : 2;
  for (let i = 0; i < headers.length; i += step) {
    const key = nameOf(headers[i]);
    if (key.length === name.length && key.toLowerCase() === name) return true;
  }
  return false;
}

function withServer(headers: NonNullable<HeadersArgument>): HeadersArgument {
  if (!Array.isArray(headers)) return { ...headers, Server: 'hello-server' };
  if (isNested(headers)) return [...headers, ['Server', 'hello-server']];
  return [...headers, 'Server', 'hello-server'];
}

/** The headers less `Connection`: a draining worker's answer says close, whatever the app would like. */
function withoutConnection(headers: HeadersArgument): HeadersArgument {
  if (!names(headers, 'connection') || headers === undefined) return headers;
  if (!Array.isArray(headers)) {
    return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== 'connection'));
  }
  const width = isNested(headers) ? 1 : 2;
  return headers.filter((_, i) => nameOf(headers[i - (i % width)]).toLowerCase() !== 'connection');
}
