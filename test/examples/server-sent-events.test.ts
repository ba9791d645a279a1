// The example with server-sent events: a client that comes back as an EventSource does misses no event in a reload.

import { get, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { type Example, Examples } from '../helpers/example.ts';
import { eventually } from '../helpers/server.ts';

/** What EventSource does of the standard: it parses events, and comes back with the id of the last one. */
class Events {
  readonly data: string[] = [];
  readonly ids: number[] = [];
  /** How each stream ended, null where it was ended in order. */
  readonly ends: (string | null)[] = [];
  readonly #port: number;
  #retryMs = 3000;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #connect(): void {
    const last = this.ids.at(-1);
    const headers = { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) };
    get({ port: this.#port, path: '/events', headers, agent: false }, (answer) => this.#read(answer)).on(
      'error',
      ({ message }) => this.#ended(message),
    );
  }

  #read(answer: IncomingMessage): void {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk) => {
      const events = `${text}${chunk}`.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) this.#take(event);
    });
    let error: string | null = null;
    answer.on('error', ({ message }) => {
      error = message;
    });
    answer.on('close', () => this.#ended(error));
  }

  #take(event: string): void {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1] ?? '';
    this.ids.push(Number(field('id')));
    this.data.push(field('data'));
    this.#retryMs = Number(field('retry'));
  }

  #ended(how: string | null): void {
    this.ends.push(how);
    if (!this.#closed) this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
  }
}

describe('the example server-sent-events', function () {
  this.timeout(60_000);
  let examples: Examples;
  let example: Example;
  before(async () => {
    examples = new Examples();
    example = await examples.install('server-sent-events');
  });
  after(() => examples.remove());

  it('ends its streams in a reload, and who comes back misses no event', async () => {
    const server = await example.serve({ DRAIN_TIMEOUT: '4' });
    const events = new Events(server.port);
    const has = (generation: number) => (): boolean =>
      events.data.some((data) => data.endsWith(` of generation ${generation}`));
    try {
      await eventually(has(1), 'an event of the first generation');
      await example.reload(server);
      await eventually(has(2), 'an event of the second generation');
      events.close();
      await example.stop(server);
      await eventually(() => events.ends.length === 2, 'both streams have ended');
      expect(events.ends).to.deep.equal([null, null]);
      expect(events.ids).to.deep.equal(events.ids.map((_, i) => i + 1));
      expect(server.err).to.equal('');
    } finally {
      events.close();
    }
  });
});
