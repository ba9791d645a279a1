// The primary's writer to stdout or stderr: whole lines, never blocking, bounded; a stalled reader costs lines, not service.

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { inBackground, relayTo } from './background.ts';

/** A write of no more than this into a pipe is atomic: whole or not at all. */
const PIECE_BYTES = 4096;
/** When more than this waits for a stalled reader, lines are dropped. */
const BACKLOG_BYTES = 1_048_576;
/** When a reader that has just read is tried again, and how often one that stalls. */
const SOON_MS = 1;
const RETRY_MS = 20;

const NEWLINE = 10;

/** A bounded writer of whole lines to an inherited file descriptor: file, pipe, socket or terminal. */
export class Sink {
  #fd: number;
  /** Held so that the descriptor stays non-blocking where it could not be opened anew. */
  readonly #keeper: Socket | undefined;
  readonly #atomic: boolean;
  readonly #droppedLine: (lines: number) => string;
  /** The terminal that is written to directly; undefined = it is none, or what is written is relayed to it. */
  #terminal: number | undefined;
  #queue: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  /** Lines dropped so far. */
  lost = 0;
  #midLine = false;
  #broken = false;
  #retry: NodeJS.Timeout | undefined;

  /** @param droppedLine the line that says how many were dropped, said when the reader is back */
  constructor(fd: number, droppedLine: (lines: number) => string) {
    this.#droppedLine = droppedLine;
    const { fd: own, keeper, atomic } = nonBlocking(fd);
    this.#fd = own;
    this.#keeper = keeper;
    this.#keeper?.unref();
    this.#atomic = atomic;
    this.#terminal = isatty(fd) ? fd : undefined;
  }

  /** Adds whole lines and writes what can be written now. */
  write(lines: string | Buffer): void {
    if (this.#broken) return;
    const buffer = typeof lines === 'string' ? Buffer.from(lines) : lines;
    if (buffer.length === 0) return;
    if (this.#bytes > BACKLOG_BYTES) {
      const lines = countLines(buffer);
      this.#dropped += lines;
      this.lost += lines;
      return;
    }
    this.#queue.push(buffer);
    this.#bytes += buffer.length;
    this.#pump();
  }

  /** Writes all that is queued, waiting for a stalled reader no longer than `ms`; for the very end of a process. */
  flush(ms: number): void {
    const deadline = performance.now() + ms;
    while (this.#bytes > 0 && !this.#broken) {
      this.#pump();
      if (this.#bytes === 0 || performance.now() >= deadline) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#bytes > 0) this.#pump();
  }

  #pump(): void {
    this.#leaveTerminal();
    let reads = false;
    for (;;) {
      const head = this.#queue[0];
      if (!head) break;
      const length = this.#atomic ? pieceLength(head) : head.length;
      const written = this.#tryWrite(head.subarray(0, length));
      if (written === undefined) {
        if (!this.#broken) this.#tryAgainIn(reads ? SOON_MS : RETRY_MS);
        return;
      }
      reads = true;
      this.#bytes -= written;
      this.#midLine = written < length;
      if (written === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(written);
    }
    if (this.#dropped > 0 && !this.#midLine) {
      const lines = this.#dropped;
      this.#dropped = 0;
      this.write(this.#droppedLine(lines));
    }
  }

  #tryAgainIn(ms: number): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#pump();
    }, ms);
  }

  /** From the background a terminal is written to by a relay, from then on: see background.ts. */
  #leaveTerminal(): void {
    if (this.#terminal === undefined || !inBackground()) return;
    this.#fd = relayTo(this.#terminal) ?? this.#fd;
    this.#terminal = undefined;
  }

  /** Bytes written, or undefined when the reader is not ready (tried again later) or gone for good. */
  #tryWrite(piece: Buffer): number | undefined {
    try {
      return writeSync(this.#fd, piece);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EAGAIN' && code !== 'ENOSPC' && code !== 'EDQUOT') {
        // EPIPE, EIO: nobody will ever read this. The service goes on without a log.
        this.#broken = true;
        this.#queue = [];
        this.#bytes = 0;
      }
      return undefined;
    }
  }
}

/** The longest run of whole lines that fits into one atomic write; a longer single line goes in pieces. */
function pieceLength(buffer: Buffer): number {
  if (buffer.length <= PIECE_BYTES) return buffer.length;
  const end = buffer.lastIndexOf(NEWLINE, PIECE_BYTES - 1);
  return end === -1 ? PIECE_BYTES : end + 1;
}

const countLines = (buffer: Buffer): number => {
  let lines = 0;
  for (let at = buffer.indexOf(NEWLINE); at !== -1; at = buffer.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
};

/**
 * A descriptor for the same file that never blocks. A pipe or terminal is opened anew, so that O_NONBLOCK stays off
 * the description shared with other processes; a socket cannot be opened anew, and a pipe of another user must not.
 */
function nonBlocking(fd: number): { fd: number; keeper: Socket | undefined; atomic: boolean } {
  let kind: ReturnType<typeof fstatSync>;
  try {
    kind = fstatSync(fd);
  } catch {
    return { fd, keeper: undefined, atomic: false }; // closed: the first write says so
  }
  if (kind.isFile()) return { fd, keeper: undefined, atomic: false };
  if (!kind.isSocket()) {
    try {
      const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      const own = openSync(`/dev/fd/${fd}`, flags);
      if (fstatSync(own).ino === kind.ino) return { fd: own, keeper: undefined, atomic: true };
      closeSync(own);
    } catch {
      // Not ours to open: share the description below.
    }
  }
  try {
    return { fd, keeper: new Socket({ fd, readable: false, writable: true }), atomic: true };
  } catch {
    return { fd, keeper: undefined, atomic: true }; // a terminal or device that cannot be opened: blocking, as it comes
  }
}
