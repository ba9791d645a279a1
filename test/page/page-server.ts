// A server that serves the page as the admin listener does, with a stream of events that a test writes.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readPage } from '../../src/control/page-file.ts';
import type { Status } from '../../src/control/status.ts';
import { ROOT } from '../helpers/server.ts';
import { history, status } from './made-up.ts';

/** Milliseconds from one status to the next. */
const EVERY_MS = 200;

export class PageServer {
  /** What is sent, again and again; null = the stream stays open in silence. */
  sends: Status | null = status();
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** Browsers that want to listen are turned away with this status. */
  refuses: number | undefined;
  url = '';
  readonly #streams = new Set<ServerResponse>();
  readonly #server = createServer((req, res) => void this.#answer(req.url ?? '', res));
  readonly #timer = setInterval(() => this.#tell(), EVERY_MS);

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    // Below a path, as behind a proxy.
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/fleet/`;
  }

  /** Ends the streams, as a server does that goes. */
  breakStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    await this.#server[Symbol.asyncDispose]();
  }

  async #answer(url: string, res: ServerResponse): Promise<void> {
    this.asked.push(url);
    if (url === '/fleet/') {
      const { html, csp } = await readPage(pathToFileURL(join(ROOT, 'dist', 'page.html')));
      res.setHeader('content-type', 'text/html; charset=utf-8');
      res.setHeader('content-security-policy', csp);
      res.end(html);
    } else if (url === '/fleet/events' && this.refuses === undefined) {
      res.setHeader('content-type', 'text/event-stream');
      res.write(`retry: 200\n\nevent: history\ndata: ${JSON.stringify(history())}\n\n`);
      this.#streams.add(res);
      res.on('close', () => this.#streams.delete(res));
      this.#tell();
    } else {
      res.statusCode = this.refuses ?? 404;
      res.end();
    }
  }

  #tell(): void {
    if (this.sends === null) return;
    const text = `event: status\ndata: ${JSON.stringify(this.sends)}\n\n`;
    for (const stream of this.#streams) stream.write(text);
  }
}
