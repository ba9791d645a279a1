// Connections that close with an answer: what was run is answered, and nobody who still sends, or has sent all, loses it.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { Drain } from '../../src/http/drain.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, type Local, local } from '../helpers/service.ts';

/** Larger than what sockets buffer on their way, sent so slowly that the answer comes long before the end. */
const PIECES = 40;
const PIECE = 'x'.repeat(16_384);
const PACE_MS = 15;

/** Uploads at a pace whatever is answered meanwhile, reads only then, and returns what came and the error, if any. */
async function upload(port: number): Promise<{ text: string; error: string | undefined }> {
  const raw = await Raw.open(port);
  raw.socket.pause();
  raw.send(request('POST', '/', `Content-Length: ${PIECES * PIECE.length}`));
  for (let i = 0; i < PIECES; i++) {
    raw.send(PIECE);
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  raw.socket.resume();
  const text = await raw.end();
  return { text, error: raw.error };
}

const closings: Readonly<Record<string, (service: Local['service']) => void>> = {
  'a connection that closes': (service) => {
    service.closes = Infinity;
  },
  'a worker that drains': (service) => void new Drain(service).finish('replace', 10_000),
  'a worker that stops': (service) => void new Drain(service).finish('stop', 10_000),
};

afterEach(closeLocals);

describe('an answer given before the body is read', () => {
  for (const [where, close] of Object.entries(closings)) {
    it(`reaches a client that still sends, on ${where}`, async () => {
      const { port, service } = await local((_req, res) => {
        res.writeHead(401, { 'Content-Length': 2 }).end('no');
        setImmediate(close, service);
      });
      service.closes = Infinity;
      const { text, error } = await upload(port);
      expect(error).to.equal(undefined);
      expect(text).to.match(/^HTTP\/1\.1 401 .*\r\n\r\nno$/s);
    });
  }

  it('reaches it also where the app itself closes, or fails', async () => {
    for (const fails of [false, true]) {
      const { port, service } = await local((_req, res) => {
        res.setHeader('Connection', 'close');
        if (fails) throw new Error('boom');
        res.end('no');
      });
      service.closes = fails ? Infinity : 0;
      const { text, error } = await upload(port);
      expect(error).to.equal(undefined);
      expect(text).to.match(fails ? /^HTTP\/1\.1 500 / : /^HTTP\/1\.1 200 /);
    }
  });

  it('holds nobody for long who sends no more', async () => {
    const { port, service } = await local((_req, res) => res.end('no'), { keepAliveTimeoutMs: 0 });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.resume().write(request('POST', '/', 'Content-Length: 10'));
    await once(socket, 'end');
    await eventually(() => service.connections.size === 0, 'the connection to be gone', 4000);
    socket.destroy();
  });
});

describe('pipelined requests on a closing connection', () => {
  type Run = (answer: () => void, url: string) => void;
  const runs: Readonly<Record<string, Run>> = {
    'at once': (answer) => answer(),
    later: (answer) => void setTimeout(answer, 50),
    'the last first': (answer, url) => void setTimeout(answer, url === '/3' ? 0 : 100),
    'the first first': (answer, url) => void (url === '/1' ? answer() : setTimeout(answer, 50)),
  };
  for (const [when, run] of Object.entries(runs)) {
    it(`are all answered, with the close on the last one, when the app answers ${when}`, async () => {
      const urls: string[] = [];
      const { port, service } = await local((req, res) => {
        urls.push(req.url ?? '');
        run(() => void res.end(req.url), req.url ?? '');
      });
      service.closes = Infinity;
      const raw = await Raw.open(port);
      raw.send(['/1', '/2', '/3'].map((url) => request('GET', url)).join(''));
      for (const url of ['/1', '/2', '/3']) {
        const { body, headers } = await raw.answer();
        expect(body).to.equal(url);
        expect(headers.connection).to.equal(url === '/3' ? 'close' : 'keep-alive');
      }
      await raw.end();
      expect(urls).to.deep.equal(['/1', '/2', '/3']);
    });
  }

  it('are not run when they come after the last answer was said to be the last', async () => {
    const urls: string[] = [];
    const { port, service } = await local((req, res) => {
      urls.push(req.url ?? '');
      res.writeHead(200, { 'Content-Length': 3 }).flushHeaders();
      setTimeout(() => res.end('end'), 200);
    });
    service.closes = Infinity;
    const raw = await Raw.open(port);
    raw.send(request('GET', '/1'));
    await eventually(() => raw.received.includes('\r\n\r\n'), 'the head');
    raw.send(request('GET', '/2'));
    expect((await raw.answer()).body).to.equal('end');
    expect(await raw.end()).to.equal('');
    expect(urls).to.deep.equal(['/1']);
  });
});

describe('a client that ends its sending with its request', () => {
  /** Sends and half-closes; returns all that comes. */
  async function halfClosing(port: number, text: string): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.end(text);
    await once(socket, 'close');
    return received;
  }

  const answers: Readonly<Record<string, (text: string) => void>> = {
    'a request': (text) => expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfine$/s),
    HEAD: (text) => expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s),
    'an upload': (text) => expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfine$/s),
    'two requests': (text) =>
      expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfineHTTP\/1\.1 200 OK\r\n.*\r\n\r\nfine$/s),
  };
  const requests: Readonly<Record<string, string>> = {
    'a request': request('GET', '/'),
    HEAD: request('HEAD', '/'),
    'an upload': `${request('POST', '/', 'Content-Length: 3')}abc`,
    'two requests': request('GET', '/').repeat(2),
  };
  for (const [what, expectAnswers] of Object.entries(answers)) {
    it(`(${what}) has the answer that takes a while`, async () => {
      const { port, lines, answered } = await local((_req, res) => {
        setTimeout(() => res.writeHead(200, { 'Content-Length': 4 }).end('fine'), 300);
      });
      expectAnswers(await halfClosing(port, requests[what] ?? ''));
      expect(answered).to.have.length(what === 'two requests' ? 2 : 1);
      expect(lines).to.deep.equal([]);
    });
  }

  it('has an answer that comes in pieces', async () => {
    const { port } = await local((_req, res) => {
      res.write('one ');
      setTimeout(() => res.write('two '), 200);
      setTimeout(() => res.end('three'), 400);
    });
    expect(await halfClosing(port, request('GET', '/'))).to.match(/one .*two .*three.*\r\n0\r\n\r\n$/s);
  });

  it('has an error answer', async () => {
    const late = await local(() => {}, { requestTimeoutMs: 100 });
    expect(await halfClosing(late.port, request('GET', '/'))).to.match(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    const fails = await local(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error('boom');
    });
    const text = await halfClosing(fails.port, request('GET', '/'));
    expect(text).to.match(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
  });

  it('is known from one that has gone before its answer: that is told to the app', async () => {
    let closed = false;
    const { port, service } = await local((_req, res) => {
      res.once('close', () => {
        closed = true;
      });
    });
    const raw = await Raw.open(port);
    raw.send(request('GET', '/'));
    await eventually(() => service.inFlight.size === 1, 'the request');
    raw.destroy();
    await eventually(() => closed, 'the app is told', 1000);
  });

  it('is known from one that has gone in the midst of its answer', async () => {
    let closed = false;
    const { port } = await local((_req, res) => {
      res.write('begun');
      res.once('close', () => {
        closed = true;
      });
    });
    const raw = await Raw.open(port);
    raw.send(request('GET', '/'));
    await eventually(() => raw.received.includes('begun'), 'the answer begins');
    await new Promise((resolve) => setTimeout(resolve, 150));
    raw.destroy();
    await eventually(() => closed, 'the app is told', 1000);
  });
});

describe('a stop with a slow reader', () => {
  it('closes idle connections all the same, and counts the reader alone as cut', async () => {
    const { port, service } = await local((req, res) => {
      res.end(req.url === '/big' ? Buffer.alloc(20_000_000) : 'small');
    });
    const drain = new Drain(service);
    const reader = await Raw.open(port);
    reader.socket.pause();
    reader.send(request('GET', '/big'));
    const idle = await Promise.all(Array.from({ length: 5 }, () => Raw.open(port)));
    for (const raw of idle) await raw.send(request('GET', '/')).answer();
    const cut = drain.finish('stop', 2000);
    await Promise.all(idle.map((raw) => raw.end(1500)));
    expect(await cut).to.equal(1);
    reader.destroy();
  });
});
