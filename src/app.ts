// Hello, the built-in app, and the one file to replace: see "The app module" in the README.

import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';

const BODY = 'Hello, World!';
const HEADERS = [
  'Server',
  'hello-server',
  'Content-Type',
  'text/html; charset=utf-8',
  'Content-Length',
  String(BODY.length),
];

const CONTENT_LENGTH = 'content-length';
const TRANSFER_ENCODING = 'transfer-encoding';

/** Empty requests need no stream of their own (Node 24 and newer; older ones ignore it). */
export const options: ServerOptions & { optimizeEmptyRequests: boolean } = { optimizeEmptyRequests: true };

let stopping = false;

/** Fails health checks from the moment the fleet is asked to stop, not when this worker alone is replaced. */
export function ready(signal: AbortSignal): void {
  signal.addEventListener('abort', () => {
    stopping = signal.reason === 'stop';
  });
}

/** Answers every request with Hello, `/health` apart; one with a body when that has been received whole. */
export default function hello(req: IncomingMessage, res: ServerResponse): void {
  if (hasBody(req)) req.resume().on('end', () => answer(req, res));
  else answer(req, res);
}

/** Node parses `req.headers` when they are first read; a request without a name as long as these two is spared that. */
function hasBody(req: IncomingMessage): boolean {
  const lines = req.rawHeaders;
  for (let i = 0; i < lines.length; i += 2) {
    const { length } = lines[i] as string;
    if (length === CONTENT_LENGTH.length && CONTENT_LENGTH in req.headers) return true;
    if (length === TRANSFER_ENCODING.length && TRANSFER_ENCODING in req.headers) return true;
  }
  return false;
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
  const since = Number(process.env.HELLO_SERVER_SINCE);
  return since ? Number(process.hrtime.bigint()) / 1e9 - since : process.uptime();
}
