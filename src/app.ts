// Hello, the built-in app, and the one file to replace: see docs/app.md.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { SINCE_VARIABLE } from './core/protocol.ts';

const BODY = 'Hello, World!';
const HEADERS = ['Content-Type', 'text/html; charset=utf-8', 'Content-Length', String(BODY.length)];

/** Empty requests need no stream of their own. */
export const options = { optimizeEmptyRequests: true };

let stopping = false;

/** Fails health checks from the moment the fleet is asked to stop, not when this worker alone is replaced. */
export function ready(signal: AbortSignal): void {
  signal.addEventListener('abort', () => {
    stopping = signal.reason === 'stop';
  });
}

/** Answers every request with Hello, `/health` apart; one with a body when that has been received whole. */
export default function hello(req: IncomingMessage, res: ServerResponse): void {
  const { headers } = req;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) answer(req, res);
  else req.resume().on('end', () => answer(req, res));
}

function answer({ method, url = '' }: IncomingMessage, res: ServerResponse): void {
  if (url !== '/' && (method === 'GET' || method === 'HEAD') && pathOf(url) === '/health') {
    health(res);
    return;
  }
  res.writeHead(200, HEADERS);
  res.end(BODY);
}

/** The path of a target in origin-form or absolute-form. */
const pathOf = (url: string): string | undefined =>
  /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?]*)?(\/[^?]*)/i.exec(url)?.[1];

function health(res: ServerResponse): void {
  const status = stopping ? 'stopping' : 'healthy';
  const body = JSON.stringify({ status, uptime: Math.round(uptime() * 1000) / 1000 });
  res.writeHead(stopping ? 503 : 200, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  res.end(body);
}

/** Seconds since the primary began; since this process did, where there is no primary. */
function uptime(): number {
  const since = Number(process.env[SINCE_VARIABLE]);
  return since ? Number(process.hrtime.bigint()) / 1e9 - since : process.uptime();
}
