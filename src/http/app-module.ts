// What an app module exports: a listener or a server as its default, in one of several forms, and a few optional exports.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, problemOf } from './default-export.ts';
import type { Options } from './empty.ts';
import { isThenable } from './errors.ts';
import { type Warmup, warmupProblem } from './warm-up.ts';

/** Node's request listener; what it throws, or rejects with, before it answered becomes a `500`. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** What an app may export beside its default export; all of it is optional. */
export interface Extras {
  /** Awaited before the worker takes traffic. `signal` aborts with reason `'stop'` or `'replace'` when it drains. */
  readonly ready?: ((signal: AbortSignal) => unknown) | undefined;
  /** Awaited after the worker has drained, within the same deadline. */
  readonly close?: (() => unknown) | undefined;
  /** Run after `ready`, before the worker takes traffic: requests to this worker alone, neither logged nor counted. */
  readonly warmup?: Warmup | undefined;
  /** Node's `'upgrade'` event; `false` = not mine, answered as any other request. Without it `Upgrade` is ignored. */
  readonly upgrade?: ((req: IncomingMessage, socket: Duplex, head: Buffer) => unknown) | undefined;
  /** Called in one ready worker of the fleet at a time; `signal` aborts when it has to hand over, by returning. */
  readonly lead?: ((signal: AbortSignal) => unknown) | undefined;
  /** Asked every few seconds in each worker: the app is unwell as long as it throws or rejects. */
  readonly healthy?: (() => unknown) | undefined;
  /** The app's own metrics as Prometheus text, or a promise of it; the primary adds them up over all workers. */
  readonly metrics?: (() => unknown) | undefined;
  /** Node's server options, taken under ours. */
  readonly options?: Options | undefined;
}

/** An app module as loaded; everything but the listener is optional. */
export interface App extends Extras {
  readonly default: Listener;
}

/** What was found in a module. */
export type Found =
  | { readonly found: 'listener'; readonly app: App }
  /** A server that does not listen, and waits to be had listen. */
  | { readonly found: 'server'; readonly server: Server; readonly extras: Extras }
  /** Nothing that serves; `hopeless` = nor will the module have a server listen later, as it exports something else. */
  | {
      readonly found: 'nothing';
      readonly problem: string;
      readonly hopeless: boolean;
      readonly extras: Extras;
    };

/** Makes a request listener of a Web-standard `fetch(request)`; throws where no package for that is installed. */
export type WebAdapter = (fetch: (request: Request) => unknown) => Promise<Listener>;

/** The exports beside the default one that are functions. */
const FUNCTIONS = ['ready', 'close', 'upgrade', 'lead', 'healthy', 'metrics'] as const;

/** Of these, what no server or framework has as a method of its own. */
const SEEN = ['healthy', 'metrics'] as const;

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const has = (value: Fields, ...names: string[]): boolean =>
  names.every((name) => typeof value[name] === 'function');

/** Finds what a module serves; a text says what is wrong with an optional export. */
export async function findApp(exports: Fields, adapter: WebAdapter): Promise<Found | string> {
  const source = sourceIn(exports);
  const value = isThenable(source.default) ? await source.default : source.default;
  const extras = extrasOf(source, value);
  if (typeof extras === 'string') return extras;
  if (isObject(value)) {
    if (isFastify(value)) return fastify(value, extras);
    if (isServer(value)) return { found: 'server', server: value, extras };
    if (has(value, 'callback') && Array.isArray(value.middleware))
      return listening((value.callback as () => Listener)(), extras);
    if (has(value, 'fetch'))
      return listening(
        await adapter((request) => (value.fetch as (request: Request) => unknown)(request)),
        extras,
      );
  }
  const problem = problemOf(value);
  if (problem === undefined) return listening(value as Listener, extras);
  const mayListen = value === undefined || (isObject(value) && !Array.isArray(value));
  return { found: 'nothing', problem, hopeless: !mayListen, extras };
}

const listening = (listener: Listener, extras: Extras): Found => ({
  found: 'listener',
  app: { ...extras, default: listener },
});

/** A CommonJS module compiled from ESM has its default export one level down. */
function sourceIn(exports: Fields): Fields {
  const inner = exports.default;
  return isObject(inner) && 'default' in inner ? inner : exports;
}

/** The optional exports; a text says what is wrong with one. */
function extrasOf(source: Fields, value: unknown): Extras | string {
  for (const name of FUNCTIONS) {
    if (source[name] !== undefined && typeof source[name] !== 'function')
      return `expected the export ${name} to be a function, got ${describe(source[name])}`;
  }
  if (source.options !== undefined && !isObject(source.options)) {
    return `expected the export options to be an object, got ${describe(source.options)}`;
  }
  const all = { ...carriedBy(value), ...source } as Extras;
  const { ready, close, warmup, upgrade, lead, healthy, metrics, options } = all;
  const problem = warmupProblem(warmup);
  return problem ?? { ready, close, warmup, upgrade, lead, healthy, metrics, options };
}

/**
 * The optional exports that the default export itself carries, as in `module.exports = Object.assign(app, { ready })`. What
 * has another type is its own affair, as the `options` method of an Express app is; and so are `ready`, `close` and the like
 * of an object, which a server or a Fastify instance has itself.
 */
function carriedBy(value: unknown): Extras {
  if (typeof value !== 'function' && !isObject(value)) return {};
  const isFunction = typeof value === 'function';
  const own: Fields = { ...value };
  const names: string[] = (isFunction ? FUNCTIONS : SEEN).filter((name) => typeof own[name] === 'function');
  if (isFunction && isObject(own.options)) names.push('options');
  if (isFunction && (typeof own.warmup === 'function' || Array.isArray(own.warmup))) names.push('warmup');
  return Object.fromEntries(names.map((name) => [name, own[name]]));
}

const isServer = (value: unknown): value is Server =>
  isObject(value) && 'headersTimeout' in value && has(value, 'listen', 'address', 'emit');

interface Fastify {
  readonly server: Server;
  readonly ready: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

const isFastify = (value: Fields): value is Fields & Fastify =>
  has(value, 'ready', 'close', 'inject', 'route') && isServer(value.server);

/** Fastify's own server, which it attaches its plugins to, WebSockets' too. */
async function fastify(app: Fastify, extras: Extras): Promise<Found> {
  await app.ready();
  const close = async (): Promise<void> => {
    await extras.close?.();
    await app.close();
  };
  return { found: 'server', server: app.server, extras: { ...extras, close } };
}
