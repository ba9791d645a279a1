// A raw-socket HTTP client: sends bytes as given, reads answers one by one.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection. */
export class Raw {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  closed = false;
  /** Code of the error that ended the connection, if one did. */
  error: string | undefined;
  #heard = (): void => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#heard();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    socket.on('end', () => this.#close());
    socket.on('close', () => this.#close());
  }

  /** Bytes received and not yet taken by `answer()`. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** How many bytes those are. */
  get receivedLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  #close(): void {
    this.closed = true;
    this.#heard();
  }

  static async open(port: number): Promise<Raw> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    await once(socket, 'connect');
    return new Raw(socket);
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** The next answer, whole; fails after `ms`, or when the connection ends before it is complete. */
  async answer(ms = 5000, head = false): Promise<Answer> {
    let parsed: { answer: Answer; length: number } | undefined;
    await this.#until(
      () => {
        parsed = parse(this.received, this.closed, head);
        return parsed !== undefined;
      },
      'an answer',
      ms,
    );
    if (!parsed)
      throw new Error(
        `the connection ended without an answer: ${JSON.stringify(this.received.toString('latin1'))}`,
      );
    this.#chunks = [this.received.subarray(parsed.length)];
    return parsed.answer;
  }

  /** Waits for the connection's end; returns what was received and not taken. */
  async end(ms = 5000): Promise<string> {
    await this.#until(() => this.closed, 'the end of the connection', ms);
    return this.received.toString('latin1');
  }

  async #until(condition: () => boolean, what: string, ms: number): Promise<void> {
    const deadline = Date.now() + ms;
    while (!condition()) {
      if (this.closed) return;
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(
          `expected ${what} within ${ms} ms, got ${JSON.stringify(this.received.subarray(0, 300).toString('latin1'))} (${this.received.length} bytes)`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function parse(
  buffer: Buffer,
  closed: boolean,
  head: boolean,
): { answer: Answer; length: number } | undefined {
  const text = buffer.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${statusLine} `)?.[1]);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const start = end + 4;
  if (head || status === 100 || status === 204 || status === 304)
    return { answer: { status, headers, body: '' }, length: start };
  const declared = headers['content-length'];
  if (declared !== undefined) {
    const length = start + Number(declared);
    if (buffer.length < length) return undefined;
    return { answer: { status, headers, body: text.slice(start, length) }, length };
  }
  if (headers['transfer-encoding'] === 'chunked') {
    let at = start;
    let body = '';
    for (;;) {
      const lineEnd = text.indexOf('\r\n', at);
      if (lineEnd === -1) return undefined;
      const size = Number.parseInt(text.slice(at, lineEnd), 16);
      const next = lineEnd + 2 + size + 2;
      if (buffer.length < next) return undefined;
      if (size === 0) return { answer: { status, headers, body }, length: next };
      body += text.slice(lineEnd + 2, lineEnd + 2 + size);
      at = next;
    }
  }
  return closed ? { answer: { status, headers, body: text.slice(start) }, length: buffer.length } : undefined;
}

/** Sends bytes on a connection of their own and returns the first answer. */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  ms = 5000,
  head = false,
): Promise<Answer> {
  const raw = await Raw.open(port);
  try {
    return await raw.send(bytes).answer(ms, head);
  } finally {
    raw.destroy();
  }
}

/** A request as text. */
export const request = (method: string, target: string, ...lines: string[]): string =>
  `${[`${method} ${target} HTTP/1.1`, 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`;

/** The answer to a GET on a connection of its own. */
export const get = ({ port }: { readonly port: number }, target = '/'): Promise<Answer> =>
  exchange(port, request('GET', target));

/** All that comes back on a connection of its own until the server closes it. */
export async function wholeReply({ port }: { readonly port: number }, bytes: string): Promise<string> {
  const raw = await Raw.open(port);
  return raw.send(bytes).end();
}
