// The routes of the admin listener, over a real socket and without a fleet behind them.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { Admin, isOwnName } from '../../src/control/admin.ts';
import { statusOf } from '../../src/control/fleet-status.ts';
import { Ledger } from '../../src/control/ledger.ts';
import { readPage } from '../../src/control/page-file.ts';
import type { Health } from '../../src/control/status.ts';
import { newFleet } from '../../src/core/fleet.ts';
import { SETTINGS } from '../core/script.ts';
import { eventually, ROOT, stays } from '../helpers/server.ts';

const PAGE = pathToFileURL(join(ROOT, 'dist', 'page.html'));
const IDENTITY = { version: '1.2.3', port: 3000, host: undefined, app: undefined };
const STATUS = statusOf(newFleet(SETTINGS), 0, IDENTITY, new Ledger(0), {
  rssMiB: 50,
  logLinesDropped: 0,
});

describe('the admin listener', () => {
  let admin: Admin;
  let port: number;
  let health: Health;
  let metrics: (openMetrics: boolean) => Promise<string>;
  let padding: string;
  /** How many event streams were begun. */
  let streams: number;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    health = { live: true, ready: true, reason: '2 of 2 workers ready' };
    metrics = async (openMetrics) => (openMetrics ? 'up 1\n# EOF\n' : 'up 1\n');
    padding = '';
    streams = 0;
    admin = new Admin(
      {
        status: () => ({ ...STATUS, health, app: padding || null }),
        history: () => {
          streams += 1;
          return new Ledger(0).history();
        },
        metrics: (openMetrics) => metrics(openMetrics),
        top: async () => ({ total: 0, requests: [], silent: [] }),
      },
      '127.0.0.1',
      readPage(PAGE),
    );
    admin.server.listen(0, '127.0.0.1');
    await once(admin.server, 'listening');
    ({ port } = admin.server.address() as AddressInfo);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await admin.end();
    admin.server.closeAllConnections();
  });

  interface Answered {
    readonly status: number | undefined;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }

  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const req = request({ port, path, method, headers, agent: false }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body }));
      });
      req.on('error', reject);
      req.end();
    });

  const get = (path: string, ...headers: string[]): string =>
    `${[`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;

  const count = (): Promise<number> =>
    new Promise((resolve) => admin.server.getConnections((_error, connections) => resolve(connections)));

  /** Waits until it is closed, in order or by a reset. */
  const closed = async (socket: Socket): Promise<void> => {
    await eventually(() => socket.closed, 'the connection is closed');
  };

  /** All that comes back for `text`, until the listener closes the connection. */
  const exchange = async (text: string): Promise<string> => {
    const { socket, received } = await open(text);
    await closed(socket);
    return received();
  };

  /** A connection that has sent `text`, and what comes back on it. */
  const open = async (text: string): Promise<{ socket: Socket; received: () => string }> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {});
    socket.write(text);
    await once(socket, 'connect');
    return { socket, received: () => received };
  };

  it('answers with the page, the status and the metrics', async () => {
    const page = await ask('/');
    expect(page.status).to.equal(200);
    expect(page.headers['content-type']).to.equal('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).to.match(
      /^default-src 'none'; script-src 'sha256-[^']+'; /,
    );
    expect(JSON.parse((await ask('/status')).body)).to.have.property('version', '1.2.3');
    const text = await ask('/metrics');
    expect(text.body).to.equal('up 1\n');
    expect(text.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5';
    const open = await ask('/metrics', 'GET', { accept });
    expect(open.body).to.match(/# EOF\n$/);
    expect(open.headers['content-type']).to.equal(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
  });

  it('has every answer forbid what a page of another site could do with it', async () => {
    for (const path of ['/', '/status', '/metrics', '/livez', '/none']) {
      const { headers } = await ask(path, 'GET', { origin: 'http://evil.example' });
      expect(headers['cache-control']).to.equal('no-store');
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(headers['content-security-policy'])
        .to.include("default-src 'none'")
        .and.include("frame-ancestors 'none'");
      expect(headers).to.not.have.property('access-control-allow-origin');
    }
  });

  it('answers GET and HEAD alone', async () => {
    const head = await ask('/status', 'HEAD');
    expect([head.status, head.body]).to.deep.equal([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, headers } = await ask('/reload', method);
      expect([method, status, headers.allow]).to.deep.equal([method, 405, 'GET, HEAD']);
    }
    for (const path of ['/reload', '/stop', '/scale?workers=1', '/top', '/x']) {
      expect([path, (await ask(path)).status]).to.deep.equal([path, 404]);
    }
  });

  it('tells nothing to a page whose name was made to lead here', async () => {
    const { status, body } = await ask('/status', 'GET', { host: `evil.example:${port}` });
    expect(status).to.equal(403);
    expect(body).to.not.include('1.2.3');
  });

  it('says by status and in words whether the fleet lives and is ready', async () => {
    expect(await ask('/readyz')).to.include({
      status: 200,
      body: '{"status":"ok","reason":"2 of 2 workers ready"}\n',
    });
    health = { live: true, ready: false, reason: 'no database' };
    expect(await ask('/livez?verbose')).to.include({ status: 200 });
    expect(await ask('/readyz')).to.include({
      status: 503,
      body: '{"status":"unavailable","reason":"no database"}\n',
    });
    health = { live: false, ready: false, reason: '0 of 2 workers ready' };
    expect(await ask('/livez')).to.include({ status: 503 });
  });

  it('tells a page the history, and then the status every second, until it ends', async () => {
    const { received, socket } = await open('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(() => (received().match(/^event: status$/gm) ?? []).length >= 3, 'three statuses');
    expect(received()).to.match(/content-type: text\/event-stream\r\n/i);
    expect(received().indexOf('event: history')).to.be.below(received().indexOf('event: status'));
    const ended = once(socket, 'end');
    await admin.end();
    await ended;
  });

  it('survives hundreds of scrapes at once, and answers those that it has room for', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 300 }, () => ask('/metrics')));
    const ok = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 200);
    expect(ok.length).to.be.at.least(64);
    expect((await ask('/livez')).status).to.equal(200);
  });

  it('cuts a page and a scraper that never read', async () => {
    padding = 'x'.repeat(8_388_608);
    const page = await open('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    page.socket.pause();
    const scraper = await open('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
    scraper.socket.pause();
    await eventually(async () => (await count()) === 0, 'both connections are cut');
  });

  it('cuts a page that has left only a little unread for 5 s', async () => {
    admin.server.on('connection', (socket) => socket.cork()); // as if its client did not read
    await open(get('/events'));
    await eventually(() => streams === 1, 'the stream has begun');
    await eventually(async () => (await count()) === 0, 'the page is cut', 9000);
  });

  it('keeps a page that is slow, and tells it nothing more until it has caught up', async () => {
    padding = 'x'.repeat(16_777_216);
    const accepted: Socket[] = [];
    admin.server.on('connection', (socket) => accepted.push(socket));
    const page = await open(get('/events'));
    page.socket.pause();
    await eventually(() => streams === 1, 'the stream has begun');
    const isKept = ({ writableLength, destroyed }: Socket): boolean =>
      !destroyed && writableLength < 2 * padding.length;
    await stays(() => accepted.every(isKept), 'it is kept and not told more', 2500);
    padding = '';
    page.socket.resume();
    await eventually(() => (page.received().match(/^event: status$/gm) ?? []).length >= 3, 'it goes on');
  });

  it('has at most 32 pages, says so to one more, and always has a place for a probe', async () => {
    const pages = await Promise.all(Array.from({ length: 64 }, () => open(get('/events'))));
    const answered = (status: number): number =>
      pages.filter(({ received }) => received().startsWith(`HTTP/1.1 ${status} `)).length;
    await eventually(() => answered(200) + answered(503) === 64, 'all have an answer');
    expect([answered(200), answered(503)]).to.deep.equal([32, 32]);
    expect(await ask('/events')).to.deep.include({
      status: 503,
      body: '{"status":"unavailable","reason":"32 pages are open, the most there can be"}\n',
    });
    expect((await ask('/livez')).status).to.equal(200);
    pages.find(({ received }) => received().startsWith('HTTP/1.1 200 '))?.socket.destroy();
    await eventually(async () => (await count()) === 31, 'a page has gone');
    const another = await open(get('/events'));
    await eventually(() => another.received().startsWith('HTTP/1.1 200 '), 'another has its place');
  });

  it('keeps no connection that has been answered, so that idle clients take no place', async () => {
    const idle = await Promise.all(Array.from({ length: 64 }, () => open(get('/livez'))));
    await eventually(() => idle.every(({ received }) => received().includes('"ok"')), 'all have an answer');
    expect((await ask('/livez')).status).to.equal(200);
    await eventually(async () => (await count()) === 0, 'all are closed');
  });

  it('begins one event stream on a connection, and cuts one that asks for more', async () => {
    await exchange(get('/events').repeat(2000));
    expect(streams).to.equal(1);
    const page = await open(get('/events'));
    await eventually(() => streams === 2, 'the stream has begun');
    page.socket.write(get('/livez'));
    await closed(page.socket);
    expect(page.received()).to.not.include('"ok"');
  });

  it('answers the first of some requests sent at once, and cuts a connection on which many wait', async () => {
    let scrapes = 0;
    metrics = async () => {
      scrapes += 1;
      return 'up 1\n';
    };
    const some = await exchange(get('/metrics').repeat(3));
    expect(some.match(/^HTTP.*$/gm)).to.have.length(1);
    expect(some)
      .to.match(/^connection: close\r$/im)
      .and.match(/up 1\n/);
    metrics = () => {
      scrapes += 1;
      return new Promise(() => {});
    };
    expect(await exchange(get('/metrics').repeat(100))).to.equal('');
    expect(scrapes).to.equal(2);
  });

  it('takes the path of a target that is a whole URL, and looks at its host too', async () => {
    expect(await exchange(get(`http://127.0.0.1:${port}/livez?x=1`))).to.match(/^HTTP\/1.1 200 .*"ok"/s);
    expect(await exchange(get('HTTP://localhost/none'))).to.match(/^HTTP\/1.1 404 /);
    expect(await exchange(get('http://evil.example/status'))).to.match(/^HTTP\/1.1 403 /);
  });

  it('answers a request that expects something as any other', async () => {
    for (const expectation of ['x', '100-continue']) {
      const answer = await exchange(get('/livez', `Expect: ${expectation}`));
      expect(answer).to.match(/^HTTP\/1.1 200 .*nosniff.*"ok"/s);
      const foreign = `GET /livez HTTP/1.1\r\nHost: evil.example\r\nExpect: ${expectation}\r\n\r\n`;
      expect(await exchange(foreign)).to.match(/^HTTP\/1.1 403 .*nosniff/s);
    }
  });

  it('waits for no body, and takes trailers', async () => {
    const large = get('/livez', 'Content-Length: 1000000000');
    await exchange(large + 'x'.repeat(1_000_000)); // may be reset before the answer is read
    expect(await exchange(large)).to.match(/^HTTP\/1.1 200 .*"ok"/s);
    const trailers = `${get('/livez', 'Transfer-Encoding: chunked')}1\r\nx\r\n0\r\nX-Last: 1\r\n\r\n`;
    expect(await exchange(trailers)).to.match(/^HTTP\/1.1 200 .*"ok"/s);
    expect(await count()).to.equal(0);
  });

  it('closes a connection of HTTP/1.0 too, though it asks to be kept', async () => {
    const answer = await exchange('GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(answer).to.match(/^HTTP\/1.1 200 .*"ok"/s);
    const page = await open('GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await eventually(() => /\r\n\r\nretry: /.test(page.received()), 'a stream that is not in chunks');
  });

  it('answers HEAD on every route as GET, without the body', async () => {
    health = { live: false, ready: false, reason: 'no' };
    for (const path of ['/', '/status', '/metrics', '/livez', '/readyz', '/none']) {
      const [get, head] = [await ask(path), await ask(path, 'HEAD')];
      expect([path, head.status, head.headers['content-type'], head.body]).to.deep.equal([
        path,
        get.status,
        get.headers['content-type'],
        '',
      ]);
    }
    const events = await ask('/events', 'HEAD');
    expect([events.status, events.headers['content-type']]).to.deep.equal([200, 'text/event-stream']);
    expect(streams).to.equal(0);
  });

  it('answers 500 when metrics cannot be had, and goes on', async () => {
    metrics = () => Promise.reject(new Error('no metrics today'));
    expect(await ask('/metrics')).to.include({ status: 500, body: '{"error":"no metrics today"}\n' });
    expect((await ask('/readyz')).status).to.equal(200);
  });

  it('throws at no input', async () => {
    for (const text of [
      'GET // HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET http:// HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: [\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: \xff\r\n\r\n',
      'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      '\0\0\0\r\n\r\n',
    ]) {
      const { socket } = await open(text);
      await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    }
    expect((await ask('/livez')).status).to.equal(200);
  });
});

describe('the names of the admin listener', () => {
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:9090',
    '[::1]:9090',
    '10.1.2.3',
    'localhost:9090',
    'LOCALHOST',
    'app.localhost',
    'hello-server:9090',
    'hello.prod.svc:9090',
    'hello.prod.svc.cluster.local',
    'host.docker.internal',
    'metrics.example.org:1',
  ]) {
    it(`are such as ${host}`, () => expect(isOwnName(host, 'metrics.example.org')).to.equal(true));
  }
  it('are compared without regard to case', () => {
    expect(isOwnName('METRICS.example.org', 'Metrics.Example.org')).to.equal(true);
  });
  for (const host of [
    'evil.example',
    'evil.example:9090',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    'a.b@127.0.0.1',
    'evil.com#.local/x.y',
  ]) {
    it(`are not ${JSON.stringify(host)}`, () => expect(isOwnName(host, '127.0.0.1')).to.equal(false));
  }
});
