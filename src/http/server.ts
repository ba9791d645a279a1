// An HTTP server that keeps the contract around an app: validation, error answers, timeouts, draining, counting.

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import * as messages from '../core/messages.ts';
import type { Log } from '../log/logger.ts';
import type { App, Listener } from './app.ts';
import { endEmpty } from './empty.ts';
import { isThenable, leftByClient, said, statusOf } from './errors.ts';
import { headWriter, nativeEnd, nativeWriteHead } from './head.ts';
import { type Connection, cut, errorBody, errorHeaders, mute, refuse } from './refusal.ts';
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

  const writeHead = headWriter(service);
  const endsEmpty = options?.optimizeEmptyRequests === true;

  const handle = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void => {
    const socket = req.socket as Connection;
    if (socket.refused) return;
    const status = fault(req);
    if (status !== 0) {
      refuse(socket, res, status, () => done(undefined, socket, status, 0));
      return;
    }
    if (endsEmpty) endEmpty(req);
    res.writeHead = writeHead;
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
    if (res.writableEnded && res.socket && socket.writableLength === 0)
      done(req, socket, res.statusCode, startedAt);
    else track(req, res, socket, startedAt || performance.now());
    if (isThenable(result)) result.then(undefined, (error: unknown) => fail(req, res, error));
  };

  const track = (req: IncomingMessage, res: ServerResponse, socket: Connection, startedAt: number): void => {
    inFlight.set(res, startedAt);
    if (!res.socket) socket.pipelined = true;
    res.once('close', () => {
      if (!inFlight.delete(res)) return;
      if (res.writableFinished) done(req, socket, res.statusCode, startedAt);
      else if (!socket.refused) log(messages.clientLeft(req.method ?? '-', req.url ?? '-'));
    });
  };

  const fail = (req: IncomingMessage, res: ServerResponse, error: unknown): void => {
    const { socket } = req;
    if (socket.destroyed && leftByClient(error)) return;
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
    res.sendDate = true; // removing Date turned it off
    const close = res.shouldKeepAlive ? [] : ['Connection', 'close'];
    nativeWriteHead.call(res, 500, [...errorHeaders(500), ...close]);
    nativeEnd.call(res, errorBody(500));
    mute(res);
  };

  server.on('request', (req, res) => handle(req, res, false));
  server.on('checkContinue', (req, res) => handle(req, res, true));
  server.on('checkExpectation', (req, res) => handle(req, res, false));

  server.on('connection', (socket: Connection) => {
    connections.add(socket);
    socket.once('close', () => {
      connections.delete(socket);
      if (!socket.pipelined) return;
      // Before Node 24 answers that wait for their turn are not told that it will never come.
      for (const res of inFlight.keys()) if (res.req.socket === socket && !res.socket) res.emit('close');
    });
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
    else cut(socket, owed);
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
