// What differs where a request came over HTTP/2: its stream is answered, and its connection, that of others too, is left alone.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Connection } from './connection.ts';
import { errorBody, mute } from './refusal.ts';

/** Error codes of RFC 9113; `node:http2` is not loaded where no app needs it. */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;

/** In a drain a session without a request so far may bring its first one for so long. */
const FIRST_REQUEST_MS = 500;

/** Whether a request came over HTTP/2, and does not only say so in a request line of HTTP/1. */
export const isHttp2 = (req: IncomingMessage): boolean => req.httpVersionMajor >= 2 && 'stream' in req;

/** The stream of a request or an answer of HTTP/2. */
export const streamOf = (one: IncomingMessage | ServerResponse): ServerHttp2Stream =>
  (one as unknown as { readonly stream: ServerHttp2Stream }).stream;

/** The connection that a request came on; undefined once its session is gone. */
export const connectionOf = (req: IncomingMessage): Connection | undefined =>
  (streamOf(req).session?.socket as Connection | undefined)?.self;

/** The status that was sent on a stream, or else the one its answer would have had. */
export const statusOf = (stream: ServerHttp2Stream, res: ServerResponse): number =>
  Number(stream.sentHeaders?.[':status'] ?? res.statusCode);

/** Whether the whole answer went out. */
export const isWhole = (stream: ServerHttp2Stream, res: ServerResponse): boolean =>
  stream.rstCode === NO_ERROR && (stream.writableEnded || res.writableEnded);

/** Answers 500 in the place of the app that failed, or, where the answer has begun, closes the stream with an error. */
export function failStream(res: ServerResponse): void {
  const stream = streamOf(res);
  if (stream.destroyed || stream.closed || res.writableEnded) return;
  if (stream.headersSent) {
    stream.close(INTERNAL_ERROR);
    return;
  }
  try {
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.sendDate = true;
    const body = errorBody(500);
    res.writeHead(500, {
      server: 'hello-server',
      'content-type': 'text/html; charset=utf-8',
      'content-length': body.length,
    });
    res.end(body);
    mute(res);
  } catch {
    stream.close(INTERNAL_ERROR);
  }
}

/**
 * Tells the sessions among these connections to go away: what is open on them is finished, and what the client asks for
 * afterwards goes elsewhere. One that has just come may first bring the request that it came for.
 */
export function goAway(connections: Iterable<Connection>, now: number): void {
  for (const { session, latest, sessionSince = 0 } of connections) {
    if (!session || session.closed || session.destroyed) continue;
    if (latest || now - sessionSince >= FIRST_REQUEST_MS) session.close();
  }
}
