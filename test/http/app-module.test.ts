// What an app module may export beside its listener, as far as no cluster is needed to see it.

import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { get, Raw, request, wholeReply } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, serveHere } from '../helpers/service.ts';

afterEach(closeLocals);

describe('the app module', () => {
  it('has its options taken under the server’s own', async () => {
    const server = await serveHere('asks-for-options.js');
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
    const server = await serveHere('ends-empty-requests.js');
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
    const server = await serveHere('upgrades.js');
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
    const server = await serveHere('upgrades.js');
    expectErrorAnswer(
      await wholeReply(server, 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'),
      400,
    );
  });

  it('has an upgrade that fails logged, and answered with a 500', async () => {
    const server = await serveHere('upgrades.js');
    const reply = await wholeReply(server, request('GET', '/throw', 'Connection: Upgrade', 'Upgrade: echo'));
    expectErrorAnswer(reply, 500);
    await server.says(/app failed: GET \/throw: secret boom\n +Error: secret boom\n/);
  });
});
