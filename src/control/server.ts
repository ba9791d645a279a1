// The control server: answers status, reload, scale and stop over the control socket.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_WORKERS, parseWorkerCount } from '../core/config.ts';
import { describeThrown } from '../log/thrown.ts';
import { type HeapAsked, type HeapBegun, heapAskedIn, sendHeap } from './heap.ts';
import { OPEN_METRICS, PROMETHEUS } from './metrics.ts';
import { PORT_HEADER } from './places.ts';
import { type Asked, askedIn, type Begun, sendProfile } from './profile.ts';
import type { Progress } from './status.ts';
import type { Views } from './views.ts';

/** What the control server asks of the primary. Each command reports its progress, the last time with how it ended. */
export interface Commands extends Views {
  /** @param force passes over the verdict on the new generation's traffic */
  readonly reload: (force: boolean, report: Report) => void;
  /** Puts the generation that stands by back. */
  readonly rollback: (report: Report) => void;
  readonly scale: (workers: number, report: Report) => void;
  /** Renews the primary itself, on the Node at this path if it is given. */
  readonly upgrade: (node: string | undefined, report: Report) => void;
  readonly stop: (report: Report) => void;
  /** Begins a profile; a text that says why there is none. */
  readonly profile: (asked: Asked) => Promise<Begun | string>;
  /** Begins a snapshot of a worker's heap; a text that says why there is none. */
  readonly heap: (asked: HeapAsked) => HeapBegun | string;
}
export type Report = (progress: Progress) => void;

/** So many clients at once; more are turned away, so that they cannot take all file descriptors. */
const MOST_CONNECTIONS = 64;
/** How long a client may take to ask. */
const ASK_MS = 5000;
/** How long a client may take to read an answer that is complete. */
const READ_MS = 5000;

/** A server of the control socket's routes, not listening yet. */
export function controlServer(commands: Commands): Server {
  const timeouts = { headersTimeout: ASK_MS, requestTimeout: ASK_MS, connectionsCheckingInterval: 1000 };
  const asked = new WeakSet<Socket>();
  const server = createServer(timeouts, (req, res) => {
    req.on('error', () => {});
    req.resume();
    // Each connection is one command. Another behind it would get no answer, so it is not obeyed either.
    if (asked.has(req.socket)) return;
    asked.add(req.socket);
    res.on('error', () => {});
    res.setHeader('Connection', 'close');
    // A client that does not read its whole answer does not keep its connection.
    res.once('prefinish', () => {
      const waiting = setTimeout(() => req.socket.destroy(), READ_MS).unref();
      req.socket.once('close', () => clearTimeout(waiting));
    });
    const url = urlOf(req);
    const meant = req.headers[PORT_HEADER];
    const { port, pid } = commands.status();
    if (meant !== undefined && meant !== String(port)) {
      json(res, 409, { error: `this is the server on port ${port} (pid ${pid}), not on port ${meant}` });
      return;
    }
    const report = reporter(res);
    switch (`${req.method} ${url?.pathname}`) {
      case 'GET /status':
        json(res, 200, commands.status());
        return;
      case 'GET /top':
        answerLater(res, commands.top(), (top) => json(res, 200, top));
        return;
      case 'GET /metrics':
        answerLater(res, commands.metrics(wantsOpenMetrics(req)), (text) => metrics(req, res, text));
        return;
      case 'POST /reload':
        commands.reload(url?.searchParams.get('force') === 'true', report);
        return;
      case 'POST /upgrade':
        commands.upgrade(url?.searchParams.get('node') || undefined, report);
        return;
      case 'POST /rollback':
        commands.rollback(report);
        return;
      case 'POST /scale': {
        const given = url?.searchParams.get('workers') ?? '';
        const workers = parseWorkerCount(given);
        if (workers !== undefined) commands.scale(workers, report);
        else
          json(res, 400, {
            error: `expected workers to be an integer from 1 to ${MAX_WORKERS}, got \`${given}\``,
          });
        return;
      }
      case 'POST /profile': {
        const wanted = askedIn(url?.searchParams);
        if (typeof wanted === 'string') json(res, 400, { error: wanted });
        else
          answerLater(res, commands.profile(wanted), (begun) =>
            typeof begun === 'string' ? json(res, 409, { error: begun }) : sendProfile(res, begun),
          );
        return;
      }
      case 'POST /heap': {
        const wanted = heapAskedIn(url?.searchParams);
        const begun = typeof wanted === 'string' ? wanted : commands.heap(wanted);
        if (typeof begun === 'string') json(res, begun === wanted ? 400 : 409, { error: begun });
        else void sendHeap(res, begun);
        return;
      }
      case 'POST /stop':
        commands.stop(report);
        return;
      default:
        json(res, 404, { error: `no such route: ${routeOf(req)}` });
    }
  });
  server.maxConnections = MOST_CONNECTIONS;
  // A CONNECT, and bytes that are no HTTP, are a closed connection.
  server.on('connect', (_req, socket) => socket.destroy());
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

/** The target as a URL; undefined for one that is none, such as `//`. */
function urlOf(req: IncomingMessage): URL | undefined {
  const url = `http://localhost${req.url}`;
  return req.url?.startsWith('/') && URL.canParse(url) ? new URL(url) : undefined;
}

const routeOf = (req: IncomingMessage): string => `${req.method} ${req.url}`;

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(`${JSON.stringify(body)}\n`);
}

/** Answers when what is asked for has come; a failure is a 500, and no matter of anyone else's. */
export function answerLater<T>(res: ServerResponse, coming: Promise<T>, answer: (it: T) => void): void {
  coming.then(answer).catch((error: unknown) => {
    if (!res.headersSent) json(res, 500, { error: describeThrown(error).message });
  });
}

/** Whether a scraper would rather have OpenMetrics, as Prometheus would; where it is all the same to it, it names it. */
export function wantsOpenMetrics({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const accepted = rangesIn(headers.accept ?? '*/*');
  /** By the range that is the closest. */
  const quality = (...ranges: string[]): number =>
    ranges.map((range) => accepted.get(range)).find((q) => q !== undefined) ?? 0;
  const open = quality(OPEN_METRICS_TYPE, 'application/*', '*/*');
  const plain = quality('text/plain', 'text/*', '*/*');
  return open > plain || (open > 0 && open === plain && accepted.has(OPEN_METRICS_TYPE));
}

const OPEN_METRICS_TYPE = 'application/openmetrics-text';

/** The media ranges of an Accept header with their qualities, the best of each. */
function rangesIn(accept: string): Map<string, number> {
  const ranges = new Map<string, number>();
  for (const one of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = one.split(';').map((part) => part.trim());
    const [q = '1'] = parameters.filter((part) => part.startsWith('q=')).map((part) => part.slice(2));
    ranges.set(range, Math.max(ranges.get(range) ?? 0, Number(q) || 0));
  }
  return ranges;
}

/** Answers with metrics in the form that was asked for. */
export function metrics(req: IncomingMessage, res: ServerResponse, text: string): void {
  res.writeHead(200, { 'Content-Type': wantsOpenMetrics(req) ? OPEN_METRICS : PROMETHEUS });
  res.end(text);
}

/** Reports as lines of JSON, each sent at once; a client that has left is no matter. */
function reporter(res: ServerResponse): Report {
  return (progress) => {
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    res.write(`${JSON.stringify(progress)}\n`);
    if (!('text' in progress)) res.end();
  };
}
