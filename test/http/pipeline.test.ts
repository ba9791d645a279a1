// Errors in a pipeline: a refusal comes after the answers still owed on its connection, never in place of one.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { Raw, request } from '../helpers/raw.ts';
import { chunked, field, headers, target } from '../helpers/requests.ts';
import { closeLocals, helloHere, local, serveHere } from '../helpers/service.ts';

type Row = readonly [bytes: string, status: number];

afterEach(closeLocals);

describe('an error in a pipeline', () => {
  const faults: Record<string, Row> = {
    garbage: ['garbage\r\n\r\n', 400],
    'a request invalid to the validation': [headers('Host: a', 'Host: b'), 400],
    'a header section too large': [field(`X: ${'x'.repeat(17_000)}`), 431],
    CONNECT: ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 400],
    'a bad chunk': [chunked('xyz\r\n'), 400],
  };

  for (const [name, [bytes, status]] of Object.entries(faults)) {
    it(`(${name}) is answered after the answers still owed, and after nothing else`, async () => {
      const server = await serveHere('answers-after.js');
      const raw = await Raw.open(server.port);
      raw.send(target('/200') + target('/100') + bytes + target('/0'));
      expect((await raw.answer()).body).to.equal('after 200');
      expect((await raw.answer()).body).to.equal('after 100');
      expectErrorAnswer(await raw.end(), status as 400);
      expect(server.err).to.equal('');
    });
  }

  it('of one that comes apart, byte by byte, is the same', async () => {
    const server = await helloHere();
    const raw = await Raw.open(server.port);
    raw.socket.setNoDelay();
    for (const byte of `${target('/a') + request('HEAD', '/b')}GET /c\r\n\r\n`) {
      raw.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await raw.answer()).body).to.equal('Hello, World!');
    expect((await raw.answer(5000, true)).status).to.equal(200);
    expectErrorAnswer(await raw.end(), 400);
  });

  it('that times out waits for an answer that has begun', async () => {
    const server = await serveHere('streams-for.js', { REQUEST_TIMEOUT: '0.4' });
    const raw = await Raw.open(server.port);
    raw.send(`${target('/1500')}GET /half HTTP/1.1\r\n`);
    expect((await raw.answer()).body).to.equal('begun, ended');
    expectErrorAnswer(await raw.end(), 408);
  });

  it('in a body whose request is answered already takes no answer away', async () => {
    const { port } = await local((req, res) => {
      if (req.url === '/slow') setTimeout(() => res.end('slow'), 300);
      else res.end('early');
    });
    const raw = await Raw.open(port);
    raw.send(target('/slow') + chunked('xyz\r\n'));
    expect((await raw.answer()).body).to.equal('slow');
    expect((await raw.answer()).body).to.equal('early');
    await raw.end();
  });

  it('that has its refusal waiting is not answered by the app as well', async () => {
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      const ms = Number(req.url?.slice(1));
      setTimeout(() => res.writeHead(200, { 'Content-Length': 9 }).write('late'), ms);
      setTimeout(() => res.end(' part'), ms + 200);
    };
    const { port, answered } = await local(listener);
    for (const second of ['/100', '/200', '/300']) {
      const raw = await Raw.open(port);
      raw.send(target('/200') + chunked('xyz\r\n').replace(' / ', ` ${second} `));
      expect((await raw.answer()).body).to.equal('late part');
      expectErrorAnswer(await raw.end(), 400);
    }
    expect(answered.filter((line) => line.startsWith('-'))).to.have.length(3);
  });
});
