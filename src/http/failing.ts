// What becomes of a request whose app failed: a 500 where its answer has not begun, else its connection is cut.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Notice } from '../core/notices.ts';
import { describeThrown } from '../log/thrown.ts';
import type { Connection } from './connection.ts';
import { leftByClient } from './errors.ts';
import { nativeEnd } from './head.ts';
import { failStream, isHttp2, streamOf } from './http2.ts';
import { errorBody, errorHeaders, mute } from './refusal.ts';
import type { ServerSettings, Service } from './service.ts';

export const appFailed = ({ method = '-', url = '-' }: IncomingMessage, error: unknown): Notice => ({
  notice: 'app failed',
  method,
  url,
  ...describeThrown(error),
});

/** The requests of one service whose app failed. */
export class Failing {
  readonly #service: Pick<Service, 'counts' | 'inFlight'>;
  readonly #writeHead: ServerResponse['writeHead'];
  readonly #log: NonNullable<ServerSettings['log']>;
  readonly #streams = new WeakSet<ServerResponse>();

  constructor(
    service: Pick<Service, 'counts' | 'inFlight'>,
    writeHead: ServerResponse['writeHead'],
    log: NonNullable<ServerSettings['log']>,
  ) {
    this.#service = service;
    this.#writeHead = writeHead;
    this.#log = log;
  }

  /** The app threw or rejected. */
  fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const socket = req.socket as Connection;
    const hasLeft = isHttp2(req) ? streamOf(res).destroyed : socket.destroyed || socket.refused;
    if (hasLeft && leftByClient(error)) return;
    this.#service.counts.failed += 1;
    this.#log(appFailed(req, error));
    this.#answer(req, res);
  }

  /**
   * Nobody caught an error. If just one request is in flight, it is taken for the one that made it: it has its 500 at
   * once, unless its answer has begun.
   */
  failAlone(): void {
    const { counts, inFlight } = this.#service;
    const [res] = inFlight.size === 1 ? inFlight.keys() : [];
    if (!res || res.headersSent) return;
    counts.failed += 1;
    this.#answer(res.req, res);
  }

  /** Whether it was ended here, an answer of HTTP/2. */
  hasEnded(res: ServerResponse): boolean {
    return this.#streams.has(res);
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    if (isHttp2(req)) {
      this.#streams.add(res);
      failStream(res);
      return;
    }
    const socket = req.socket as Connection;
    if (socket.destroyed || socket.refused || res.writableFinished) return;
    if (res.headersSent) {
      // The connection is cut, so that nobody takes half an answer for a whole one.
      if (!res.writableEnded) {
        socket.isCut = true;
        socket.destroy();
      }
      return;
    }
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.statusMessage = '';
    res.sendDate = true; // removing Date turned it off
    const close = res.shouldKeepAlive ? [] : ['Connection', 'close']; // removing it would have said neither
    this.#writeHead.call(res, 500, [...errorHeaders(500), ...close] as never);
    nativeEnd.call(res, errorBody(500));
    mute(res);
  }
}
