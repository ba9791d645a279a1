// The contract's HTTP tables and its app module, row by row.

import { METHODS, type ServerResponse } from 'node:http';
import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { type Answer, exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';
import { closeLocals, local } from '../helpers/service.ts';

const HELLO = 'Hello, World!';
const IMF_DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

const serveApp = (name: string, env: Record<string, string> = {}): Promise<Running> =>
  serve({ args: [fixture(name)], env: { WEB_CONCURRENCY: '1', ...env } });

const get = ({ port }: { port: number }, target = '/'): Promise<Answer> =>
  exchange(port, request('GET', target));

/** All that comes back on a connection of its own until the server closes it. */
async function wholeReply({ port }: { port: number }, bytes: string): Promise<string> {
  const raw = await Raw.open(port);
  return raw.send(bytes).end();
}

function expectHello({ status, headers, body }: Answer, expectedBody = HELLO): void {
  expect({ status, body }).to.deep.equal({ status: 200, body: expectedBody });
  expect(headers).to.include({
    server: 'hello-server',
    'content-type': 'text/html; charset=utf-8',
    'content-length': '13',
  });
  expect(headers.date).to.match(IMF_DATE);
}

/** Waits until all that the server has to say about earlier requests is said. */
async function settled(server: Running): Promise<void> {
  await get(server, '/?settled');
  await server.says(/ - GET \/\?settled\n/);
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

afterEach(closeLocals);

describe('Hello', () => {
  it('answers every method that the parser knows', async () => {
    const server = await serve();
    const raw = await Raw.open(server.port);
    const methods = METHODS.filter((method) => method !== 'CONNECT' && method !== 'HEAD');
    expect(methods).to.include.members([
      'GET',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'M-SEARCH',
    ]);
    for (const method of methods) expectHello(await raw.send(request(method, '/')).answer());
    raw.destroy();
  });

  it('answers HEAD with the headers of a GET and no body', async () => {
    const server = await serve();
    const raw = await Raw.open(server.port);
    const head = await raw.send(request('HEAD', '/')).answer(5000, true);
    expectHello(head, '');
    const { headers } = await raw.send(request('GET', '/')).answer();
    expect({ ...head.headers, date: '' }).to.deep.equal({ ...headers, date: '' });
    raw.destroy();
  });

  it('answers every path', async () => {
    const server = await serve();
    const raw = await Raw.open(server.port);
    for (const target of [
      '/',
      '/a/b/c',
      '/?q=1',
      '/%00%0a',
      '//',
      '/../..',
      '/healthy',
      '/health/',
      '/Health',
      '/?/health',
    ]) {
      expectHello(await raw.send(request('GET', target)).answer());
    }
    raw.destroy();
  });

  it('answers HTTP/1.0, and closes', async () => {
    const server = await serve();
    const reply = await wholeReply(server, 'GET / HTTP/1.0\r\n\r\n');
    expect(reply).to.match(
      /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*Connection: close\r\n(?:.+\r\n)*\r\nHello, World!$/,
    );
  });

  it('discards bodies and answers when they are whole', async () => {
    const server = await serve();
    const raw = await Raw.open(server.port);
    raw.send(request('POST', '/', 'Content-Length: 10')).send('hello');
    raw
      .send('world')
      .send(request('PUT', '/', 'Transfer-Encoding: chunked'))
      .send('5;x=y\r\nhello\r\n');
    expectHello(await raw.answer());
    expect(raw.received.length, 'an answer to half a body').to.equal(0);
    raw.send('A\r\nhelloworld\r\n0\r\nTrailer: 1\r\n\r\n');
    expectHello(await raw.answer());
    raw.destroy();
  });

  it('refuses a bad chunk with 400, not a 200 before it', async () => {
    const server = await serve();
    const reply = await wholeReply(
      server,
      `${request('POST', '/', 'Transfer-Encoding: chunked')}5\r\nhello\r\nxyz\r\n`,
    );
    expectErrorAnswer(reply, 400);
  });

  it('refuses a stalled upload with 408', async () => {
    const server = await serve({ env: { REQUEST_TIMEOUT: '1' } });
    expectErrorAnswer(await wholeReply(server, `${request('POST', '/', 'Content-Length: 10')}hello`), 408);
  });
});

describe('/health', () => {
  const target = { plain: '/health', query: '/health?verbose=1', absolute: 'http://localhost:3000/health?a' };

  it('is healthy, with the uptime of the primary', async () => {
    const before = performance.now();
    const server = await serve();
    for (const path of Object.values(target)) {
      const { status, headers, body } = await get(server, path);
      expect(status, path).to.equal(200);
      expect(headers).to.include({
        'content-type': 'application/json',
        'cache-control': 'no-store',
        server: 'hello-server',
      });
      expect(headers['content-length']).to.equal(String(body.length));
      expect(body).to.match(/^{"status":"healthy","uptime":\d+(\.\d{1,3})?}$/);
      const { uptime } = JSON.parse(body) as { uptime: number };
      expect(uptime).to.be.within(0.001, (performance.now() - before) / 1000);
    }
  });

  it('has no body for HEAD', async () => {
    const server = await serve();
    const { status, headers } = await exchange(server.port, request('HEAD', '/health'), 5000, true);
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('application/json');
  });

  it('is Hello to other methods', async () => {
    const server = await serve();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
      expectHello(await exchange(server.port, request(method, '/health')));
    }
  });

  it('is 503, stopping, as soon as a stop is asked for, while Hello goes on', async () => {
    const server = await serve({ env: { SHUTDOWN_DELAY: '2' } });
    const open = await Raw.open(server.port);
    await open.send(request('GET', '/health')).answer();
    server.signal('SIGTERM');
    await server.says(/Received SIGTERM/);
    await eventually(async () => (await get(server, '/health')).status === 503, '/health to fail', 1500);
    for (const path of Object.values(target)) {
      const { status, headers, body } = await get(server, path);
      expect(status).to.equal(503);
      expect(headers).to.include({
        connection: 'close',
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      expect(body).to.match(/^{"status":"stopping","uptime":\d+(\.\d{1,3})?}$/);
    }
    const hello = await get(server);
    expectHello(hello);
    expect(hello.headers.connection).to.equal('close');
    expect(
      (await open.send(request('GET', '/health')).answer()).status,
      'on a connection opened before',
    ).to.equal(503);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
  });

  it('stays healthy on a worker that is being replaced, which answers with Connection: close', async () => {
    const server = await serve({ env: { WEB_CONCURRENCY: '1', LOG_LEVEL: 'debug' } });
    const raws = [await Raw.open(server.port), await Raw.open(server.port)] as const;
    for (const raw of raws) expectHello(await raw.send(request('GET', '/')).answer());
    const [old = 0] = server.workers();
    process.kill(old, 'SIGTERM');
    await server.says(/worker 0 \(pid \d+\) draining/);
    await eventually(async () => {
      const { headers, body } = await raws[0].send(request('GET', '/health')).answer();
      expect(body).to.contain('"healthy"');
      return headers.connection === 'close';
    }, 'an answer with Connection: close');
    const second = await raws[1].send(request('GET', '/')).answer();
    expectHello(second);
    expect(second.headers.connection).to.equal('close');
    expect(await Promise.all(raws.map((raw) => raw.end()))).to.deep.equal(['', '']);
  });
});

describe('error answers', () => {
  it('are 400 for a malformed request', async () => {
    expectErrorAnswer(await wholeReply(await serve(), 'nonsense\r\n\r\n'), 400);
  });

  it('are 400 for an invalid request', async () => {
    expectErrorAnswer(await wholeReply(await serve(), 'GET / HTTP/1.1\r\n\r\n'), 400);
  });

  it('have no body in answer to HEAD', async () => {
    const reply = await wholeReply(await serve(), 'HEAD / HTTP/1.1\r\n\r\n');
    expect(reply).to.match(/^HTTP\/1\.1 400 Bad Request\r\n.*\r\n\r\n$/s);
    expect(reply).to.contain('\r\nContent-Length: 11\r\n');
  });

  it('are 431 for a header section over 16 KiB', async () => {
    expectErrorAnswer(await wholeReply(await serve(), request('GET', '/', `X: ${'x'.repeat(17_000)}`)), 431);
  });

  it('are 431 for a header section over 1000 lines', async () => {
    const lines = Array.from({ length: 1000 }, () => 'X: 1');
    expectErrorAnswer(await wholeReply(await serve(), request('GET', '/', ...lines)), 431);
  });

  it('are 408 for a request not received whole in time', async () => {
    const server = await serve({ env: { REQUEST_TIMEOUT: '1' } });
    expectErrorAnswer(await wholeReply(server, 'GET / HTTP/1.1\r\nHost:'), 408);
  });

  it('are 408 for a request not answered in time', async () => {
    const server = await serveApp('never-answers.js', { REQUEST_TIMEOUT: '1' });
    expectErrorAnswer(await wholeReply(server, request('GET', '/slow')), 408);
    await server.says(/ - GET \/slow\n/);
  });

  it('are 400 and a close for CONNECT', async () => {
    expectErrorAnswer(
      await wholeReply(await serve(), 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n'),
      400,
    );
  });
});

describe('every app', () => {
  it('has no Upgrade without an upgrade export: the request is answered as any other', async () => {
    const server = await serve();
    for (const protocol of ['websocket', 'h2c', 'TLS/1.0']) {
      const raw = await Raw.open(server.port);
      const lines = [
        'Connection: Upgrade, HTTP2-Settings',
        `Upgrade: ${protocol}`,
        'HTTP2-Settings: AAMAAABkAAQ',
      ];
      expectHello(await raw.send(request('GET', '/', ...lines)).answer());
      raw.destroy();
    }
  });

  it('never echoes a TRACE', async () => {
    const { body } = await exchange((await serve()).port, request('TRACE', '/', 'Cookie: secret'));
    expect(body).to.equal(HELLO);
  });

  it('ignores an unknown Expect', async () => {
    expectHello(await exchange((await serve()).port, request('GET', '/', 'Expect: the-unexpected')));
  });

  it('answers Expect: 100-continue with 100, and the request when its body is there', async () => {
    const raw = await Raw.open((await serve()).port);
    raw.send(request('POST', '/', 'Expect: 100-continue', 'Content-Length: 5'));
    expect((await raw.answer()).status).to.equal(100);
    expectHello(await raw.send('hello').answer());
    raw.destroy();
  });

  it('invites no body of an invalid request', async () => {
    const bytes = 'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
    expectErrorAnswer(await wholeReply(await serve(), bytes), 400);
  });
});

describe('an app that fails', () => {
  const failures = ['/throw', '/reject', '/reject-later', '/throw-with-headers-set'];

  for (const path of failures) {
    it(`before it answered (${path}) is a 500 and one logged error with its stack`, async () => {
      const server = await serveApp('fails-before-answering.js');
      expectErrorAnswer(await wholeReply(server, request('GET', path, 'Connection: close')), 500);
      await settled(server);
      expect(server.err).to.match(
        new RegExp(`^app failed: GET ${path}: secret boom\n +Error: secret boom\n +at `),
      );
      expect(server.err).to.contain('fails-before-answering.js');
      expect(count(server.err, /^\S/gm), server.err).to.equal(1);
      expect(server.out).to.contain(` - GET ${path}\n`);
    });
  }

  it('with something else than an Error is a 500 and one logged line', async () => {
    const server = await serveApp('fails-before-answering.js');
    expectErrorAnswer(await wholeReply(server, request('GET', '/throw-no-error', 'Connection: close')), 500);
    await settled(server);
    expect(server.err).to.equal('app failed: GET /throw-no-error: secret boom\n');
  });

  it('sends no body to HEAD', async () => {
    const server = await serveApp('fails-before-answering.js');
    const reply = await wholeReply(server, request('HEAD', '/throw', 'Connection: close'));
    expect(reply).to.match(/^HTTP\/1\.1 500 .*\r\n\r\n$/s);
  });

  it('leaves its connection and its worker in use', async () => {
    const server = await serveApp('fails-before-answering.js');
    const workers = server.workers();
    const raw = await Raw.open(server.port);
    for (const path of ['/throw', '/reject', '/throw']) {
      expect((await raw.send(request('GET', path)).answer()).status).to.equal(500);
      expect(await raw.send(request('GET', '/')).answer()).to.include({ status: 200, body: 'fine' });
    }
    raw.destroy();
    expect(server.workers()).to.deep.equal(workers);
  });

  it('and then writes all the same harms nobody', async () => {
    const server = await serveApp('writes-after-failing.js');
    const workers = server.workers();
    const raw = await Raw.open(server.port);
    expect(await raw.send(request('GET', '/fails')).answer()).to.include({
      status: 500,
      body: 'Internal Server Error',
    });
    expect((await exchange(server.port, request('GET', '/after-all-that'))).body).to.equal('fine');
    expect(await raw.send(request('GET', '/after-all-that')).answer()).to.include({
      status: 200,
      body: 'fine',
    });
    raw.destroy();
    expect(count(server.err, /^\S/gm), server.err).to.equal(1);
    expect(server.workers()).to.deep.equal(workers);
  });

  for (const path of ['/throw', '/reject', '/throw-length', '/reject-length']) {
    it(`after its answer began (${path}) has the connection cut and the error logged`, async () => {
      const server = await serveApp('fails-after-beginning.js');
      const reply = await wholeReply(server, request('GET', path));
      expect(reply)
        .not.to.contain('boom')
        .and.not.to.contain('500')
        .and.not.to.match(/\r\n0\r\n\r\n$/);
      await settled(server);
      expect(server.err).to.match(
        new RegExp(`^app failed: GET ${path}: secret boom\n +Error: secret boom\n +at `),
      );
      expect(count(server.err, /^\S/gm), server.err).to.equal(1);
    });
  }
});

describe('a client that leaves', () => {
  it('in the midst of its answer costs one debug line', async () => {
    const server = await serveApp('streams-for.js', { LOG_LEVEL: 'debug' });
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/500'));
    await eventually(() => raw.received.includes('begun'), 'the answer to begin');
    raw.destroy();
    await server.says(/client left before the answer was complete: GET \/500\n/);
    await get(server, '/800');
    await server.says(/ - GET \/800\n/);
    expect(count(server.out, /client left/g)).to.equal(1);
    expect(server.out).not.to.contain(' - GET /500');
    expect(server.err).to.equal('');
  });

  it('before its answer is answered into nowhere', async () => {
    const server = await serveApp('answers-after.js');
    const workers = server.workers();
    const raws = await Promise.all(Array.from({ length: 20 }, () => Raw.open(server.port)));
    for (const raw of raws) raw.send(request('GET', '/300'));
    await get(server, '/0');
    for (const raw of raws) raw.destroy();
    await eventually(async () => (await get(server, '/count')).body === '21', 'the late answers');
    await settledWithin(server);
    expect(server.workers()).to.deep.equal(workers);
    expect(server.err).to.equal('');
    expect(server.out).not.to.contain('client left').and.not.to.contain('GET /300');
  });

  it('leaves nothing behind, pipelined requests included', async () => {
    const { port, service } = await local((req, res) => {
      if (req.url !== '/never') res.end();
    });
    const raw = await Raw.open(port);
    raw.send(request('GET', '/never').repeat(3));
    await eventually(() => service.inFlight.size === 3, 'three requests in flight');
    raw.destroy();
    await eventually(() => service.connections.size === 0, 'the connection to be gone');
    await eventually(() => service.inFlight.size === 0, 'no request in flight', 1000);
  });
});

/** As {@link settled}, for the app that answers after so many milliseconds. */
async function settledWithin(server: Running): Promise<void> {
  await get(server, '/1');
  await server.says(/ - GET \/1\n/);
}

describe('the Server header', () => {
  type Way = (res: ServerResponse, server: string | undefined) => void;
  const pairs = (server: string | undefined): [string, string][] =>
    server === undefined
      ? [['X-A', '1']]
      : [
          ['X-A', '1'],
          ['sERVER', server],
        ];
  const ways: Record<string, Way> = {
    'setHeader and end': (res, server) => {
      for (const [name, value] of pairs(server)) res.setHeader(name, value);
      res.end('x');
    },
    'setHeader and flushHeaders': (res, server) => {
      for (const [name, value] of pairs(server)) res.setHeader(name, value);
      res.flushHeaders();
      res.end('x');
    },
    'setHeaders and write': (res, server) => {
      res.setHeaders(new Map(pairs(server)));
      res.write('x');
      res.end();
    },
    'setHeader and a bare writeHead': (res, server) => {
      for (const [name, value] of pairs(server)) res.setHeader(name, value);
      res.writeHead(200).end('x');
    },
    'setHeader and writeHead with others': (res, server) => {
      if (server !== undefined) res.setHeader('Server', server);
      res.writeHead(200, { 'X-A': '1' }).end('x');
    },
    'setHeader of others and writeHead': (res, server) => {
      res.setHeader('X-A', '1');
      res.writeHead(200, server === undefined ? {} : { sERVER: server }).end('x');
    },
    'writeHead with an object': (res, server) =>
      res.writeHead(200, Object.fromEntries(pairs(server))).end('x'),
    'writeHead with a flat array': (res, server) => res.writeHead(200, pairs(server).flat()).end('x'),
    'writeHead with an array of pairs': (res, server) => res.writeHead(200, pairs(server)).end('x'),
    'writeHead with a phrase': (res, server) =>
      res.writeHead(200, 'Fine', Object.fromEntries(pairs(server))).end('x'),
    'writeHead with no phrase': (res, server) =>
      res.writeHead(200, undefined, Object.fromEntries(pairs(server))).end('x'),
  };

  for (const [name, way] of Object.entries(ways)) {
    for (const own of [undefined, 'mine']) {
      it(`is ${own === undefined ? 'added' : "the app's own"} after ${name}`, async () => {
        const { port } = await local((_req, res) => way(res, own));
        const reply = await wholeReply({ port }, request('GET', '/', 'Connection: close'));
        expect(reply.match(/^server: .*$/gim)?.map((line) => line.slice(8))).to.deep.equal([
          own ?? 'hello-server',
        ]);
        expect(reply)
          .to.contain('\r\nX-A: 1\r\n')
          .and.match(/x(\r\n0\r\n\r\n)?$/);
      });
    }
  }

  it('is added to an answer with no headers at all', async () => {
    const { port } = await local((_req, res) => res.end());
    expect((await exchange(port, request('GET', '/'))).headers.server).to.equal('hello-server');
  });

  const draining: Record<string, Way> = {
    ...ways,
    'setHeader of Connection': (res) => res.setHeader('Connection', 'keep-alive').end('x'),
    'writeHead with Connection': (res) => res.writeHead(200, { Connection: 'keep-alive' }).end('x'),
    'writeHead with an array with Connection': (res) =>
      res.writeHead(200, ['X-A', '1', 'connection', 'keep-alive']).end('x'),
    'a throw': () => {
      throw new Error('boom');
    },
    'a throw with Connection set': (res) => {
      res.setHeader('Connection', 'keep-alive');
      throw new Error('boom');
    },
  };
  for (const [name, way] of Object.entries(draining)) {
    it(`comes with Connection: close after ${name} while the worker drains`, async () => {
      const { port, service } = await local((_req, res) => way(res, undefined));
      service.closing = true;
      const reply = await wholeReply({ port }, request('GET', '/'));
      expect(reply.match(/^(connection|keep-alive): .*$/gim)).to.deep.equal(['Connection: close']);
    });
  }
});

describe('the app module', () => {
  it('may be an Express app, which owns every path', async () => {
    const server = await serveApp('express-app.js');
    for (const path of ['/', '/health', '/a/b']) {
      const { status, headers, body } = await get(server, path);
      expect({ status, body }).to.deep.equal({ status: 200, body: `express GET ${path}` });
      expect(headers.server).to.equal('hello-server');
    }
    expect((await get(server, '/own-server')).headers.server).to.equal('express');
    const lines = ['Content-Type: application/json', 'Content-Length: 7'];
    expect((await exchange(server.port, `${request('POST', '/json', ...lines)}{"a":1}`)).body).to.equal(
      '{"a":1}',
    );
    expect((await get(server, '/throw')).status).to.equal(500);
  });

  const kinds: Record<string, string> = { 'common.cjs': 'common /x', 'module.mjs': 'module /x' };
  if (process.features.typescript) kinds['typed.ts'] = 'typed /x';
  for (const [name, body] of Object.entries(kinds)) {
    it(`may be ${name.replace(/^\w+/, 'a ')} file`, async () => {
      expect((await get(await serveApp(name), '/x')).body).to.equal(body);
    });
  }

  it('has its ready awaited before the worker takes traffic', async () => {
    const server = await serveApp('slow-to-be-ready.js');
    expect((await get(server)).body).to.equal('ready');
  });

  it('has its signal aborted with stop, and its close awaited after the last answer', async () => {
    const server = await serveApp('tells-its-life.js');
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/600'));
    await get(server, '/0');
    server.signal('SIGTERM');
    expect((await raw.answer()).body).to.equal('answered');
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.contain('drains: stop\n').and.contain('closed after 2 answers\n');
    expect(server.err).to.equal('');
  });

  it('has its signal aborted with replace when its worker alone is replaced', async () => {
    const server = await serveApp('tells-its-life.js');
    await get(server, '/0');
    for (const pid of server.workers()) process.kill(pid, 'SIGTERM');
    await server.says(/drains: replace\n/);
    await server.says(/closed after 1 answers\n/);
  });

  it('has its options taken under the server’s own', async () => {
    const server = await serveApp('asks-for-options.js');
    const raw = await Raw.open(server.port);
    const twice = await raw.send(request('GET', '/', 'X-Twice: 1', 'X-Twice: 2')).answer();
    expect(twice.body).to.equal('1, 2');
    expect(twice.headers['keep-alive']).to.equal('timeout=65');
    raw.destroy();
    expectErrorAnswer(await wholeReply(server, request('GET', '/', `X: ${'x'.repeat(17_000)}`)), 431);
    expectErrorAnswer(
      await wholeReply(server, request('GET', '/', 'Content-Length: 1', 'Transfer-Encoding: chunked')),
      400,
    );
    expectErrorAnswer(await wholeReply(server, 'GET / HTTP/1.1\r\n\r\n'), 400);
  });

  it('may have the streams of requests without a body ended, on every Node', async () => {
    const server = await serveApp('ends-empty-requests.js');
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/').repeat(2));
    expect((await raw.answer()).body).to.equal('true ');
    expect((await raw.answer()).body).to.equal('true ');
    raw.send(`${request('POST', '/', 'Content-Length: 4')}body${request('GET', '/')}`);
    expect((await raw.answer()).body).to.equal('false body');
    expect((await raw.answer()).body).to.equal('true ');
    const chunked = request('POST', '/', 'Transfer-Encoding: chunked');
    expect((await raw.send(`${chunked}4\r\nbody\r\n0\r\n\r\n`).answer()).body).to.equal('false body');
    raw.destroy();
  });

  it('has its upgrade called with the socket', async () => {
    const server = await serveApp('upgrades.js');
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/', 'Connection: Upgrade', 'Upgrade: echo')).send('head');
    await eventually(() => raw.received.includes('head'), 'what came with the request');
    raw.send(' and more');
    await eventually(() => raw.received.includes('head and more'), 'what came after it');
    expect(raw.received.toString()).to.match(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    raw.destroy();
    expect((await get(server)).body).to.equal('not upgraded');
  });

  it('has no invalid request upgraded', async () => {
    const server = await serveApp('upgrades.js');
    expectErrorAnswer(
      await wholeReply(server, 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'),
      400,
    );
  });

  it('has an upgrade that fails logged, and its connection cut', async () => {
    const server = await serveApp('upgrades.js');
    const workers = server.workers();
    expect(
      await wholeReply(server, request('GET', '/throw', 'Connection: Upgrade', 'Upgrade: echo')),
    ).to.equal('');
    await server.says(/app failed: GET \/throw: secret boom\n +Error: secret boom\n/);
    expect(server.workers()).to.deep.equal(workers);
  });
});
