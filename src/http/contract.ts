// The contract around an HTTP server, whoever made it: validation, error answers, timeouts, draining, counting.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Listener } from './app-module.ts';
import { type Connection, destroySoon, halfClosed } from './connection.ts';
import { Counts } from './counts.ts';
import { endEmpty } from './empty.ts';
import { isThenable, leftByClient, parserErrorStatus } from './errors.ts';
import { appFailed, Failing } from './failing.ts';
import { headWriter } from './head.ts';
import { connectionOf, isHttp2, isWhole, statusOf, streamOf } from './http2.ts';
import { cut, type ErrorStatus, refuse } from './refusal.ts';
import type { Events, Served, ServerSettings, Service } from './service.ts';
import { nodesSweep, SWEEP_MS } from './sweep.ts';
import { Turns } from './turns.ts';
import { Upgrades } from './upgrade.ts';
import { fault } from './validate.ts';

export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
export const DEFAULT_KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** Keeps the contract for what is `served` on `server`, whose `events` have to come here. */
export function keepContract(
  server: Server,
  served: Served,
  settings: ServerSettings,
): {
  readonly service: Service;
  readonly events: Events;
  /** The app's listener of a request failed later on. */
  readonly fail: (req: IncomingMessage, res: ServerResponse, error: unknown) => void;
} {
  const {
    requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS,
    keepAliveTimeoutMs = DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
    log = () => {},
    answered,
  } = settings;
  const app = settings.begins ? announced(served, settings.begins) : served;
  const connections = new Set<Connection>();
  const counts = new Counts();
  const turns = new Turns(settings, counts);
  const inFlight = new Map<ServerResponse, number>();
  const service: Service = {
    server,
    connections,
    inFlight,
    counts,
    closes: keepAliveTimeoutMs === 0 ? Infinity : 0,
    closesAlways: keepAliveTimeoutMs === 0,
    ending: false,
    current: undefined,
    takeLongestTurn: () => turns.takeLongest(),
    woken: [],
    failAlone: () => failing.failAlone(),
  };

  /** A request has its answer, after `ms`; 0 where that is not known. */
  const done = (
    req: IncomingMessage | undefined,
    socket: Connection,
    statusCode: number,
    ms: number,
  ): void => {
    counts.answered(statusCode, ms);
    answered?.(req, socket, statusCode, ms);
  };
  /** That answer was ours, in the app's place. */
  const refused = (
    req: IncomingMessage | undefined,
    socket: Connection,
    statusCode: number,
    startedAt: number,
  ): void => {
    counts.refused(statusCode);
    done(req, socket, statusCode, startedAt === 0 ? 0 : performance.now() - startedAt);
  };

  const lookOfNode = nodesSweep(server);
  const writeHead = headWriter(service);
  const failing = new Failing(service, writeHead, log);
  const fail = (req: IncomingMessage, res: ServerResponse, error: unknown): void =>
    failing.fail(req, res, error);

  /** Takes a request; none is run that comes after the last answer of its connection. */
  const take = (req: IncomingMessage, res: ServerResponse, run: Listener): void => {
    if (isHttp2(req)) {
      takeStream(req, res, run);
      return;
    }
    const socket = req.socket as Connection;
    if (!res.socket) socket.pipelined = true;
    if (socket.refused || socket.lastSaid) return;
    socket.latest = res;
    if (!res.shouldKeepAlive) socket.lastSaid = true;
    // While connections close, requests that came in one piece are known before the first of them is answered.
    if (service.closes > 0) process.nextTick(handle, req, res, socket, run);
    else handle(req, res, socket, run);
  };

  const handle = (req: IncomingMessage, res: ServerResponse, socket: Connection, run: Listener): void => {
    if (socket.refused) return;
    const status = fault(req);
    if (status !== 0) {
      refuse(socket, res, status, () => refused(undefined, socket, status, 0));
      return;
    }
    if (app.endsEmpty) endEmpty(req);
    res.writeHead = writeHead;
    const startedAt = performance.now();
    const pending = runApp(req, res, run);
    const ms = performance.now() - startedAt;
    if (ms > turns.watchMs) turns.add(req, ms);
    if (res.writableEnded && res.socket && socket.writableLength === 0) done(req, socket, res.statusCode, ms);
    else track(req, res, socket, startedAt);
    if (pending !== undefined) awaitApp(req, res, pending);
  };

  /** A request of HTTP/2: Node has validated it, and its stream is its own. */
  const takeStream = (req: IncomingMessage, res: ServerResponse, run: Listener): void => {
    const socket = connectionOf(req);
    if (!socket) return;
    socket.latest = res;
    const stream = streamOf(res);
    const startedAt = performance.now();
    inFlight.set(res, startedAt);
    stream.once('close', () => {
      if (!inFlight.delete(res)) return;
      if (isWhole(stream, res)) done(req, socket, statusOf(stream, res), performance.now() - startedAt);
      else if (!socket.isCut && !failing.hasEnded(res)) leaves(req);
    });
    const pending = runApp(req, res, run);
    const ms = performance.now() - startedAt;
    if (ms > turns.watchMs) turns.add(req, ms);
    if (pending !== undefined) awaitApp(req, res, pending);
  };

  /** Runs the app; returns what it has still to do. */
  const runApp = (
    req: IncomingMessage,
    res: ServerResponse,
    run: Listener,
  ): PromiseLike<unknown> | undefined => {
    let pending: PromiseLike<unknown> | undefined;
    service.current = req;
    try {
      const result = run(req, res);
      if (isThenable(result)) pending = result;
    } catch (error) {
      fail(req, res, error);
    }
    service.current = undefined;
    return pending;
  };

  const awaitApp = (req: IncomingMessage, res: ServerResponse, pending: PromiseLike<unknown>): void => {
    const failed = (error: unknown): void => fail(req, res, error);
    try {
      pending.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  };

  const track = (req: IncomingMessage, res: ServerResponse, socket: Connection, startedAt: number): void => {
    inFlight.set(res, startedAt);
    res.once('close', () => {
      if (!inFlight.delete(res)) return;
      if (res.writableFinished) done(req, socket, res.statusCode, performance.now() - startedAt);
      else if (!socket.refused && !socket.isCut) leaves(req);
    });
  };

  const leaves = ({ method = '-', url = '-' }: IncomingMessage): void => {
    counts.left += 1;
    log({ notice: 'client left', method, url });
  };

  const continued: Listener = (req, res) => {
    res.writeContinue();
    return app.request(req, res);
  };

  const connected = (socket: Connection): void => {
    if (connections.has(socket)) return; // Node's parser gets it back after an upgrade that nobody wanted
    connections.add(socket);
    counts.accepted += 1;
    if (connections.size === 1) wake();
    socket.self = socket;
    socket.destroySoon = destroySoon;
    socket.on('end', clientEnded);
    socket.once('close', () => {
      connections.delete(socket);
      counts.closed(socket);
      if (!socket.pipelined) return;
      // Before Node 24 answers that wait for their turn are not told that it will never come.
      for (const res of inFlight.keys()) if (res.req.socket === socket && !res.socket) res.emit('close');
    });
  };

  function clientEnded(this: Connection): void {
    const answer = this._httpMessage;
    if (answer) halfClosed(this, inFlight.get(answer) ?? 0);
  }

  /** Refuses a request whose socket Node has let go of. */
  const refuseDetached = (
    socket: Connection,
    status: ErrorStatus,
    req?: IncomingMessage,
    startedAt = 0,
  ): void => refuse(socket, undefined, status, () => refused(req, socket, status, startedAt));
  const detached = (socket: Connection): void => void socket.on('error', () => socket.destroy());

  const upgrades =
    app.upgrade &&
    new Upgrades(server, app.upgrade, {
      failed: (req, socket, error) => {
        if (socket.destroyed && leftByClient(error)) return;
        counts.failed += 1;
        log(appFailed(req, error));
        refuseDetached(socket, 500, req);
      },
      taken: () => {
        counts.upgraded += 1;
      },
      declined: (req, res) => take(req, res, app.request),
      late: (req, socket, startedAt) => refuseDetached(socket, 408, req, startedAt),
    });
  const clientFailed = (error: NodeJS.ErrnoException, socket: Connection): void => {
    if (socket.refused) return;
    const status = parserErrorStatus(error);
    if (status === undefined || !socket.writable || socket.bytesRead === 0) {
      socket.destroy();
      return;
    }
    const incoming = socket.parser?.incoming;
    if (!incoming || incoming.complete) {
      refuse(socket, undefined, status, () => refused(undefined, socket, status, 0));
      return;
    }
    // The error is in the body of a request that the app has: its answer is this one, unless it has begun.
    const owed = answerTo(incoming);
    if (owed && !owed.headersSent) {
      const req = status === 408 ? owed.req : undefined;
      refuse(socket, owed, status, () => refused(req, socket, status, inFlight.get(owed) ?? 0));
    } else if (owed && status === 408) owed.once('close', () => socket.destroy());
    else cut(socket, owed);
  };

  const answerTo = (incoming: object): ServerResponse | undefined => {
    for (const res of inFlight.keys()) if (res.req === incoming) return res;
    return undefined;
  };

  const refuseLate = (): void => {
    const limit = performance.now() - requestTimeoutMs;
    upgrades?.sweep(limit);
    for (const [res, startedAt] of inFlight) {
      if (startedAt > limit) break; // in the order they began
      if (res.headersSent || isHttp2(res.req)) continue;
      const socket = res.req.socket as Connection;
      refuse(socket, res, 408, () => refused(res.req, socket, 408, startedAt));
    }
  };
  /** The timer of timeouts; undefined at rest, when no connection is open. */
  let sweep: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (connections.size === 0) {
      clearInterval(sweep);
      sweep = undefined;
      lookOfNode(false);
    } else if (requestTimeoutMs > 0) refuseLate();
  };
  /** The first connection has come. */
  function wake(): void {
    for (const woken of service.woken) woken();
    if (sweep) return;
    sweep = setInterval(look, SWEEP_MS).unref();
    lookOfNode(true);
  }
  const events: Events = {
    request: (req, res) => take(req, res, app.request),
    checkContinue: (req, res) => take(req, res, app.checkContinue ?? continued),
    checkExpectation: (req, res) => take(req, res, app.checkExpectation ?? app.request),
    connection: connected,
    session: (session) => {
      const socket = session.socket as Connection;
      socket.session = session;
      socket.sessionSince = performance.now();
    },
    connect: (req, stream) => {
      if (isHttp2(req)) {
        const refusal: Listener = (_req, res) => void res.writeHead(405).end();
        take(req, stream as unknown as ServerResponse, refusal);
        return;
      }
      const socket = stream as Connection;
      detached(socket);
      refuseDetached(socket, 400);
    },
    clientError: (error, stream) => clientFailed(error, stream as Connection),
    ...(upgrades && {
      upgrade: (req, stream, head) => {
        const socket = req.socket as Connection;
        detached(socket);
        stream.on('error', () => {});
        if (fault(req) !== 0) refuseDetached(socket, 400);
        else upgrades.take(req, stream, head);
      },
    }),
  };
  return { service, events, fail };
}

/** Says of each request that it begins, before the app has it. */
function announced(served: Served, begins: NonNullable<ServerSettings['begins']>): Served {
  const after =
    (run: Listener): Listener =>
    (req, res) => {
      begins(req, res);
      return run(req, res);
    };
  const { request, checkContinue, checkExpectation } = served;
  return {
    ...served,
    request: after(request),
    checkContinue: checkContinue && after(checkContinue),
    checkExpectation: checkExpectation && after(checkExpectation),
  };
}
