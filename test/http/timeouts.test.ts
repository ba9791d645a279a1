// REQUEST_TIMEOUT and KEEP_ALIVE_TIMEOUT, shorter than any operator would have them. A request may be late by 3 s, never early.

import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, helloHere, type InProcess, local, serveHere } from '../helpers/service.ts';

/** REQUEST_TIMEOUT of most tests, s. */
const TIMEOUT = '0.4';
const TIMEOUT_MS = 1000 * Number(TIMEOUT);

const start = (app: string | undefined, env: Record<string, string>): Promise<InProcess> =>
  app === undefined ? helloHere(env) : serveHere(app, env);

/** What comes until the server closes, and the ms that took. */
async function reply({ port }: InProcess, send: (raw: Raw) => void): Promise<{ text: string; ms: number }> {
  const raw = await Raw.open(port);
  const began = performance.now();
  send(raw);
  const text = await raw.end(8000);
  return { text, ms: performance.now() - began };
}

/** Sends a text a byte each 100 ms, for as long as the connection lasts. */
function dribble(raw: Raw, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (raw.closed || at === text.length) clearInterval(timer);
    else raw.send(text.charAt(at++));
  }, 100);
}

const LONG_REQUEST = request('GET', '/', `X: ${'x'.repeat(500)}`);
const UPLOAD = request('POST', '/', 'Content-Length: 500');
const CHUNKED_UPLOAD = request('POST', '/', 'Transfer-Encoding: chunked');

afterEach(closeLocals);

describe('REQUEST_TIMEOUT', () => {
  type Late = Readonly<Record<string, (raw: Raw) => void>>;
  const slowClients: Late = {
    'half a request line': (raw) => raw.send('GET /'),
    'half a header section': (raw) => raw.send('GET / HTTP/1.1\r\nHost: a\r\n'),
    'headers sent byte by byte': (raw) => dribble(raw, LONG_REQUEST),
    'a stalled upload': (raw) => raw.send(`${UPLOAD}half`),
    'an upload sent byte by byte': (raw) => dribble(raw.send(UPLOAD), 'x'.repeat(500)),
    'a stalled upload in chunks': (raw) => raw.send(`${CHUNKED_UPLOAD}5\r\nhello\r\n`),
    'the second request of a connection': (raw) => raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /'),
  };
  const slowApp: Late = {
    'a request': (raw) => raw.send(request('GET', '/')),
    'an upload': (raw) => raw.send(`${UPLOAD}${'x'.repeat(500)}`),
    'a stalled upload': (raw) => raw.send(`${UPLOAD}half`),
  };

  /** Fails unless each ends with a 408, neither early nor much too late. */
  async function expectTimeouts(server: InProcess, late: Late): Promise<void> {
    const replies = await Promise.all(Object.values(late).map((send) => reply(server, send)));
    for (const [i, what] of Object.keys(late).entries()) {
      const { text = '', ms } = replies[i] ?? {};
      expectErrorAnswer(text.slice(text.lastIndexOf('HTTP/1.1 ')), 408);
      expect(ms, what).to.be.within(TIMEOUT_MS, TIMEOUT_MS + 3000);
    }
    expect(server.err).to.equal('');
  }

  it('ends a slow sender with a 408 in about a second after it', async () => {
    await expectTimeouts(await start(undefined, { REQUEST_TIMEOUT: TIMEOUT }), slowClients);
  });

  it('ends what an app never answers with a 408 in about a second after it', async () => {
    await expectTimeouts(await start('never-answers.js', { REQUEST_TIMEOUT: TIMEOUT }), slowApp);
  });

  it('closes a silent connection without an answer', async () => {
    const { text, ms } = await reply(await start(undefined, { REQUEST_TIMEOUT: TIMEOUT }), () => {});
    expect(text).to.equal('');
    expect(ms).to.be.within(TIMEOUT_MS, TIMEOUT_MS + 3000);
  });

  it('answers the first of several unanswered requests, and closes', async () => {
    const server = await start('never-answers.js', { REQUEST_TIMEOUT: TIMEOUT });
    const { text } = await reply(server, (raw) => raw.send(request('GET', '/a') + request('GET', '/b')));
    expectErrorAnswer(text, 408);
  });

  it('takes no body to HEAD', async () => {
    const server = await start('never-answers.js', { REQUEST_TIMEOUT: TIMEOUT });
    const { text } = await reply(server, (raw) => raw.send(request('HEAD', '/')));
    expect(text).to.match(/^HTTP\/1\.1 408 Request Timeout\r\n.*\r\n\r\n$/s);
  });

  it('leaves an answer that has begun as long as it likes', async () => {
    const server = await start('streams-for.js', { REQUEST_TIMEOUT: TIMEOUT });
    const { text, ms } = await reply(server, (raw) => raw.send(request('GET', '/1500', 'Connection: close')));
    expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n.*begun, .*ended\r\n0\r\n\r\n$/s);
    expect(ms).to.be.above(1400);
  });

  it('does not count the time between requests', async () => {
    const server = await start('answers-after.js', { REQUEST_TIMEOUT: TIMEOUT });
    const raw = await Raw.open(server.port);
    for (const ms of ['300', '301', '302']) {
      expect((await raw.send(request('GET', `/${ms}`)).answer()).body).to.equal(`after ${ms}`);
    }
    raw.destroy();
  });

  it('of a pipelined request runs while an answer before it takes its time', async () => {
    const { port } = await local(
      (req, res) => {
        if (req.url === '/begun') {
          res.write('begun');
          setTimeout(() => res.end(), 1200);
        } else setTimeout(() => res.end('late'), 1100);
      },
      { requestTimeoutMs: TIMEOUT_MS },
    );
    const raw = await Raw.open(port);
    raw.send(request('GET', '/begun') + request('GET', '/late'));
    expect((await raw.answer()).body).to.equal('begun');
    expectErrorAnswer(await raw.end(), 408);
  });

  it('of 0 is none', async () => {
    const server = await start('answers-after.js', { REQUEST_TIMEOUT: '0' });
    const raw = await Raw.open(server.port);
    const half = await Raw.open(server.port);
    half.send('GET /0 HTTP/1.1\r\n');
    expect((await raw.send(request('GET', '/1200')).answer()).body).to.equal('after 1200');
    expect((await half.send('Host: a\r\n\r\n').answer()).body).to.equal('after 0');
    raw.destroy();
    half.destroy();
  });
});

