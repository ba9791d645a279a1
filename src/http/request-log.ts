// The request log of a worker: one line per answered request, in the configured format, into its channel.

import type { Config } from '../core/config.ts';
import { isLogged } from '../log/logger.ts';
import { jsonLines, textLine } from './request-line.ts';
import type { Answered } from './service.ts';

/** Logs each request answered; undefined where the configuration wants no request lines. */
export function requestLog(
  config: Config,
  bindings: Readonly<Record<string, unknown>>,
  write: (line: string) => void,
): Answered | undefined {
  if (!config.accessLog || !isLogged(config.logLevel, 'info')) return undefined;
  if (config.logFormat === 'text') {
    return (req) => write(textLine(Date.now(), req?.method ?? '-', req?.url ?? '-'));
  }
  const line = jsonLines({ pid: process.pid, ...bindings });
  return (req, socket, statusCode, responseTimeMs) => {
    const forwardedFor = req?.headers['x-forwarded-for'];
    write(
      line(Date.now(), {
        method: req?.method ?? '-',
        url: req?.url ?? '-',
        remoteAddress: socket.remoteAddress,
        forwardedFor: typeof forwardedFor === 'string' ? forwardedFor : forwardedFor?.join(', '),
        userAgent: req?.headers['user-agent'],
        statusCode,
        responseTimeMs,
      }),
    );
  };
}
