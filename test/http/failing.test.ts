// Apps that fail before, in and after their answer, and clients that leave before they have it.

import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { exchange, get, Raw, request, wholeReply } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, type InProcess, local, serveHere } from '../helpers/service.ts';

/** Waits until all that the server has to say about earlier requests is said. */
async function settled(server: InProcess): Promise<void> {
  await get(server, '/?settled');
  await server.says(/ - GET \/\?settled\n/);
}

/** As {@link settled}, for the app that answers after so many milliseconds. */
async function settledWithin(server: InProcess): Promise<void> {
  await get(server, '/1');
  await server.says(/ - GET \/1\n/);
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

afterEach(closeLocals);

describe('an app that fails', () => {
  const failures = ['/throw', '/reject', '/reject-later', '/throw-with-headers-set'];

  for (const path of failures) {
    it(`before it answered (${path}) is a 500 and one logged error with its stack`, async () => {
      const server = await serveHere('fails-before-answering.js');
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
    const server = await serveHere('fails-before-answering.js');
    expectErrorAnswer(await wholeReply(server, request('GET', '/throw-no-error', 'Connection: close')), 500);
    await settled(server);
    expect(server.err).to.equal('app failed: GET /throw-no-error: secret boom\n');
  });

  it('sends no body to HEAD', async () => {
    const server = await serveHere('fails-before-answering.js');
    const reply = await wholeReply(server, request('HEAD', '/throw', 'Connection: close'));
    expect(reply).to.match(/^HTTP\/1\.1 500 .*\r\n\r\n$/s);
  });

  it('leaves its connection and its worker in use', async () => {
    const server = await serveHere('fails-before-answering.js');
    const raw = await Raw.open(server.port);
    for (const path of ['/throw', '/reject', '/throw']) {
      expect((await raw.send(request('GET', path)).answer()).status).to.equal(500);
      expect(await raw.send(request('GET', '/')).answer()).to.include({ status: 200, body: 'fine' });
    }
    raw.destroy();
  });

  it('and then writes all the same harms nobody', async () => {
    const server = await serveHere('writes-after-failing.js');
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
  });

  for (const path of ['/throw', '/reject', '/throw-length', '/reject-length']) {
    it(`after its answer began (${path}) has the connection cut and the error logged`, async () => {
      const server = await serveHere('fails-after-beginning.js');
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
    const server = await serveHere('streams-for.js', { LOG_LEVEL: 'debug' });
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
    const server = await serveHere('answers-after.js');
    const raws = await Promise.all(Array.from({ length: 20 }, () => Raw.open(server.port)));
    for (const raw of raws) raw.send(request('GET', '/300'));
    await get(server, '/0');
    for (const raw of raws) raw.destroy();
    await eventually(async () => (await get(server, '/count')).body === '21', 'the late answers');
    await settledWithin(server);
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
