// The admin listener: lets the fleet be seen over HTTP, by people, scrapers and probes. It steers nothing.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import type { ControlEnd } from './open.ts';
import { type PageFile, readPage } from './page-file.ts';
import { answerLater, json, metrics, wantsOpenMetrics } from './server.ts';
import type { Views } from './views.ts';

/** Where it listens; port 0 picks a free one. */
export interface AdminAddress {
  readonly port: number;
  readonly host: string;
}

/** So many clients at once; more are turned away, so that they cannot take all file descriptors. */
const MOST_CONNECTIONS = 64;
/** So many of them may be pages: the others are for probes and scrapers, and do not stay. */
const MOST_PAGES = 32;
/** A connection is answered once; one that asks more often than this meanwhile is cut. */
const MOST_REQUESTS = 4;
/** How long a client may take to ask, and to read what it was answered. */
const ASK_MS = 5000;
const READ_MS = 5000;
/** A page is told the status so often. */
const TELL_MS = 1000;
/** A page that still has not read what it was told when it should be told again so often is cut. */
const MOST_UNREAD = READ_MS / TELL_MS;
/** At the very end a client that does not read its answer is waited for so long. */
const END_MS = 100;

/** Opens it; rejects with Node's error where that cannot be. */
export async function openAdmin({ port, host }: AdminAddress, views: Views): Promise<ControlEnd> {
  const admin = new Admin(views, host, readPage());
  await new Promise<void>((resolve, reject) => {
    admin.server.once('error', reject);
    // Exclusive: in the primary of a cluster that makes no difference, and says what is meant.
    admin.server.listen({ port, host, exclusive: true }, resolve);
  });
  admin.server.on('error', () => {});
  return admin;
}

/** The listener and the pages that are open on it. */
export class Admin implements ControlEnd {
  readonly server: Server;
  readonly #views: Views;
  readonly #host: string;
  /** Read once: its file may go with an old release. */
  readonly #page: Promise<PageFile>;
  /** How often in a row each page had not read what it was told. */
  readonly #pages = new Map<ServerResponse, number>();
  readonly #asked = new WeakMap<Socket, Asked>();
  #telling: NodeJS.Timeout | undefined;