describe('an app that answers after its 408', () => {
  it('100 times costs no worker and no line of error', async () => {
    const server = await start('answers-after.js', { REQUEST_TIMEOUT: TIMEOUT });
    const late = (target: string) => reply(server, (raw) => raw.send(request('GET', target)));
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => late(`/${1200 + i}`)));
    for (const { text } of replies) expectErrorAnswer(text, 408);
    const raw = await Raw.open(server.port);
    const countOf = async () => (await raw.send(request('GET', '/count')).answer()).body;
    await eventually(async () => (await countOf()) === '100', '100 late answers');
    raw.destroy();
    expect(server.err).to.equal('');
    await eventually(
      () => (server.out.match(/ - GET \/1\d\d\d\n/g)?.length ?? 0) === 100,
      'a line for each 408',
    );
  });
});

describe('KEEP_ALIVE_TIMEOUT', () => {
  it('of 0 closes after each answer, and says so', async () => {
    const server = await start(undefined, { KEEP_ALIVE_TIMEOUT: '0' });
    const { text } = await reply(server, (raw) => raw.send(request('GET', '/', 'Connection: keep-alive')));
    expect(text)
      .to.match(/\r\nConnection: close\r\n.*\r\n\r\nHello, World!$/s)
      .and.not.match(/keep-alive/i);
  });

  it('of 1 closes a connection that is idle for longer, without a word', async () => {
    const server = await start(undefined, { KEEP_ALIVE_TIMEOUT: '1' });
    const raw = await Raw.open(server.port);
    await raw.send(request('GET', '/')).answer();
    const began = performance.now();
    expect((await raw.send(request('GET', '/')).answer()).headers['keep-alive']).to.equal('timeout=1');
    expect(await raw.end(8000)).to.equal('');
    expect(performance.now() - began).to.be.within(900, 6000);
    expect(server.err).to.equal('');
    expect(server.out).not.to.contain('- - -');
  });

  it('does not run while a request is answered', async () => {
    const server = await start('answers-after.js', { KEEP_ALIVE_TIMEOUT: '0.4' });
    const raw = await Raw.open(server.port);
    await raw.send(request('GET', '/0')).answer();
    expect((await raw.send(request('GET', '/1800')).answer()).body).to.equal('after 1800');
    raw.destroy();
  });
});

describe('an app that answers on the end of a request', () => {
  it('gets that end, of a GET too, with Hello’s options or without', async () => {
    const server = await start('answers-on-end.js', { REQUEST_TIMEOUT: '2' });
    const raw = await Raw.open(server.port);
    expect((await raw.send(request('GET', '/')).answer()).body).to.equal('0 bytes');
    expect((await raw.send(request('HEAD', '/')).answer(5000, true)).status).to.equal(200);
    expect((await raw.send(request('DELETE', '/')).answer()).body).to.equal('0 bytes');
    expect((await raw.send(`${request('POST', '/', 'Content-Length: 5')}hello`).answer()).body).to.equal(
      '5 bytes',
    );
    expect((await raw.send(`${CHUNKED_UPLOAD}5\r\nhello\r\n0\r\n\r\n`).answer()).body).to.equal('5 bytes');
    raw.destroy();
  });
});
