// docs/http.md: its commands of curl get the answers that it shows, and its tables are those of the code.

import { expect } from 'chai';
import { DEFAULTS } from '../../src/core/config.ts';
import { SWEEP_MS } from '../../src/http/sweep.ts';
import { MAX_HEADER_BYTES, MAX_HEADER_LINES } from '../../src/http/validate.ts';
import { runCurl } from '../helpers/curl.ts';
import { block, expectShape, page, rowsBelow } from '../helpers/manual.ts';
import { type Answer, exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';

const PAGE = 'docs/http.md';
const HELLO = 'Hello, World!';

/** Fails unless each command prints what the page shows below it. */
async function prints(text: string, { port }: Running): Promise<void> {
  for (const { command, printed, shown } of await runCurl(text, port))
    expectShape(`${command}\n${printed}`, `${command}\n${shown}`);
}

/** TERM, during whose SHUTDOWN_DELAY it serves on. */
async function beginsToStop(server: Running): Promise<void> {
  server.signal('SIGTERM');
  const health = async (): Promise<number> => (await exchange(server.port, request('GET', '/health'))).status;
  await eventually(async () => (await health()) === 503, 'the workers know of the stop');
}

describe(PAGE, () => {
  describe('of Hello', () => {
    let server: Running;
    beforeEach(async () => {
      server = await serve({ env: { REQUEST_TIMEOUT: '1', SHUTDOWN_DELAY: '30' } });
    });

    it('shows what curl -v shows', () => prints(block('docs/http.md#testing-with-curl'), server));

    it('has commands for other methods and paths, which all have the same answer', async () => {
      const blocks = [block('docs/http.md#testing-with-curl:2'), block('docs/http.md#testing-with-curl:3')];
      const ran = await runCurl(blocks.join(''), server.port);
      expect(ran).to.have.length(8);
      for (const { command, printed } of ran)
        expect(printed.endsWith(HELLO), `${command}\n${printed}`).to.equal(true);
    });

    it('shows both error answers that a command can bring about', async () => {
      await prints(block('docs/http.md#error-format'), server);
      await prints(block('docs/http.md#error-format:2'), server);
    });

    it('shows the health check, while it serves and when it stops', async () => {
      await prints(block('docs/http.md#health-check'), server);
      await beginsToStop(server);
      await prints(block('docs/http.md#health-check:2'), server);
    });

    it('lists the headers of its answers', async () => {
      const listed = rowsBelow(PAGE, 'response-headers');
      const { headers } = await exchange(server.port, request('GET', '/', 'Connection: keep-alive'));
      expect(listed.map(([name = '']) => name.toLowerCase())).to.have.members(Object.keys(headers));
      for (const [name = '', value = ''] of listed)
        if (name !== 'Date') expect(value.split(' or '), name).to.include(headers[name.toLowerCase()]);
    });

    it('lists the statuses with their bodies', async () => {
      const fails = await serve({ args: [fixture('fails-before-answering.js')] });
      const answerTo = async (status: string): Promise<Answer> => {
        const { port } = server;
        switch (status) {
          case '200 OK':
            return exchange(port, request('GET', '/'));
          case '400 Bad Request':
            return exchange(port, 'GET / HTTP/1.1\r\n\r\n');
          case '408 Request Timeout':
            return (await Raw.open(port)).send('GET / HTTP/1.1\r\n').answer();
          case '431 Request Header Fields Too Large':
            return exchange(port, request('GET', '/', `X: ${'x'.repeat(MAX_HEADER_BYTES)}`));
          case '500 Internal Server Error':
            return exchange(fails.port, request('GET', '/throw'));
          default:
            await beginsToStop(server);
            return exchange(port, request('GET', '/health'));
        }
      };
      for (const [status = '', , body = ''] of rowsBelow(PAGE, 'status-codes')) {
        const answer = await answerTo(status);
        expect(answer.status, status).to.equal(Number.parseInt(status, 10));
        expectShape(answer.body, body);
      }
    });

    it('has an example of each kind of request that it calls invalid', async () => {
      const host = 'Host: localhost';
      const chunked = `${host}\r\nTransfer-Encoding: chunked`;
      const examples: readonly (readonly string[])[] = [
        ['GET / HTTP/1.1', `GET / HTTP/1.1\r\n${host}\r\n${host}`],
        ...[
          ['', 'user@localhost', 'localhost/path', 'a,b'].map((name) => `GET / HTTP/1.1\r\nHost: ${name}`),
          ['/#top', '/\\', '/\x01', '/\xe9'].map((target) => `GET ${target} HTTP/1.1\r\n${host}`),
          [`GET * HTTP/1.1\r\n${host}`],
          [`POST / HTTP/1.1\r\n${host}\r\nContent-Length: 05\r\n\r\nhello`],
          [`POST / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: gzip, chunked`, `POST / HTTP/1.0\r\n${chunked}`],
          [
            `CONNECT localhost:80 HTTP/1.1\r\n${host}`,
            `FOO / HTTP/1.1\r\n${host}`,
            `GET / HTTP/3.1\r\n${host}`,
          ],
        ],
      ];
      const [, section = ''] = page(PAGE).split('### Input validation');
      const bullets = (section.split('###')[0] ?? '').split('\n').filter((line) => line.startsWith('- '));
      expect(bullets).to.have.length(examples.length);
      for (const [i, requests] of examples.entries())
        for (const one of requests) {
          const { status, body } = await exchange(server.port, `${one}\r\n\r\n`);
          expect({ status, body }, `${bullets[i]}: ${one}`).to.deep.equal({
            status: 400,
            body: 'Bad Request',
          });
        }
    });
  });

  it('names the limits of the code', () => {
    const [bytes, lines, received, begun] = rowsBelow(PAGE, 'request-limits').map(([, limit]) => limit);
    expect(bytes).to.equal(`${MAX_HEADER_BYTES / 1024} KiB`);
    expect(lines).to.equal(String(MAX_HEADER_LINES));
    for (const limit of [received, begun])
      expect(limit).to.equal(`REQUEST_TIMEOUT, looked at every ${SWEEP_MS / 1000} s`);
    expect(page(PAGE)).to.include(`\`REQUEST_TIMEOUT\` (${DEFAULTS.REQUEST_TIMEOUT} s if you say nothing`);
    const keepAlive = rowsBelow(PAGE, 'response-headers').find(([name]) => name === 'Keep-Alive');
    expect(keepAlive?.[1]).to.equal(`timeout=${DEFAULTS.KEEP_ALIVE_TIMEOUT}`);
  });
});
