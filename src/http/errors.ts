// What errors mean: the parser's, and those of a client that went away.

import { codeOf } from '../log/thrown.ts';
import type { ErrorStatus } from './refusal.ts';

/** Errors of streams whose other end went away. */
const CLIENT_LEFT: ReadonlySet<string | undefined> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ABORT_ERR',
]);

/** Whether an app's error only says that its client has gone. */
export const leftByClient = (error: unknown): boolean => CLIENT_LEFT.has(codeOf(error));

/** The status that an error of the parser is answered with; undefined where the connection itself failed. */
export function parserErrorStatus(error: NodeJS.ErrnoException): ErrorStatus | undefined {
  const code = error.code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}

/** Whether the value is a promise, or like one. Throws what looking at it throws. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
