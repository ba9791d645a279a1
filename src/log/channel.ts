// A worker's way to the log: lines are gathered and written in batches to the primary, which alone writes to stdout.

import { Socket } from 'node:net';

/** A batch is written when it has so many characters, which Node reads in one piece, or is so old. */
const BATCH_CHARS = 60_000;
const BATCH_MS = 50;
/** Beyond so many unread bytes lines are dropped: the primary is stopped or overwhelmed. */
const BACKLOG_BYTES = 1_048_576;

/** A bounded, batched, never blocking writer of whole lines to a pipe of this process. */
export class Channel {
  readonly #socket: Socket;
  readonly #droppedLine: (lines: number) => string;
  #pending = '';
  #timed = false;
  #dropped = 0;
  #broken = false;
  /** Lines dropped so far. */
  lost = 0;

  /**
   * @param fd file descriptor of the pipe to the primary
   * @param droppedLine the line that says how many were dropped, said when the primary reads again
   */
  constructor(fd: number, droppedLine: (lines: number) => string) {
    this.#droppedLine = droppedLine;
    this.#socket = new Socket({ fd, readable: false, writable: true });
    this.#socket.on('drain', this.#tellDropped);
    // A primary that is gone reads no log; the worker answers on.
    this.#socket.on('error', () => {
      this.#broken = true;
    });
  }

  /** Adds whole lines; they are on their way within 50 ms. */
  write(lines: string): void {
    this.#pending += lines;
    if (this.#pending.length >= BATCH_CHARS) this.flush();
    if (this.#timed) return;
    this.#timed = true;
    setTimeout(this.#flushTimed, BATCH_MS).unref();
  }

  readonly #flushTimed = (): void => {
    this.#timed = false;
    this.flush();
  };

  /** Writes what is pending now. */
  readonly flush = (): void => {
    const batch = this.#pending;
    if (batch === '') return;
    this.#pending = '';
    if (this.#broken) return;
    if (this.#socket.writableLength + batch.length > BACKLOG_BYTES) {
      const lines = batch.split('\n').length - 1;
      this.#dropped += lines;
      this.lost += lines;
      return;
    }
    this.#socket.write(batch, 'utf8');
  };

  /** The primary has read all there was. */
  readonly #tellDropped = (): void => {
    if (this.#dropped === 0 || this.#broken) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#socket.write(this.#droppedLine(lines), 'utf8');
  };

  /** Writes all; resolves when it is out, or cannot be. */
  end(): Promise<void> {
    this.flush();
    if (this.#broken || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.end(resolve);
    });
  }
}
