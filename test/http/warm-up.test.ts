// A warm-up's requests: what they look like to the app, what it gets of the answers, and how they end.

import { createServer, type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { Notice } from '../../src/core/notices.ts';
import { Adopted } from '../../src/http/adopted.ts';
import { findApp, type Listener } from '../../src/http/app-module.ts';
import { asideOf } from '../../src/http/aside.ts';
import { Counts } from '../../src/http/counts.ts';
import type { ServerSettings } from '../../src/http/service.ts';
import { type Warmup, warmUp } from '../../src/http/warm-up.ts';
import type { Log } from '../../src/log/logger.ts';
import { lineOf } from '../../src/log/wording.ts';
import { get } from '../helpers/raw.ts';

/** Warms `app` up, and returns the lines that this has logged. */
async function warmed(
  app: Listener,
  warmup: Warmup,
  withinMs = 5000,
  signal?: AbortSignal,
): Promise<string[]> {
  const lines: string[] = [];
  const log = (notice: Notice): void => void lines.push(`${lineOf(notice).level} ${lineOf(notice).text}`);
  const never = new AbortController().signal;
  const open = (apart: (notice: Notice) => void) =>
    asideOf({ default: app }, { log, answered: () => lines.push('answered') }, apart);
  await warmUp(warmup, { open, log, withinMs, signal: signal ?? never });
  return lines;
}

const echo: Listener = (req, res) => {
  res.setHeader('X-Got', `${req.method} ${req.url} ${req.headers['content-type']}`);
  req.pipe(res);
};

describe('a warm-up', () => {
  it('asks one target after the other', async () => {
    const asked: string[] = [];
    let open = 0;
    const lines = await warmed(
      (req, res) => {
        open += 1;
        asked.push(`${open} ${req.method} ${req.url} ${req.headers.host} ${req.headers['user-agent']}`);
        setTimeout(() => {
          open -= 1;
          res.end('x'.repeat(100_000));
        }, 5);
      },
      ['/a', '/b', '/a'],
    );
    const line = (target: string): string => `1 GET ${target} localhost hello-server`;
    expect(asked).to.deep.equal([line('/a'), line('/b'), line('/a')]);
    expect(lines).to.deep.equal([]);
  });

  it('has a fetch that sends and gets all there is to an exchange, many at a time', async () => {
    const lines = await warmed(echo, async (fetch) => {
      const body = Buffer.alloc(3_000_000, 'tea');
      const headers = { 'Content-Type': 'x/tea' };
      const answers = await Promise.all(
        ['/a', '/b?c=d', '//e'].map((path) => fetch(path, { method: 'POST', headers, body })),
      );
      for (const [i, path] of ['/a', '/b?c=d', '//e'].entries()) {
        const answer = answers[i];
        expect(answer?.status).to.equal(200);
        expect(answer?.statusText).to.equal('OK');
        expect(answer?.headers.get('x-got')).to.equal(`POST ${path} x/tea`);
        expect(body.equals(new Uint8Array((await answer?.arrayBuffer()) ?? new ArrayBuffer(0)))).to.equal(
          true,
        );
      }
    });
    expect(lines).to.deep.equal([]);
  });

  it('has a fetch that knows answers without a body, and takes redirects as they are', async () => {
    const lines = await warmed(
      (req, res) => {
        res.statusCode = Number(req.url?.slice(1));
        res.setHeader('Location', '/');
        res.setHeader('Set-Cookie', ['a=1', 'b=2']);
        res.end();
      },
      async (fetch) => {
        for (const status of [204, 205, 304, 302, 500]) {
          const answer = await fetch(`/${status}`);
          expect(answer.status).to.equal(status);
          expect(answer.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
        }
        expect(await (await fetch('/200', { method: 'HEAD' })).text()).to.equal('');
      },
    );
    expect(lines).to.deep.equal([]);
  });

  it('has a fetch that refuses what is no path, and is aborted as any', async () => {
    const problems: string[] = [];
    const noted = (error: Error): void => void problems.push(`${error.name}: ${error.message}`);
    await warmed(
      () => {},
      async (fetch) => {
        await fetch('http://elsewhere/').catch(noted);
        await fetch('/', { signal: AbortSignal.timeout(20) }).catch(noted);
      },
    );
    expect(problems[0]).to.equal('TypeError: expected a path that begins with /, got http://elsewhere/');
    expect(problems[1]).to.match(/^AbortError: /);
    expect(problems).to.have.length(2);
  });

  it('is held to what any client is: an invalid request is refused', async () => {
    const lines = await warmed(echo, async (fetch) => {
      const answer = await fetch('/', { headers: { Host: 'no host' } });
      expect([answer.status, await answer.text()]).to.deep.equal([400, 'Bad Request']);
    });
    expect(lines).to.deep.equal([]);
  });

  it('says in one line each what fails', async () => {
    const app: Listener = async (req, res) => {
      if (req.url === '/throw') throw new Error('boom');
      if (req.url === '/cut') {
        res.write('half');
        setTimeout(() => res.destroy(), 10);
        return;
      }
      res.statusCode = 503;
      res.end();
    };
    expect(await warmed(app, ['/throw', '/cut', '/well', '/a b'])).to.deep.equal([
      'debug warm-up failed: GET /throw: boom',
      'debug warm-up failed: GET /cut: aborted',
      'debug warm-up failed: GET /well: 503',
      'debug warm-up failed: GET /a b: Request path contains unescaped characters',
    ]);
    const asks: Warmup = async (fetch) => {
      await fetch('/throw');
      throw new Error('no warmth');
    };
    expect(await warmed(app, asks)).to.deep.equal([
      'debug warm-up failed: GET /throw: boom',
      'debug warm-up failed: no warmth',
    ]);
  });

  it('is cut in time: its connections end, and none is made later', async () => {
    const closed: string[] = [];
    const app: Listener = (req) => req.socket.once('close', () => closed.push(req.url ?? ''));
    let problem = '';
    let later: Promise<string> | undefined;
    const lines = await warmed(
      app,
      async (fetch) => {
        await fetch('/never').catch((error: Error) => {
          problem = error.message;
        });
        later = fetch('/later').then(
          () => 'answered',
          (error: Error) => error.message,
        );
      },
      30,
    );
    expect(lines).to.deep.equal(['debug warm-up cut after 0.0 s']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(problem).to.equal('socket hang up');
    expect(await later).to.equal('the warm-up is over');
    expect(closed).to.deep.equal(['/never']);
  });

  it('is cut by a drain, and not begun without time', async () => {
    const drained = new AbortController();
    const app: Listener = () => drained.abort();
    expect(await warmed(app, ['/', '/'], 5000, drained.signal)).to.deep.equal([
      'debug warm-up cut after 0.0 s',
    ]);
    const begun: Warmup = () => expect.fail('it was begun');
    expect(await warmed(app, begun, 5000, drained.signal)).to.deep.equal(['debug warm-up cut after 0.0 s']);
    expect(await warmed(app, begun, 0)).to.deep.equal(['debug warm-up cut after 0.0 s']);
  });
});

describe('a warm-up of a server that the app made', () => {
  interface Told {
    readonly seen: string[];
    readonly lines: string[];
  }

  /** Warms the server up as a worker does that has adopted it; then one real request is answered. */
  async function adoptedBy(server: Server, tell: (seen: string[]) => void): Promise<Told> {
    const seen: string[] = [];
    const lines: string[] = [];
    const log = (notice: Notice): void => void lines.push(`${lineOf(notice).level} ${lineOf(notice).text}`);
    const answered: ServerSettings['answered'] = (req, _socket, status) =>
      void lines.push(`${req?.url ?? '-'} ${status}`);
    for (const event of ['connection', 'secureConnection', 'listening', 'close'])
      server.on(event, () => seen.push(event));
    tell(seen);
    const adopted = new Adopted(server, { log, answered }, { closed: () => {} });
    const { signal } = new AbortController();
    const open = (apart: Log) => adopted.aside(apart);
    await warmUp(['/a', '/reject'], { open, log, withinMs: 5000, signal });
    expect(adopted.service.counts.read([])).to.deep.equal(new Counts().read([]));
    expect([adopted.service.inFlight.size, adopted.service.connections.size]).to.deep.equal([0, 0]);
    if ('setSecureContext' in server) return { seen, lines };
    await adopted.bound(() => Server.prototype.listen.call(server, 0));
    await get(server.address() as AddressInfo, '/real');
    expect(adopted.service.counts).to.include({ requests: 1, accepted: 1, failed: 0 });
    Server.prototype.close.call(server); // the app's own would only end its part
    return { seen, lines };
  }

  const failed = 'debug warm-up failed: GET /reject: boom';
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    res.end(`${req.url}`);
  };
  const rejects = async (req: IncomingMessage): Promise<void> => {
    if (req.url === '/reject') throw new Error('boom');
  };

  it('is its own affair: no connection is seen, nothing counted, and the request after it is', async () => {
    const server = createServer(async (req, res) => {
      await rejects(req);
      answer(req, res);
    });
    const { seen, lines } = await adoptedBy(server, (seen) =>
      server.on('request', ({ url }) => seen.push(url ?? '')),
    );
    expect(seen).to.deep.equal(['/a', '/reject', 'listening', 'connection', '/real']);
    expect(lines).to.deep.equal([failed, '/real 200']);
  });

  it('comes by what the app put in the place of emit', async () => {
    const server = createServer((req, res) => rejects(req).then(() => answer(req, res)));
    const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
    const { seen } = await adoptedBy(server, (seen) => {
      server.emit = (event: string, ...args: unknown[]) => {
        seen.push(`emit ${event}`);
        return emit(event, ...args);
      };
    });
    expect(seen.slice(0, 3)).to.deep.equal(['emit request', 'emit request', 'emit listening']);
  });

  const secure: Readonly<Record<string, () => Server>> = {
    HTTPS: () => createHttpsServer() as unknown as Server,
    'HTTP/2': () => createSecureServer({ allowHTTP1: true }) as unknown as Server,
  };
  for (const [name, made] of Object.entries(secure)) {
    it(`passes for HTTP/1 by TLS, without a certificate, where that is served: ${name}`, async () => {
      const server = made();
      const { seen, lines } = await adoptedBy(server, (seen) => {
        server.on('request', async (req, res) => {
          seen.push(`${req.url} ${(req.socket as TLSSocket).encrypted} ${req.httpVersion}`);
          await rejects(req);
          answer(req, res);
        });
      });
      expect(seen).to.deep.equal(['/a true 1.1', '/reject true 1.1']);
      expect(lines).to.deep.equal([failed]);
    });
  }
});

describe('the export warmup', () => {
  const found = async (exports: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const app = await findApp(exports, () => Promise.reject(new Error('no adapter')));
    return typeof app === 'string' || app.found !== 'listener' ? app : app.app.warmup;
  };
  const app: Listener = (_req, res) => res.end();
  const say = (): void => {};

  it('is taken from the module, and from what a listener carries', async () => {
    expect(await found({ default: app, warmup: ['/a'] })).to.deep.equal(['/a']);
    expect(await found({ default: app, warmup: say })).to.equal(say);
    expect(await found({ default: Object.assign(() => {}, { warmup: say }) })).to.equal(say);
    expect(await found({ default: Object.assign(() => {}, { warmup: [] }) })).to.deep.equal([]);
    expect(await found({ default: Object.assign(() => {}, { warmup: 'its own affair' }) })).to.equal(
      undefined,
    );
  });

  it('is refused in any other shape', async () => {
    const expected =
      'expected the export warmup to be an array of targets that begin with /, or a function, got';
    expect(await found({ default: app, warmup: null })).to.equal(`${expected} null`);
    expect(await found({ default: app, warmup: '/a' })).to.equal(`${expected} \`/a\``);
    expect(await found({ default: app, warmup: { a: '/a' } })).to.equal(`${expected} an object`);
    expect(await found({ default: app, warmup: ['/a', 'b'] })).to.equal(`${expected} \`b\` in it`);
    expect(await found({ default: app, warmup: ['/a', 8] })).to.equal(`${expected} a number in it`);
  });
});
