// Runs an app's warm-up: requests to this worker alone, before it takes traffic. They are not logged, and not counted.

import { ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Log } from '../log/logger.ts';
import { describeThrown } from '../log/thrown.ts';
import type { Aside } from './aside.ts';
import { describe } from './default-export.ts';
import { pair } from './pair.ts';

/** Targets of GET requests, asked one after another; or a function that asks as it likes. */
export type Warmup = readonly string[] | ((fetch: WarmupFetch) => unknown);

/**
 * Asks this worker; as the global `fetch` does, apart from redirects, which are not followed.
 * @param path begins with `/`
 */
export type WarmupFetch = (path: string, init?: RequestInit) => Promise<Response>;

/** What a warm-up has to do with. */
export interface Warming {
  readonly open: (log: Log) => Aside;
  readonly log: Log;
  /** ms until it is cut. */
  readonly withinMs: number;
  /** Cuts it, too. */
  readonly signal: AbortSignal;
}

/** Answers to these have no body, and a `Response` of them must not have one. */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

/** What is wrong with a value as the export `warmup`; undefined where it can be one. */
export function warmupProblem(value: unknown): string | undefined {
  const list: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
  if (value === undefined || typeof value === 'function' || list?.every(isTarget)) return undefined;
  const wrong = list ? list.find((target) => !isTarget(target)) : value;
  const got = typeof wrong === 'string' ? `\`${wrong}\`` : describe(wrong);
  const where = list ? ' in it' : '';
  return `expected the export warmup to be an array of targets that begin with /, or a function, got ${got}${where}`;
}

const isTarget = (value: unknown): value is string => typeof value === 'string' && value.startsWith('/');

/** Resolves when it is over, or has been cut. Never rejects: what fails in it is said, and no reason not to serve. */
export async function warmUp(warmup: Warmup, { open, log, withinMs, signal }: Warming): Promise<void> {
  if (withinMs <= 0 || signal.aborted) {
    log({ notice: 'warm-up cut', afterMs: 0 });
    return;
  }
  const began = performance.now();
  let cutNow = (): void => {};
  const cut = new Promise<true>((resolve) => {
    cutNow = () => resolve(true);
  });
  const timer = setTimeout(cutNow, withinMs);
  signal.addEventListener('abort', cutNow);
  const run = new Run(open, log);
  const isCut = await Promise.race([run.all(warmup), cut]);
  clearTimeout(timer);
  signal.removeEventListener('abort', cutNow);
  run.end();
  if (isCut) log({ notice: 'warm-up cut', afterMs: performance.now() - began });
}

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One warm-up under way. */
class Run {
  readonly #aside: Aside;
  readonly #log: Log;
  readonly #connections = new Set<Duplex>();
  #isOver = false;
  /** How often the app has failed, which is said already. */
  #failures = 0;

  constructor(open: (log: Log) => Aside, log: Log) {
    this.#log = log;
    this.#aside = open((notice) => {
      if (notice.notice !== 'app failed') return;
      this.#failures += 1;
      this.#failed(notice.message, `${notice.method} ${notice.url}`);
    });
  }

  /** Resolves with false: it was not cut. */
  async all(warmup: Warmup): Promise<false> {
    if (typeof warmup !== 'function') {
      for (const target of warmup) await this.#get(target);
      return false;
    }
    try {
      await warmup((path, init) => this.#fetch(path, init));
    } catch (error) {
      this.#failed(describeThrown(error).message);
    }
    return false;
  }

  end(): void {
    this.#isOver = true;
    for (const connection of this.#connections) connection.destroy();
    this.#aside.close();
  }

  #failed(problem: string, of?: string): void {
    if (!this.#isOver) this.#log({ notice: 'warm-up failed', of, problem });
  }

  async #get(target: string): Promise<void> {
    if (this.#isOver) return;
    const before = this.#failures;
    let problem: string | undefined;
    try {
      const answer = await this.#ask({ path: target });
      await buffer(answer);
      const status = answer.statusCode ?? 0;
      if (status >= 400) problem = String(status);
    } catch (error) {
      problem = describeThrown(error).message;
    }
    if (problem !== undefined && this.#failures === before) this.#failed(problem, `GET ${target}`);
  }

  async #fetch(path: unknown, init: RequestInit | undefined): Promise<Response> {
    if (!isTarget(path)) throw new TypeError(`expected a path that begins with /, got ${String(path)}`);
    const asked = new Request(`http://localhost${path}`, init);
    const { pathname, search } = new URL(asked.url);
    const { method, headers, signal } = asked;
    const body = asked.body === null ? undefined : Buffer.from(await asked.arrayBuffer());
    const answer = await this.#ask(
      { method, path: pathname + search, headers: Object.fromEntries(headers), signal },
      body,
    );
    const content = await buffer(answer);
    const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = answer;
    const pairs = rawHeaders.flatMap((name, i): [string, string][] =>
      i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : [],
    );
    return new Response(EMPTY.has(status) ? null : content, { status, statusText, headers: pairs });
  }

  /** Sends a request on a connection of its own; resolves with the head of the answer. */
  #ask(options: Asked, body?: Buffer): Promise<IncomingMessage> {
    if (this.#isOver) return Promise.reject(new Error('the warm-up is over'));
    const [client, server] = pair(this.#aside.isSecure);
    this.#connections.add(client);
    client.once('close', () => this.#connections.delete(client));
    this.#aside.connect(server);
    const headers = { 'user-agent': 'hello-server', ...options.headers };
    return new Promise((resolve, reject) => {
      // Not by http.request, which tracing replaces: nobody wants to see these.
      const req = new ClientRequest(
        { ...options, host: 'localhost', defaultPort: 80, headers, createConnection: () => client },
        resolve,
      );
      req.on('error', reject);
      req.end(body);
    });
  }
}
