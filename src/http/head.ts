// The head of an answer: what we add to it, whatever way the app writes it.

import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type Answer, type Connection, unsaid } from './connection.ts';

type HeadersArgument = OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined;

/** Node's own, in the one type that covers its overloads. */
export const nativeWriteHead = ServerResponse.prototype.writeHead as unknown as (
  this: ServerResponse,
  statusCode: number,
  ...rest: [headers: HeadersArgument] | [phrase: string, headers: HeadersArgument]
) => ServerResponse;

/** Node's own. */
export const nativeEnd = ServerResponse.prototype.end as unknown as (
  this: ServerResponse,
  body: string,
) => ServerResponse;

/**
 * What takes the place of `res.writeHead`, on the answer itself, as frameworks exchange its prototype. It adds our
 * `Server` where the app has none, and as long as `service.closes` a `Connection: close` to the last answer that is owed
 * on the connection: the requests that came after this one run already, and are answered, too.
 */
export function headWriter(service: { closes: number }): ServerResponse['writeHead'] {
  return function writeHead(
    this: Answer,
    statusCode: number,
    reason?: string | HeadersArgument,
    given?: HeadersArgument,
  ): ServerResponse {
    const phrase = typeof reason === 'string' ? reason : undefined;
    let headers = phrase === undefined ? ((reason as HeadersArgument) ?? given) : given;
    if (Array.isArray(headers) && isNested(headers)) headers = headers.flat() as OutgoingHttpHeader[];
    const socket = this.req.socket as Connection;
    if (service.closes > 0 && socket.latest === this) {
      if (this.shouldKeepAlive) service.closes -= 1;
      this.shouldKeepAlive = false;
      this.setHeader('Connection', 'close');
      headers = withoutConnection(headers);
    }
    if (!this.hasHeader('server') && !names(headers, 'Server')) {
      if (headers === undefined || this.getHeaderNames().length > 0) this.setHeader('Server', 'hello-server');
      else headers = withServer(headers);
    }
    if (phrase === undefined) nativeWriteHead.call(this, statusCode, headers);
    else nativeWriteHead.call(this, statusCode, phrase, headers);
    if (this._last) socket.lastSaid = true;
    if (this.begun !== undefined && this._header) this._header = unsaid(this, this._header);
    return this;
  };
}

const isNested = (headers: OutgoingHttpHeader[]): boolean => Array.isArray(headers[0]);

/** Whether the headers given to writeHead (object or flat array) have one of that name. */
function names(headers: HeadersArgument, name: string): boolean {
  if (headers === undefined) return false;
  if (!Array.isArray(headers)) {
    for (const key in headers) if (isSame(key, name)) return true;
    return false;
  }
  for (let i = 0; i < headers.length; i += 2) if (isSame(String(headers[i]), name)) return true;
  return false;
}

/** Lower-casing takes a while: what is spelled as usual, or is of another length, is spared that. */
const isSame = (key: string, name: string): boolean =>
  key === name || (key.length === name.length && key.toLowerCase() === name.toLowerCase());

function withServer(headers: NonNullable<HeadersArgument>): HeadersArgument {
  if (!Array.isArray(headers)) return { ...headers, Server: 'hello-server' };
  return [...headers, 'Server', 'hello-server'];
}

/** The headers less `Connection`: a draining worker's answer says close, whatever the app would like. */
function withoutConnection(headers: HeadersArgument): HeadersArgument {
  if (!names(headers, 'Connection') || headers === undefined) return headers;
  if (!Array.isArray(headers)) {
    return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== 'connection'));
  }
  return headers.filter((_, i) => String(headers[i - (i % 2)]).toLowerCase() !== 'connection');
}
