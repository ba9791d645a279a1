// Connections that have no end of their own, WebSockets and event streams: a drain ends each at a moment of its own, so
// that their clients do not all come back in the same second.

import type { ServerResponse } from 'node:http';
import type { Answer, Connection } from './connection.ts';
import { nativeEnd } from './head.ts';
import { isHttp2 } from './http2.ts';
import { mute } from './refusal.ts';

/** A WebSocket's close frame, with the code 1001: the server goes away. */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** What is open on a server, as far as it matters here. */
export interface Open {
  readonly connections: ReadonlySet<Connection>;
  readonly inFlight: ReadonlyMap<ServerResponse, number>;
}

/** How many there are. */
export function countLongLived({ connections, inFlight }: Open): number {
  let count = 0;
  for (const { protocol } of connections) if (protocol !== undefined) count += 1;
  for (const res of inFlight.keys()) if (isEventStream(res)) count += 1;
  return count;
}

/** Ends them, each at a random moment of a span of time. */
export class Endings {
  readonly #open: Open;
  readonly #random: () => number;
  /** When each is ended, in ms of `performance.now()`. */
  readonly #due = new Map<Connection | ServerResponse, number>();
  #until = 0;

  constructor(open: Open, random: () => number = Math.random) {
    this.#open = open;
    this.#random = random;
  }

  /** From now on they are ended, the last at `until`; asked once more, those that are left get a new moment. */
  begin(until: number): void {
    this.#until = until;
    this.#due.clear();
  }

  /** Ends those whose moment has come. */
  look(now: number): void {
    const { connections, inFlight } = this.#open;
    for (const socket of connections) {
      if (socket.protocol !== undefined && this.#isDue(socket, now)) endSocket(socket);
    }
    for (const res of inFlight.keys()) if (isEventStream(res) && this.#isDue(res, now)) endStream(res);
  }

  /** Whether its moment is now: once. */
  #isDue(one: Connection | ServerResponse, now: number): boolean {
    const due = this.#due.get(one) ?? now + this.#random() * Math.max(0, this.#until - now);
    this.#due.set(one, now >= due ? Infinity : due);
    return now >= due;
  }
}

/** The other side of a WebSocket answers the frame, and the app's library closes what both have ended. */
function endSocket(socket: Connection): void {
  if (!socket.writable) return;
  if (socket.protocol === 'websocket') socket.write(GOING_AWAY);
  else socket.end();
}

function endStream(res: Answer): void {
  // Its connection goes with it: the client is about to come back, and not to this worker.
  res._last = true;
  if (isHttp2(res.req)) res.end();
  else nativeEnd.call(res, '');
  mute(res);
}

/** Whether it is the answer of an event stream, which has no end of its own. */
export const isEventStream = (res: Answer): boolean =>
  !res.writableEnded &&
  (isHttp2(res.req)
    ? res.headersSent && /^text\/event-stream/i.test(String(res.getHeader('content-type')))
    : /\r\ncontent-type: text\/event-stream/i.test(res._header ?? ''));
