// HTTP through a real cluster: one row of each kind, and all that hangs on the primary. test/http/ has every row, in one process.

import { METHODS } from 'node:http';
import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { expectHealth, expectHello } from '../helpers/hello.ts';
import { exchange, get, Raw, request, wholeReply } from '../helpers/raw.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';

const serveApp = (name: string, env: Record<string, string> = {}): Promise<Running> =>
  serve({ args: [fixture(name)], env: { WEB_CONCURRENCY: '1', ...env } });

describe('a cluster of Hello', () => {
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

  it('refuses what is malformed, invalid, too large or not whole in time, and logs it', async () => {
    const server = await serve({ env: { REQUEST_TIMEOUT: '1' } });
    expectErrorAnswer(await wholeReply(server, 'nonsense\r\n\r\n'), 400);
    expectErrorAnswer(await wholeReply(server, 'GET / HTTP/1.1\r\n\r\n'), 400);
    expectErrorAnswer(await wholeReply(server, request('GET', '/', `X: ${'x'.repeat(17_000)}`)), 431);
    expectErrorAnswer(await wholeReply(server, 'GET / HTTP/1.1\r\nHost:'), 408);
    expectErrorAnswer(await wholeReply(server, `${request('POST', '/', 'Content-Length: 10')}hello`), 408);
    // An upload that stalls is a request that was received, so that its line names it.
    await server.says(/( - - -\n\S+){4} - POST \/\n/);
    expect(server.err).to.equal('');
  });
});

describe('/health of a cluster', () => {
  const target = { plain: '/health', query: '/health?verbose=1', absolute: 'http://localhost:3000/health?a' };

  it('is healthy, with the uptime of the primary', async () => {
    const before = performance.now();
    const server = await serve();
    for (const path of Object.values(target)) {
      const uptime = expectHealth(await get(server, path), 'healthy');
      expect(uptime).to.be.within(0.001, (performance.now() - before) / 1000);
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
      const answer = await get(server, path);
      expectHealth(answer, 'stopping');
      expect(answer.headers.connection).to.equal('close');
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

describe('a worker whose app fails or is late', () => {
  it('answers 500 and 408, logs why, and lives on', async () => {
    const server = await serveApp('fails-before-answering.js');
    const workers = server.workers();
    for (const path of ['/throw', '/reject', '/reject-later']) {
      expectErrorAnswer(await wholeReply(server, request('GET', path, 'Connection: close')), 500);
      await server.says(new RegExp(`app failed: GET ${path}: secret boom\n +Error: secret boom\n +at `));
    }
    expect(server.err.match(/^\S/gm), server.err).to.have.length(3);
    expect((await get(server)).body).to.equal('fine');
    expect(server.workers()).to.deep.equal(workers);
    const late = await serveApp('never-answers.js', { REQUEST_TIMEOUT: '1' });
    expectErrorAnswer(await wholeReply(late, request('GET', '/slow')), 408);
    await late.says(/ - GET \/slow\n/);
  });
});

describe('the app module of a worker', () => {
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

  it('has an upgrade that fails logged, and answered with a 500', async () => {
    const server = await serveApp('upgrades.js');
    const workers = server.workers();
    expectErrorAnswer(
      await wholeReply(server, request('GET', '/throw', 'Connection: Upgrade', 'Upgrade: echo')),
      500,
    );
    await server.says(/app failed: GET \/throw: secret boom\n +Error: secret boom\n/);
    expect(server.workers()).to.deep.equal(workers);
  });
});
