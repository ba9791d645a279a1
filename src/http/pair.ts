// Two ends of a connection within this process, which nobody else can reach: no port, no file, no rights needed.

import { Duplex } from 'node:stream';

/** One end. What apps ask of a socket, and a stream alone has not, it has, too: it comes from this machine. */
class End extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly remoteFamily = 'IPv4';
  readonly remotePort = 0;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 0;
  /** What a connection by TLS has: frameworks ask it, and HTTP/2 asks what was agreed on. */
  readonly encrypted: true | undefined;
  readonly alpnProtocol: string | undefined;
  bytesRead = 0;
  bytesWritten = 0;
  #other: End | undefined;
  /** The other end's write, done when this one has read it. */
  #written: (() => void) | undefined;

  constructor(isSecure: boolean) {
    super({ allowHalfOpen: true });
    this.encrypted = isSecure || undefined;
    this.alpnProtocol = isSecure ? 'http/1.1' : undefined;
  }

  static pair(isSecure: boolean): readonly [End, End] {
    const [one, other] = [new End(isSecure), new End(isSecure)];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  override _read(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const other = this.#other;
    if (!other || chunk.length === 0) {
      process.nextTick(done);
      return;
    }
    this.bytesWritten += chunk.length;
    other.bytesRead += chunk.length;
    other.#written = done;
    other.push(chunk);
  }

  override _final(done: () => void): void {
    this.#other?.once('end', done);
    this.#other?.push(null);
  }

  /** As a reset would: what the other end has not read is lost. An end that was finished has been read. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    process.nextTick(() => this.#other?.destroy());
    done(error);
  }

  setTimeout = (): this => this;
  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
  address = (): object => ({});
}

/**
 * Makes both ends of a connection.
 * @param isSecure whether it has to pass for one by TLS
 */
export const pair: (isSecure: boolean) => readonly [Duplex, Duplex] = End.pair;
