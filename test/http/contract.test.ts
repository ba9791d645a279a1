// The contract's HTTP tables, row by row, served in this process. test/integration/http.test.ts has the rows that need a cluster.

import { METHODS } from 'node:http';
import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { expectHealth, expectHello, HELLO } from '../helpers/hello.ts';
import { exchange, get, Raw, request, wholeReply } from '../helpers/raw.ts';
import { closeLocals, helloHere, serveHere } from '../helpers/service.ts';

afterEach(closeLocals);

describe('Hello', () => {
  it('answers every method that the parser knows', async () => {
    const server = await helloHere();
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
    const server = await helloHere();
    const raw = await Raw.open(server.port);
    const head = await raw.send(request('HEAD', '/')).answer(5000, true);
    expectHello(head, '');
    const { headers } = await raw.send(request('GET', '/')).answer();
    expect({ ...head.headers, date: '' }).to.deep.equal({ ...headers, date: '' });
    raw.destroy();
  });

  it('answers every path', async () => {
    const server = await helloHere();
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
    const server = await helloHere();
    const reply = await wholeReply(server, 'GET / HTTP/1.0\r\n\r\n');
    expect(reply).to.match(
      /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*Connection: close\r\n(?:.+\r\n)*\r\nHello, World!$/,
    );
  });

  it('discards bodies and answers when they are whole', async () => {
    const server = await helloHere();
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
    const server = await helloHere();
    const reply = await wholeReply(
      server,
      `${request('POST', '/', 'Transfer-Encoding: chunked')}5\r\nhello\r\nxyz\r\n`,
    );
    expectErrorAnswer(reply, 400);
  });

  it('refuses a stalled upload with 408', async () => {
    const server = await helloHere({ REQUEST_TIMEOUT: '0.4' });
    expectErrorAnswer(await wholeReply(server, `${request('POST', '/', 'Content-Length: 10')}hello`), 408);
  });
});

describe('/health', () => {
  const target = { plain: '/health', query: '/health?verbose=1', absolute: 'http://localhost:3000/health?a' };

  it('is healthy, with an uptime', async () => {
    const server = await helloHere();
    for (const path of Object.values(target)) expectHealth(await get(server, path), 'healthy');
  });

  it('has no body for HEAD', async () => {
    const server = await helloHere();
    const { status, headers } = await exchange(server.port, request('HEAD', '/health'), 5000, true);
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('application/json');
  });

  it('is Hello to other methods', async () => {
    const server = await helloHere();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
      expectHello(await exchange(server.port, request(method, '/health')));
    }
  });
});

describe('error answers', () => {
  it('are 400 for a malformed request', async () => {
    expectErrorAnswer(await wholeReply(await helloHere(), 'nonsense\r\n\r\n'), 400);
  });

  it('are 400 for an invalid request', async () => {
    expectErrorAnswer(await wholeReply(await helloHere(), 'GET / HTTP/1.1\r\n\r\n'), 400);
  });

  it('have no body in answer to HEAD', async () => {
    const reply = await wholeReply(await helloHere(), 'HEAD / HTTP/1.1\r\n\r\n');
    expect(reply).to.match(/^HTTP\/1\.1 400 Bad Request\r\n.*\r\n\r\n$/s);
    expect(reply).to.contain('\r\nContent-Length: 11\r\n');
  });

  it('are 431 for a header section over 16 KiB', async () => {
    expectErrorAnswer(
      await wholeReply(await helloHere(), request('GET', '/', `X: ${'x'.repeat(17_000)}`)),
      431,
    );
  });

  it('are 431 for a header section over 1000 lines', async () => {
    const lines = Array.from({ length: 1000 }, () => 'X: 1');
    expectErrorAnswer(await wholeReply(await helloHere(), request('GET', '/', ...lines)), 431);
  });

  it('are 408 for a request not received whole in time', async () => {
    const server = await helloHere({ REQUEST_TIMEOUT: '0.4' });
    expectErrorAnswer(await wholeReply(server, 'GET / HTTP/1.1\r\nHost:'), 408);
  });

  it('are 408 for a request not answered in time', async () => {
    const server = await serveHere('never-answers.js', { REQUEST_TIMEOUT: '0.4' });
    expectErrorAnswer(await wholeReply(server, request('GET', '/slow')), 408);
    await server.says(/ - GET \/slow\n/);
  });

  it('are 400 and a close for CONNECT', async () => {
    expectErrorAnswer(
      await wholeReply(await helloHere(), 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n'),
      400,
    );
  });
});

describe('every app', () => {
  it('has no Upgrade without an upgrade export: the request is answered as any other', async () => {
    const server = await helloHere();
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
    const { body } = await exchange((await helloHere()).port, request('TRACE', '/', 'Cookie: secret'));
    expect(body).to.equal(HELLO);
  });

  it('ignores an unknown Expect', async () => {
    expectHello(await exchange((await helloHere()).port, request('GET', '/', 'Expect: the-unexpected')));
  });

  it('answers Expect: 100-continue with 100, and the request when its body is there', async () => {
    const raw = await Raw.open((await helloHere()).port);
    raw.send(request('POST', '/', 'Expect: 100-continue', 'Content-Length: 5'));
    expect((await raw.answer()).status).to.equal(100);
    expectHello(await raw.send('hello').answer());
    raw.destroy();
  });

  it('invites no body of an invalid request', async () => {
    const bytes = 'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
    expectErrorAnswer(await wholeReply(await helloHere(), bytes), 400);
  });
});
