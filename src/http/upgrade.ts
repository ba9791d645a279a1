// Requests for another protocol: the app's `upgrade` takes them, or they are answered as any other.

import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Connection, endAndLinger } from './connection.ts';
import { isThenable } from './errors.ts';

/** The app's part: takes the socket over, or returns (a promise of) `false` for a request that is not its own. */
export type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/** What becomes of one that the app does not take. */
export interface Listeners {
  /** The app has taken one: it has written a 101. */
  readonly taken: () => void;
  /** It threw, or rejected. */
  readonly failed: (req: IncomingMessage, socket: Connection, error: unknown) => void;
  /** It is not the app's: answered as any other request, by `res`, whose connection closes. */
  readonly declined: (req: IncomingMessage, res: ServerResponse) => void;
  /** Nobody answered it in time; `startedAt` is in ms of `performance.now()`. */
  readonly late: (req: IncomingMessage, socket: Connection, startedAt: number) => void;
}

interface Waiting {
  readonly req: IncomingMessage;
  readonly startedAt: number;
  /** Bytes written before: one more is an answer. */
  readonly written: number;
}

/** How the app's answer begins that takes an upgrade. */
const SWITCHED = 'HTTP/1.1 101';

/** What a socket's data is written with. */
interface Writing {
  _write: (chunk: unknown, ...rest: unknown[]) => void;
  _writev?: (chunks: readonly { readonly chunk: unknown }[], callback: unknown) => void;
}

/** The upgrades of one server. */
export class Upgrades {
  readonly #server: Server;
  readonly #upgrade: Upgrade;
  readonly #listeners: Listeners;
  readonly #waiting = new Map<Connection, Waiting>();

  constructor(server: Server, upgrade: Upgrade, listeners: Listeners) {
    this.#server = server;
    this.#upgrade = upgrade;
    this.#listeners = listeners;
  }

  /**
   * Takes a request that Node has detached from HTTP, after the answers that are owed before it.
   * @param stream what the app is given: the socket, or, as long as newer Nodes read a body, what stands in for it
   */
  take(req: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = req.socket as Connection;
    const owed = socket._httpMessage;
    if (owed) owed.once('close', () => this.take(req, stream, head));
    else if (!socket.destroyed) this.#ask(req, socket, stream, head);
  }

  /** Looks for those that came before `limit` (ms of `performance.now()`) and have no answer. */
  sweep(limit: number): void {
    for (const [socket, { req, startedAt, written }] of this.#waiting) {
      if (startedAt > limit) return;
      this.#waiting.delete(socket);
      if (socket.bytesWritten === written) this.#listeners.late(req, socket, startedAt);
    }
  }

  #ask(req: IncomingMessage, socket: Connection, stream: Duplex, head: Buffer): void {
    const waiting = { req, startedAt: performance.now(), written: socket.bytesWritten };
    this.#waiting.set(socket, waiting);
    onFirstWritten(socket, SWITCHED, () => {
      socket.protocol = req.headers.upgrade?.toLowerCase() ?? '';
      this.#listeners.taken();
    });
    socket.once('close', () => this.#waiting.delete(socket));
    const settled = (answer: unknown): void => {
      if (answer !== false || !this.#isWaiting(socket, waiting)) return;
      this.#waiting.delete(socket);
      if (stream === socket && req.readableLength === 0) this.#giveBack(req, socket, head);
      else this.#answer(req, socket);
    };
    const failed = (error: unknown): void => {
      const unanswered = this.#isWaiting(socket, waiting);
      this.#waiting.delete(socket);
      this.#listeners.failed(req, socket, error);
      if (!unanswered) socket.destroy();
    };
    try {
      const answer = this.#upgrade(req, stream, head);
      if (isThenable(answer)) answer.then(settled, failed);
      else settled(answer);
    } catch (error) {
      failed(error);
    }
  }

  #isWaiting(socket: Connection, { written }: Waiting): boolean {
    return this.#waiting.has(socket) && !socket.destroyed && socket.bytesWritten === written;
  }

  /**
   * Gives the connection back to Node's parser, from the request on, whose `Connection` no longer asks for an upgrade.
   * Node has the protocol's switch depend on whether there is a listener, and on nothing that could be said later.
   */
  #giveBack(req: IncomingMessage, socket: Connection, head: Buffer): void {
    let text = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n`;
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      const name = req.rawHeaders[i] ?? '';
      const value = req.rawHeaders[i + 1] ?? '';
      const kept = name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value;
      if (kept !== '' || value === '') text += `${name}: ${kept}\r\n`;
    }
    this.#server.emit('connection', socket);
    socket.emit('data', Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  }

  /** Answers where a newer Node has begun to read the body: it cannot be parsed once more. */
  #answer(req: IncomingMessage, socket: Connection): void {
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => {
      res.detachSocket(socket);
      endAndLinger(socket);
      res.emit('close');
    });
    this.#listeners.declined(req, res);
  }
}

/**
 * Calls `seen` if the first that is written to the socket is `text`. Everything that an app writes, by whatever way, ends
 * in these two methods.
 */
function onFirstWritten(socket: Connection, text: string, seen: () => void): void {
  const writing = socket as unknown as Writing;
  const { _write: write, _writev: writev } = writing;
  let begun = '';
  const look = (chunk: unknown): void => {
    if (begun.length >= text.length) return;
    begun += Buffer.isBuffer(chunk) ? chunk.toString('latin1', 0, text.length) : String(chunk);
    if (begun.length < text.length) return;
    Object.assign(writing, { _write: write, _writev: writev });
    if (begun.startsWith(text)) seen();
  };
  writing._write = function _write(this: Writing, chunk, ...rest) {
    look(chunk);
    write.call(this, chunk, ...rest);
  };
  if (!writev) return;
  writing._writev = function _writev(this: Writing, chunks, callback) {
    for (const { chunk } of chunks) look(chunk);
    writev.call(this, chunks, callback);
  };
}

const withoutUpgrade = (value: string): string =>
  value
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token.toLowerCase() !== 'upgrade')
    .join(', ');
