// What errors mean: the parser's, the app's, and those of a client that went away.

import type { ErrorStatus } from './refusal.ts';

/** Errors of streams whose other end went away. */
const CLIENT_LEFT: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ABORT_ERR',
]);

/** Whether an app's error only says that its client has gone. */
export const leftByClient = (error: unknown): boolean =>
  CLIENT_LEFT.has(String((error as NodeJS.ErrnoException | undefined)?.code));

/** The status that an error of the parser is answered with; undefined where the connection itself failed. */
export function statusOf(error: NodeJS.ErrnoException): ErrorStatus | undefined {
  const code = error.code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}

/** Whether the value is a promise, or like one. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** What an error says, and where it was thrown. */
export const said = (error: unknown): [string, string | undefined] =>
  error instanceof Error ? [error.message, error.stack] : [String(error), undefined];
