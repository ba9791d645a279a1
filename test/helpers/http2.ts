// A client of HTTP/2 as browsers and proxies are: what a session that goes away has not taken, it asks on another one.

import { type ClientHttp2Session, connect, constants } from 'node:http2';

export interface Answer2 {
  readonly status: number;
  readonly body: string;
}

/** Its sessions come one after the other; there is one at a time. */
export class Http2Client {
  readonly #port: number;
  #session: ClientHttp2Session | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** The session that is open, or a new one. */
  get session(): ClientHttp2Session {
    const { closed = true, destroyed = true } = this.#session ?? {};
    if (!this.#session || closed || destroyed) {
      this.#session = connect(`https://localhost:${this.#port}`, { rejectUnauthorized: false });
      this.#session.on('error', () => {}); // each of its requests fails with it
    }
    return this.#session;
  }

  /** Asks for `path`; rejects where the answer is lost, and not where the server says that it has not taken the request. */
  async get(path: string): Promise<Answer2> {
    for (;;) {
      const answer = await this.#ask(path);
      if (answer !== 'refused') return answer;
    }
  }

  #ask(path: string): Promise<Answer2 | 'refused'> {
    return new Promise((resolve, reject) => {
      const stream = this.session.request({ ':path': path });
      let status = 0;
      let body = '';
      stream.setEncoding('utf8');
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
      });
      stream.on('data', (text: string) => {
        body += text;
      });
      stream.on('end', () => {
        if (status !== 0 && stream.rstCode === constants.NGHTTP2_NO_ERROR) resolve({ status, body });
      });
      stream.on('error', (error) => {
        if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve('refused');
        else reject(error);
      });
      stream.on('close', () => reject(new Error(`no whole answer: ${status} ${stream.rstCode}`)));
    });
  }

  close(): void {
    this.#session?.close();
  }
}
