// Apps that have their server listen themselves: served as they are, with every promise, and seeing what they would alone.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { exchange, Raw, request, wholeReply } from '../helpers/raw.ts';
import { losingNothing, reload } from '../helpers/reload.ts';
import { eventually, fixture, launch, type Running, serve } from '../helpers/server.ts';

const LISTENS = fixture('listens.js');
const serving = (way: string, env: Readonly<Record<string, string>> = {}): Promise<Running> =>
  serve({ args: [LISTENS], env: { WAY: way, WEB_CONCURRENCY: '1', ...env } });

interface Told {
  readonly pid: number;
  readonly argv: string;
  readonly seen: readonly unknown[];
}
const told = async ({ port }: Running, path = '/'): Promise<Told> =>
  JSON.parse((await exchange(port, request('GET', path))).body);

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

describe('an app that has its server listen', () => {
  const ways: Readonly<Record<string, (server: Running) => readonly unknown[]>> = {
    plain: () => [],
    async: () => [],
    options: () => [],
    'a default import': () => [],
    late: () => [],
    awaits: () => ['awaited'],
    sees: ({ port }) => ['returned', true, null, 'listening', 'callback', true, port],
    twice: () => ['ERR_SERVER_ALREADY_LISTEN'],
    'later listeners': () => [],
    subclass: () => [],
    'replaced emit': () => ['emit'],
    again: () => ['listening', 'close', 'listening'],
    taken: () => ['EADDRINUSE'],
  };
  for (const [way, seen] of Object.entries(ways)) {
    it(`(${way}) is served, sees what it would alone, and goes on after a reload`, async () => {
      const server = await serving(way);
      const first = await told(server);
      expect(first.argv).to.equal(LISTENS);
      await eventually(
        async () => (await told(server)).seen.slice(0, seen(server).length).join() === seen(server).join(),
        `it has seen ${seen(server).join()}`,
      );
      await reload(server, 2);
      const second = await told(server);
      expect(second.pid).not.to.equal(first.pid);
      if (way === 'taken') expect(second.seen).to.deep.equal(['EADDRINUSE']);
      expect(server.err).to.equal('');
      expect((await server.stop()).code).to.equal(0);
    });
  }

  it('keeps the contract: 500, 400, 408, Server, and a request line', async () => {
    const server = await serving('async', { REQUEST_TIMEOUT: '0.5' });
    for (const path of ['/reject', '/throw'])
      expectErrorAnswer(await wholeReply(server, request('GET', path, 'Connection: close')), 500);
    expectErrorAnswer(await wholeReply(server, 'GET / HTTP/1.1\r\n\r\n'), 400);
    expectErrorAnswer(await wholeReply(server, 'garbage\r\n\r\n'), 400);
    expectErrorAnswer(await wholeReply(server, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'), 400);
    expectErrorAnswer(await wholeReply(server, request('GET', '/never')), 408);
    const { headers, status } = await exchange(server.port, request('GET', '/', 'Expect: nonsense'));
    expect([status, headers.server]).to.deep.equal([200, 'hello-server']);
    await server.says(/ - GET \/never\n/);
    expect(server.err).to.match(/^app failed: GET \/reject: boom\n/);
  });

  it('keeps its own limits where they are stricter, and ours where they are not', async () => {
    const server = await serving('limits', { REQUEST_TIMEOUT: '20' });
    const { headers, body } = await exchange(server.port, request('GET', '/'));
    expect(headers['keep-alive']).to.equal('timeout=3');
    expect(JSON.parse(body).seen).to.deep.equal([500, 3000, 20_000]);
    const raw = (await Raw.open(server.port)).send('GET / HTTP/1.1\r\n');
    expectErrorAnswer(await raw.end(4000), 408);
  });

  it('is told of what is no request, which has its answer already', async () => {
    const server = await serving('client errors');
    expectErrorAnswer(await wholeReply(server, 'garbage\r\n\r\n'), 400);
    const [code, writable] = (await told(server)).seen;
    expect(code).to.match(/^HPE_/);
    expect(writable).to.equal(false);
  });

  it('loses nothing in reloads, and in a stop finishes what is in flight', async () => {
    const server = await serve({ args: [LISTENS], env: { WAY: 'plain', ACCESS_LOG: 'false' } });
    await losingNothing(server, async () => {
      for (const generation of [2, 3]) await reload(server, generation);
    });
    const raw = (await Raw.open(server.port)).send(request('GET', '/700'));
    await eventually(
      async () => (await exchange(server.port, request('GET', '/'))).status === 200,
      'it serves',
    );
    server.signal('SIGTERM');
    const { status, headers } = await raw.answer();
    expect([status, headers.connection]).to.deep.equal([200, 'close']);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
  });

  it('listens on the port that it asks for, unless PORT says another', async () => {
    const asked = await freePort();
    const server = await serving('plain', { PORT: '', ASKED: String(asked) });
    expect(server.port).to.equal(asked);
    await reload(server, 2);
    expect((await told(server)).pid).to.be.a('number');
  });

  it('although it only exports it is served on 3000 without PORT, as it asks for none', async () => {
    const server = launch({
      args: [fixture('exports-server.js')],
      env: { PORT: '', HOST: '127.0.0.77', WEB_CONCURRENCY: '1' },
    });
    await server.serving();
    expect(server.port).to.equal(3000);
    expect((await server.stop()).code).to.equal(0);
  });

  it('may have a second server, in every worker and over a reload', async () => {
    const server = await serving('second');
    const second = async (): Promise<string> => {
      await eventually(async () => (await told(server)).seen.length === 1, 'the second server listens');
      return (await exchange(Number((await told(server)).seen[0]), request('GET', '/'))).body;
    };
    expect(await second()).to.equal('second');
    await reload(server, 2);
    expect(await second()).to.equal('second');
  });

  it('that closes it has its worker replaced first', async () => {
    const server = await serving('closes');
    const { pid } = await told(server);
    process.kill(pid, 'SIGUSR2');
    await server.says(/the app closed its server: its worker is replaced first\n/);
    await eventually(async () => (await told(server)).pid !== pid, 'another worker serves');
  });

  it('closes it in its own shutdown, which finds nothing left to wait for', async () => {
    const server = await serving('shuts down');
    const raw = (await Raw.open(server.port)).send(request('GET', '/500'));
    await told(server);
    server.signal('SIGTERM');
    expect((await raw.answer()).status).to.equal(200);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.contain('app: closed well\n');
  });

  it('although it also exports is served by its export, and told so', async () => {
    const server = await serve({ args: [fixture('listens-and-exports.js')], env: { WEB_CONCURRENCY: '1' } });
    await server.says(/has a server listen although its default export is served/);
    expect((await exchange(server.port, request('GET', '/'))).body).to.equal('export');
  });

  it('only where it is the main module, as CommonJS asks for, is served', async () => {
    const server = await serve({ args: [fixture('main-module.cjs')], env: { WEB_CONCURRENCY: '1' } });
    expect((await exchange(server.port, request('GET', '/'))).body).to.equal('main');
  });

  for (const way of ['listens', 'awaits']) {
    it(`(${way}) may export all the same: ready, close, lead and upgrade`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
      const said = join(folder, 'said');
      const server = await serve({
        args: [fixture('listens-with-exports.js')],
        env: { WAY: way, SAID: said, WEB_CONCURRENCY: '1' },
      });
      const upgrade = ['Connection: Upgrade', 'Upgrade: mine'];
      const taken = await Raw.open(server.port);
      expect(await taken.send(request('GET', '/mine', ...upgrade)).end()).to.match(
        /^HTTP\/1\.1 101 .*taken$/s,
      );
      const { body } = await exchange(server.port, request('GET', '/other', ...upgrade));
      expect(body).to.equal('answered /other');
      await eventually(() => readFileSync(said, 'utf8') === 'ready\nlead\n', 'it is ready, and leads');
      expect((await server.stop()).code).to.equal(0);
      expect(readFileSync(said, 'utf8')).to.equal('ready\nlead\nclose\n');
      rmSync(folder, { recursive: true });
    });
  }

  it('as a package is found by its package.json, with its number, its generation and its arguments', async () => {
    const server = await serve({ args: [fixture('package'), '--', '--verbose', 'x'] });
    const body = async (): Promise<string> => (await exchange(server.port, request('GET', '/'))).body;
    const seen = new Set<string>();
    const both = (): boolean => seen.size === 2;
    await eventually(async () => Boolean(seen.add(await body())) && both(), 'both workers answer');
    expect([...seen].sort()).to.deep.equal(['0 0 1 --verbose x', '1 1 1 --verbose x']);
    await reload(server, 2);
    expect(await body()).to.match(/^[01] [01] 2 --verbose x$/);
  });

  for (const way of ['https', 'http2'] as const) {
    it(`over TLS (${way}) is served, reloaded, and drained`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
      const { private: key, cert } = generate([{ name: 'commonName', value: 'localhost' }], {
        keySize: 2048,
      });
      writeFileSync(join(folder, 'key.pem'), key);
      writeFileSync(join(folder, 'cert.pem'), cert);
      const server = await serve({
        args: [fixture('listens-secure.js')],
        env: { WAY: way, TLS_FOLDER: folder, WEB_CONCURRENCY: '1' },
      });
      const get = (path: string): Promise<string> =>
        new Promise((resolve, reject) => {
          const options = { port: server.port, path, rejectUnauthorized: false, agent: false };
          https.get(options, (res) => void textOf(res).then(resolve, reject)).on('error', reject);
        });
      const old = await get('/');
      const [waiting] = await Promise.all([get('/wait'), reload(server, 2)]);
      expect(waiting).to.equal(old);
      expect(await get('/')).not.to.equal(old);
      const last = get('/wait');
      await get('/');
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(await last).to.match(/^\d+$/);
      rmSync(folder, { recursive: true });
    });
  }

  const failures: Readonly<Record<string, RegExp>> = {
    never:
      /listens\.js: expected a server that listens within 2 s, or a default export .* got none: write .*\n$/,
    ends: /listens\.js: expected a server that listens, and the app has ended, or a default export .*\n$/,
    unix: /listens\.js: expected a server that listens within 2 s, or .*\n$/,
    'no http': /listens\.js: expected a server that listens within 2 s, or .*\n$/,
    'throws in its callback': /uncaughtException: no callback\n/,
  };
  for (const [way, line] of Object.entries(failures)) {
    it(`(${way}) is a boot failure that says what was expected`, async () => {
      const server = launch({ args: [LISTENS], env: { WAY: way, BOOT_TIMEOUT: '2', WEB_CONCURRENCY: '1' } });
      expect(await server.end()).to.deep.equal({ code: 1, signal: null });
      expect(server.err).to.match(line);
      expect(server.out).to.equal('');
    });
  }

  it('on a port that is taken is a boot failure of one line', async () => {
    const other = createServer().listen(0);
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const server = launch({ args: [LISTENS], env: { WAY: 'plain', PORT: String(port) } });
    expect((await server.end()).code).to.equal(1);
    other.close();
    expect(server.err).to.equal(`Port ${port} is already in use\n`);
  });
});