  constructor(views: Views, host: string, page: Promise<PageFile>) {
    this.#views = views;
    this.#host = host;
    this.#page = page;
    page.catch(() => {}); // said to whoever asks for it
    this.server = createServer({
      headersTimeout: ASK_MS,
      requestTimeout: ASK_MS,
      connectionsCheckingInterval: 1000,
    });
    // Without a listener of their own Node would answer the last two itself, before the Host is looked at.
    for (const event of ['request', 'checkContinue', 'checkExpectation']) {
      this.server.on(event, (req: IncomingMessage, res: ServerResponse) => this.#take(req, res));
    }
    this.server.maxConnections = MOST_CONNECTIONS;
    this.server.on('connect', (_req, socket) => socket.destroy());
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  #take(req: IncomingMessage, res: ServerResponse): void {
    req.on('error', () => {});
    res.on('error', () => {});
    req.resume();
    // Each connection is one answer, so that none is idle and keeps a probe out. What is asked behind it gets none, and
    // must not pile up where the answer takes long.
    const { socket } = req;
    const asked = this.#asked.get(socket);
    if (asked !== undefined) {
      asked.times += 1;
      if (this.#pages.has(asked.first) || asked.times > MOST_REQUESTS) socket.destroy();
      return;
    }
    this.#asked.set(socket, { first: res, times: 1 });
    res.setHeader('Connection', 'close');
    // A client that does not read its whole answer does not keep its connection.
    res.once('prefinish', () => {
      const waiting = setTimeout(() => socket.destroy(), READ_MS).unref();
      res.once('close', () => clearTimeout(waiting));
    });
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Referrer-Policy', 'no-referrer');
    res.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    try {
      this.#answer(req, res);
    } catch (error) {
      json(res, 500, { error: String(error) });
    }
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const { method, url = '' } = req;
    const { path, host } = targetOf(url);
    for (const name of [host, req.headers.host]) {
      if (isOwnName(name, this.#host)) continue;
      json(res, 403, { error: `expected an address or a local name as Host, got \`${name}\`` });
      return;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      json(res, 405, { error: `expected GET or HEAD, got ${method}` });
      return;
    }
    switch (path) {
      case '/':
        answerLater(res, this.#page, ({ html, csp }) => {
          res.setHeader('Content-Security-Policy', csp);
          res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
          res.end(html);
        });
        return;
      case '/events':
        this.#show(req, res);
        return;
      case '/status':
        json(res, 200, this.#views.status());
        return;
      case '/metrics':
        answerLater(res, this.#views.metrics(wantsOpenMetrics(req)), (text) => metrics(req, res, text));
        return;
      case '/livez':
      case '/readyz': {
        const { live, ready, reason } = this.#views.status().health;
        const fine = path === '/livez' ? live : ready;
        json(res, fine ? 200 : 503, { status: fine ? 'ok' : 'unavailable', reason });
        return;
      }
      default:
        json(res, 404, { error: `no such page: ${url}` });
    }
  }

  /** Tells a page the history at once, and then the status every second. */
  #show(req: IncomingMessage, res: ServerResponse): void {
    if (this.#pages.size >= MOST_PAGES) {
      json(res, 503, {
        status: 'unavailable',
        reason: `${MOST_PAGES} pages are open, the most there can be`,
      });
      return;
    }
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    res.write(`retry: 2000\n${eventOf('history', this.#views.history())}${this.#status()}`);
    this.#pages.set(res, 0);
    res.once('close', () => this.#forget(res));
    this.#telling ??= setInterval(() => this.#tell(), TELL_MS);
  }

  #tell(): void {
    const status = this.#status();
    for (const [page, unread] of this.#pages) {
      // A page that is behind is told nothing more until it has caught up, so that nothing piles up for it.
      const behind = page.writableLength > 0;
      this.#pages.set(page, behind ? unread + 1 : 0);
      if (!behind) page.write(status);
      else if (unread + 1 >= MOST_UNREAD) page.destroy();
    }
  }

  #status(): string {
    return eventOf('status', this.#views.status());
  }

  #forget(page: ServerResponse): void {
    this.#pages.delete(page);
    if (this.#pages.size > 0) return;
    clearInterval(this.#telling);
    this.#telling = undefined;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(() => {
        this.server.closeAllConnections();
        resolve();
      }, END_MS).unref();
      this.server.close(() => resolve());
      for (const page of this.#pages.keys()) page.end();
      this.server.closeIdleConnections();
    });
  }
}

/** What was asked on a connection. */
interface Asked {
  readonly first: ServerResponse;
  times: number;
}

/** The path of a request's target, and the host of one that is a whole URL, as proxies are asked. */
function targetOf(target: string): { readonly path: string; readonly host: string | undefined } {
  if (/^https?:/i.test(target) && URL.canParse(target)) {
    const { pathname, host } = new URL(target);
    return { path: pathname, host };
  }
  return { path: target.replace(/\?.*$/s, ''), host: undefined };
}

const eventOf = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Endings of names that nobody can register on the Internet. */
const LOCAL = /^(?:[^.]+|.*\.(?:localhost|local|internal|svc|home\.arpa))$/;

/**
 * Whether the Host names this listener: by an address, a local name, or as it was configured. A page of another site
 * whose name was made to lead here (DNS rebinding) has that name as Host, and is told nothing.
 */
export function isOwnName(host: string | undefined, configured: string): boolean {
  if (host === undefined) return true; // HTTP/1.0: no browser
  const name = host
    .replace(/:\d{1,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  return (
    isIPv4(name) ||
    isIPv6(name) ||
    LOCAL.test(name) ||
    name === configured.toLowerCase() ||
    name === hostname().toLowerCase()
  );
}
