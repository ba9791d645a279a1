// What an app module is: a Node request listener as its default export, and a few optional exports beside it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Options } from './empty.ts';

/** Node's request listener; what it throws, or rejects with, before it answered becomes a `500`. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** An app module as loaded; everything but the listener is optional. */
export interface App {
  readonly default: Listener;
  /** Awaited before the worker takes traffic. `signal` aborts with reason `'stop'` or `'replace'` when it drains. */
  readonly ready?: ((signal: AbortSignal) => unknown) | undefined;
  /** Awaited after the worker has drained, within the same deadline. */
  readonly close?: (() => unknown) | undefined;
  /** Node's `'upgrade'` event; without it `Upgrade` is ignored. */
  readonly upgrade?: ((req: IncomingMessage, socket: Duplex, head: Buffer) => unknown) | undefined;
  /** Node's server options, taken under ours. */
  readonly options?: Options | undefined;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** The module's exports as an {@link App}; a text that says what is wrong with them otherwise. */
export function asApp(exports: Readonly<Record<string, unknown>>): App | string {
  // A CommonJS module compiled from ESM has its default export one level down.
  const inner = exports.default;
  const source: Readonly<Record<string, unknown>> =
    typeof inner === 'object' && inner !== null && 'default' in inner ? { ...inner } : exports;
  if (!isFunction(source.default)) {
    return `expected a default export (req, res) => ..., got ${describe(source.default)}`;
  }
  for (const name of ['ready', 'close', 'upgrade'] as const) {
    const value = source[name];
    if (value !== undefined && !isFunction(value))
      return `expected the export ${name} to be a function, got ${describe(value)}`;
  }
  const options = source.options;
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    return `expected the export options to be an object, got ${describe(options)}`;
  }
  const { default: listener, ready, close, upgrade } = source;
  return { default: listener, ready, close, upgrade, options } as unknown as App;
}

const describe = (value: unknown): string =>
  value === undefined ? 'none' : value === null ? 'null' : `a ${typeof value}`;
