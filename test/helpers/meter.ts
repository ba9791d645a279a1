// The loss meter: raw-socket clients of several kinds, each of whose requests ends in exactly one bucket.

import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a request can end. Only `ok` is no loss. */
export const BUCKETS = ['ok', 'other status', 'refused', 'reset', 'cut off', 'hang'] as const;
export type Bucket = (typeof BUCKETS)[number];
export type Tally = Record<Bucket, number>;

/** The buckets of a run that lost nothing, `ok` apart. */
export const NOTHING_LOST = { 'other status': 0, refused: 0, reset: 0, 'cut off': 0, hang: 0 } as const;

/** A kind of client. */
export interface Kind {
  readonly name: string;
  readonly clients: number;
  /** Pause before each request, at most, ms; its length is random. */
  readonly thinkMs: number;
  /** A connection for each request. */
  readonly fresh: boolean;
  /** Bytes of body to post; 0 = GET. */
  readonly bodyBytes: number;
}

/** The clients of the product's promise: no request of theirs is lost in a reload. */
export const KINDS: readonly Kind[] = [
  { name: 'keep-alive', clients: 16, thinkMs: 6, fresh: false, bodyBytes: 0 },
  { name: 'keep-alive, thinking', clients: 60, thinkMs: 3000, fresh: false, bodyBytes: 0 },
  { name: 'fresh connection', clients: 8, thinkMs: 6, fresh: true, bodyBytes: 0 },
  { name: 'upload', clients: 4, thinkMs: 6, fresh: false, bodyBytes: 16_384 },
];

/** A request that takes longer hangs. */
export const HANG_MS = 5000;
/** A client that was refused waits so long before the next try. */
const RETRY_MS = 20;

export interface Loss {
  readonly kind: string;
  readonly bucket: Bucket;
  /** ms since the meter began. */
  readonly at: number;
  /** What of an answer came. */
  readonly received: string;
  readonly error: string | undefined;
  /** Whether the connection had not answered before: it may never have been accepted. */
  readonly first: boolean;
}

interface Connection {
  readonly socket: Socket;
  /** The other side has ended it. */
  ended: boolean;
  error: string | undefined;
  received: string;
  answered: boolean;
  heard: () => void;
}

/** The meters that run: a test that fails does not get to stop its own. */
const running = new Set<Meter>();

/** Stops every meter that a test left running; resolves when their clients have gone. */
export async function stopMeters(): Promise<void> {
  await Promise.all([...running].map((meter) => meter.stop()));
}

/** Clients that ask without pause until they are stopped. */
export class Meter {
  readonly tally: Tally = { ok: 0, 'other status': 0, refused: 0, reset: 0, 'cut off': 0, hang: 0 };
  readonly losses: Loss[] = [];
  /** Latencies of the answered requests, ms. */
  readonly latencies: number[] = [];
  readonly #began = performance.now();
  readonly #port: number;
  readonly #path: string;
  #stopped = false;
  #clients: Promise<void>[];

  constructor(port: number, kinds: readonly Kind[] = KINDS, path = '/') {
    this.#port = port;
    this.#path = path;
    running.add(this);
    this.#clients = kinds.flatMap((kind) => Array.from({ length: kind.clients }, () => this.#run(kind)));
  }

  /** Requests that did not end well. */
  get lost(): number {
    return BUCKETS.reduce((sum, bucket) => sum + (bucket === 'ok' ? 0 : this.tally[bucket]), 0);
  }

  /** Ends all clients, each after its request; resolves with the tally. */
  async stop(): Promise<Tally> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    running.delete(this);
    return this.tally;
  }

  async #run(kind: Kind): Promise<void> {
    const request =
      kind.bodyBytes > 0
        ? `POST ${this.#path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${kind.bodyBytes}\r\n\r\n${'x'.repeat(kind.bodyBytes)}`
        : `GET ${this.#path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    let connection: Connection | undefined;
    while (!this.#stopped) {
      if (!kind.fresh) await pause(Math.random() * kind.thinkMs, () => this.#stopped);
      // A connection that ended while the client thought costs nothing: it takes another.
      if (connection?.ended) connection = undefined;
      connection ??= await this.#connect(kind);
      if (!connection) {
        await pause(RETRY_MS, () => this.#stopped);
        continue;
      }
      const closes = await this.#ask(kind, connection, request);
      if (closes || kind.fresh) {
        connection.socket.destroy();
        connection = undefined;
      }
      if (kind.fresh) await pause(Math.random() * kind.thinkMs, () => this.#stopped);
    }
    connection?.socket.destroy();
  }

  #connect(kind: Kind): Promise<Connection | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
      const connection: Connection = {
        socket,
        ended: false,
        error: undefined,
        received: '',
        answered: false,
        heard: () => {},
      };
      socket.setEncoding('latin1');
      socket.once('connect', () => resolve(connection));
      socket.on('data', (chunk: string) => {
        connection.received += chunk;
        connection.heard();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        connection.error = error.code;
        if (socket.connecting || error.code === 'ECONNREFUSED') this.#count(kind, 'refused', connection);
        resolve(undefined);
      });
      for (const event of ['end', 'close']) {
        socket.on(event, () => {
          connection.ended = true;
          connection.heard();
        });
      }
    });
  }

  /** One request; resolves with whether the connection is used up. */
  async #ask(kind: Kind, connection: Connection, request: string): Promise<boolean> {
    const start = performance.now();
    connection.received = '';
    connection.socket.write(request, 'latin1');
    const whole = (): boolean => {
      const end = connection.received.indexOf('\r\n\r\n');
      if (end === -1) return false;
      if (/\r\ntransfer-encoding: chunked\r\n/i.test(connection.received.slice(0, end + 2)))
        return connection.received.endsWith('\r\n0\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(connection.received)?.[1] ?? 0);
      return connection.received.length >= end + 4 + length;
    };
    const inTime = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), HANG_MS);
      connection.heard = () => {
        if (!whole() && !connection.ended) return;
        clearTimeout(timer);
        connection.heard = () => {};
        resolve(true);
      };
      connection.heard();
    });
    if (!inTime) this.#count(kind, 'hang', connection);
    else if (!whole()) this.#count(kind, connection.received === '' ? 'reset' : 'cut off', connection);
    else if (!connection.received.startsWith('HTTP/1.1 200 ')) this.#count(kind, 'other status', connection);
    else {
      this.#count(kind, 'ok', connection);
      connection.answered = true;
      this.latencies.push(performance.now() - start);
      return /\r\nconnection: close\r\n/i.test(connection.received);
    }
    return true;
  }

  #count(kind: Kind, bucket: Bucket, { received, error, answered }: Connection): void {
    this.tally[bucket] += 1;
    if (bucket === 'ok' || this.losses.length >= 50) return;
    const at = Math.round(performance.now() - this.#began);
    this.losses.push({
      kind: kind.name,
      bucket,
      at,
      received: received.slice(0, 80),
      error,
      first: !answered,
    });
  }
}

/** Waits `ms`, or less once `over` is true. */
async function pause(ms: number, over: () => boolean): Promise<void> {
  for (let left = ms; left > 0 && !over(); left -= 100) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(100, left)));
  }
}

/** A TCP proxy to `port` that delays each direction by `delayMs`; the order of bytes and ends is kept. */
export async function slowProxy(port: number, delayMs: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const later = (act: () => void) => setTimeout(act, delayMs);
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => later(() => to.write(chunk)));
      from.on('end', () => later(() => to.end()));
      from.on('error', () => later(() => to.resetAndDestroy()));
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref(); // a test that fails before it closes it shall end all the same
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return {
    port: address.port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
