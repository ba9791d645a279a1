// Frameworks from npm, unmodified: each is served as it is, reloads without a loss, and stops in order.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { block, exchanges } from '../helpers/manual.ts';
import { KINDS } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { losingNothing, reload } from '../helpers/reload.ts';
import { eventually, eventuallyReceived, ROOT, type Running, serve } from '../helpers/server.ts';

const APPS = join(ROOT, 'test', 'apps');
const require = createRequire(join(APPS, 'package.json'));
/** The clients of the promise that ask for a page. */
const CLIENTS = KINDS.filter(({ bodyBytes }) => bodyBytes === 0);
const BODY = 'x'.repeat(1_000_000);

/** A framework's app: its file, and where it differs from the others. */
interface App {
  readonly file: string;
  readonly wait?: string;
  readonly boom?: string;
  /** Whether it takes uploads and streams. */
  readonly plain?: boolean;
}
const FRAMEWORKS: Readonly<Record<string, App>> = {
  'Express 5': { file: 'express.mjs' },
  'Koa 3': { file: 'koa.mjs' },
  'Fastify 5': { file: 'fastify.mjs' },
  'Hono 4': { file: 'hono.mjs' },
  'Nest 11': { file: 'nest.cjs' },
  'Next 16': {
    file: 'next/.next/standalone/next/server.js',
    wait: '/api/wait',
    boom: '/api/boom',
    plain: false,
  },
};

/** The module of a Nest application, as the compiler makes it: its one controller answers with tea. */
const APP_MODULE = `import { Controller, Get, Module } from '@nestjs/common';
class AppController {
  tea() {
    return 'Tea\\n';
  }
}
Get('/')(AppController.prototype, 'tea', Object.getOwnPropertyDescriptor(AppController.prototype, 'tea'));
Controller()(AppController);
export class AppModule {}
Module({ controllers: [AppController] })(AppModule);
`;

describe('an app that is started as it is', function () {
  this.timeout(120_000);
  let releases: string;
  beforeEach(() => {
    releases = mkdtempSync(join(APPS, '.releases-'));
  });
  afterEach(() => rmSync(releases, { recursive: true }));

  /** Points the link `current` at a release with this entry, which modules are resolved for from there. */
  const deploy = (write: (folder: string) => void): void => {
    const folder = join(releases, String(readdirSync(releases).length));
    mkdirSync(folder);
    write(folder);
    symlinkSync(folder, join(releases, 'next'));
    renameSync(join(releases, 'next'), join(releases, 'current'));
  };
  const get = async ({ port }: Running, path: string) => exchange(port, request('GET', path));

  for (const [name, { file, wait = '/wait', boom = '/boom', plain = true }] of Object.entries(FRAMEWORKS)) {
    describe(name, () => {
      const started = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
        serve({ cwd: APPS, args: [file], env: { ACCESS_LOG: 'false', ...env } });

      it('answers, fails and streams as it does alone', async () => {
        const server = await started();
        const { status, body } = await get(server, '/');
        expect(status).to.equal(200);
        expect(body).to.match(/Hello \d+/);
        expect((await get(server, boom)).status).to.equal(500);
        expect((await get(server, wait)).body).to.equal('waited');
        expect((await get(server, '/no/such/page')).status).to.equal(plain && name === 'Koa 3' ? 200 : 404);
        if (!plain) return;
        const upload = request('POST', '/echo', 'Content-Type: text/plain', `Content-Length: ${BODY.length}`);
        expect((await exchange(server.port, `${upload}${BODY}`)).body).to.equal('1000000');
        expect((await get(server, '/stream')).body).to.equal('0 1 end');
      });

      it('loses nothing in three reloads', async () => {
        const server = await started();
        await losingNothing(
          server,
          async () => {
            for (const generation of [2, 3, 4]) await reload(server, generation);
          },
          CLIENTS,
        );
      });

      it('goes on when its new release is broken, and when a worker is killed', async () => {
        deploy((folder) => symlinkSync(join(APPS, file), join(folder, 'app.mjs')));
        const server = await serve({
          args: [join(releases, 'current', 'app.mjs')],
          env: { ACCESS_LOG: 'false' },
        });
        // An app may set its process's title, as Next does: only it can tell its pid.
        const worker = async (): Promise<number> =>
          Number(/Hello (\d+)/.exec((await get(server, '/')).body)?.[1]);
        const old = await worker();
        deploy((folder) => writeFileSync(join(folder, 'app.mjs'), "throw new Error('broken');\n"));
        server.signal('SIGHUP');
        await server.says(/reload abandoned, the old generation goes on: .*broken\n/);
        await eventually(async () => (await worker()) === old, 'the old worker goes on');
        deploy((folder) => symlinkSync(join(APPS, file), join(folder, 'app.mjs')));
        expect(old).to.be.greaterThan(1);
        process.kill(old, 'SIGKILL');
        await server.says(/crashed: SIGKILL/);
        await eventually(
          async () => ![old, undefined].includes(await worker().catch(() => undefined)),
          'a new worker',
        );
      });

      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        it(`finishes what is in flight when ${signal} goes to all of it`, async () => {
          const server = await serve({
            cwd: APPS,
            args: [file],
            env: { WEB_CONCURRENCY: '1' },
            detached: true,
          });
          const raw = (await Raw.open(server.port)).send(request('GET', wait));
          await eventuallyReceived(server, raw);
          process.kill(-server.pid, signal);
          expect(await raw.answer()).to.include({ status: 200, body: 'waited' });
          expect(await server.end()).to.deep.equal({ code: 0, signal: null });
        });
      }
    });
  }

  it('on a fetch function is served by its export, too', async () => {
    deploy((folder) =>
      writeFileSync(
        join(folder, 'app.mjs'),
        'export default { fetch: (req) => new Response(new URL(req.url).pathname) };\n',
      ),
    );
    const server = await serve({ args: [join(releases, 'current', 'app.mjs')] });
    expect((await get(server, '/a/b')).body).to.equal('/a/b');
    await reload(server, 2);
  });

  for (const [what, text] of Object.entries({
    'a Koa app':
      "import Koa from 'koa';\nconst app = new Koa();\napp.use((ctx) => { ctx.body = 'served'; });\nexport default app;\n",
    'a Fastify instance':
      "import Fastify from 'fastify';\nconst app = Fastify();\napp.get('/', async () => 'served');\nexport default app;\n",
    'a promise of an http.Server':
      "import { createServer } from 'node:http';\nexport default Promise.resolve(createServer((_req, res) => res.end('served')));\n",
    'a Hono app':
      "import { Hono } from 'hono';\nconst app = new Hono();\napp.get('/', (c) => c.text('served'));\nexport default app;\n",
  })) {
    it(`that exports ${what} is served, and reloads without a loss`, async () => {
      deploy((folder) => writeFileSync(join(folder, 'app.mjs'), text));
      const server = await serve({
        args: [join(releases, 'current', 'app.mjs')],
        env: { ACCESS_LOG: 'false' },
      });
      expect((await get(server, '/')).body).to.equal('served');
      await losingNothing(server, () => reload(server, 2), CLIENTS);
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }

  for (const [how, words] of Object.entries({
    'close-with-grace': 'app: closed on SIGTERM\n',
    terminus: 'app: closed on a signal\n',
    stoppable: 'app: closed\n',
    'http-graceful-shutdown': 'app: closed\n',
  })) {
    it(`that shuts down by ${how} does so once, after what is in flight`, async () => {
      const server = await serve({
        cwd: APPS,
        args: ['shuts-down.mjs'],
        env: { HOW: how, WEB_CONCURRENCY: '1' },
        detached: true,
      });
      await losingNothing(server, () => reload(server, 2), CLIENTS);
      const raw = (await Raw.open(server.port)).send(request('GET', '/wait'));
      await eventuallyReceived(server, raw);
      await eventually(() => server.out.split('app: ').length === 2, 'the replaced worker has shut down');
      process.kill(-server.pid, 'SIGTERM');
      expect(await raw.answer()).to.include({ status: 200, body: 'waited' });
      expect(await server.end()).to.deep.equal({ code: 0, signal: null });
      expect(server.out.split(words)).to.have.length(3);
    });
  }

  it('in TypeScript is served by tsx, and reloads without a loss', async () => {
    const server = await serve({
      cwd: APPS,
      args: ['typed.ts'],
      env: { NODE_OPTIONS: `--import ${pathToFileURL(require.resolve('tsx'))}`, ACCESS_LOG: 'false' },
    });
    expect((await get(server, '/')).body).to.match(/^Hello \d+$/);
    await losingNothing(server, () => reload(server, 2), CLIENTS);
  });

  it('under OpenTelemetry’s SDK has every span delivered, over a reload and a stop', async () => {
    const server = await serve({
      cwd: APPS,
      args: ['express.mjs'],
      env: { NODE_OPTIONS: '--import ./tracing.mjs', WEB_CONCURRENCY: '1' },
    });
    for (const path of ['/a', '/b']) await get(server, path);
    await reload(server, 2);
    for (const path of ['/c', '/d']) await get(server, path);
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    const spans = [...server.out.matchAll(/^span (\/\w)$/gm)].map(([, path]) => path);
    expect(spans.sort()).to.deep.equal(['/a', '/b', '/c', '/d']);
  });

  it('with ws keeps its sockets in a reload, and tells them to come back, each in its time', async () => {
    const { WebSocket } = require('ws');
    const server = await serve({
      cwd: APPS,
      args: ['ws.mjs'],
      env: { WEB_CONCURRENCY: '1', DRAIN_TIMEOUT: '4' },
    });
    const sockets = Array.from({ length: 20 }, () => new WebSocket(`ws://127.0.0.1:${server.port}`));
    const heard = (
      socket: { once: (event: string, listener: (data: unknown) => void) => void },
      event: string,
    ) => new Promise<unknown>((resolve) => socket.once(event, resolve));
    await Promise.all(sockets.map((socket) => heard(socket, 'open')));
    const [old = 0] = server.workers();
    sockets[0].send('a');
    expect(String(await heard(sockets[0], 'message'))).to.equal(`${old} a`);
    const closes = sockets.map((socket) =>
      heard(socket, 'close').then((code) => [code, performance.now()] as const),
    );
    await reload(server, 2);
    const began = performance.now();
    const ended = await Promise.all(closes);
    expect(new Set(ended.map(([code]) => code))).to.deep.equal(new Set([1001]));
    const times = ended.map(([, at]) => at - began).sort((a, b) => a - b);
    const histogram = Array.from(
      { length: 10 },
      (_, i) => times.filter((at) => Math.floor(at / 200) === i).length,
    );
    console.log(`      told to come back, by fifths of a second: ${histogram.join(' ')}`);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).to.be.greaterThan(600);
    const again = new WebSocket(`ws://127.0.0.1:${server.port}`);
    await heard(again, 'open');
    again.send('b');
    expect(String(await heard(again, 'message'))).not.to.equal(`${old} b`);
    again.close();
    await heard(again, 'close');
  });

  it('with socket.io comes back by itself after a reload', async () => {
    const { io } = require('socket.io-client');
    const server = await serve({
      cwd: APPS,
      args: ['socket-io.mjs'],
      env: { WEB_CONCURRENCY: '1', DRAIN_TIMEOUT: '3' },
    });
    const socket = io(`http://127.0.0.1:${server.port}`, {
      transports: ['websocket'],
      reconnectionDelay: 50,
    });
    const ask = (): Promise<string> => socket.timeout(5000).emitWithAck('message', 'a');
    const [old = 0] = server.workers();
    expect(await ask()).to.equal(`${old} a`);
    await reload(server, 2);
    await eventually(
      async () => (await ask().catch(() => `${old} a`)) !== `${old} a`,
      'it is with the new worker',
      15_000,
    );
    socket.close();
  });

  it('by Next’s own command is served, with its arguments, as docs/app.md has it', async () => {
    const app = join(releases, 'app');
    for (const name of ['pages', 'next.config.mjs', 'package.json', '.next'])
      cpSync(join(APPS, 'next', name), join(app, name), { recursive: true });
    symlinkSync(join(APPS, 'node_modules'), join(app, 'node_modules'));
    const [{ command = '' } = {}] = exchanges(block('docs/app.md#next:2'));
    const [npx, name, ...args] = command.split(' ');
    expect([npx, name]).to.deep.equal(['npx', 'hello-server']);
    const server = await serve({
      cwd: app,
      args,
      env: { WEB_CONCURRENCY: '1', NEXT_TELEMETRY_DISABLED: '1' },
    });
    expect((await get(server, '/api/wait')).body).to.equal('waited');
  });

  for (const [name, text, beside] of [
    ['Fastify', block('docs/app.md#fastify')],
    ['Koa', block('docs/app.md#koa')],
    ['Hono', block('docs/app.md#hono')],
    ['Nest', block('docs/app.md#nest'), APP_MODULE],
    ['ws', block('docs/app.md#websockets')],
  ] as const)
    it(`by the lines of docs/app.md for ${name} is served, and reloads without a loss`, async () => {
      deploy((folder) => {
        writeFileSync(join(folder, 'app.mjs'), text);
        if (beside !== undefined) writeFileSync(join(folder, 'app.module.js'), beside);
      });
      const server = await serve({
        args: [join(releases, 'current', 'app.mjs')],
        env: { ACCESS_LOG: 'false' },
      });
      expect((await get(server, '/')).body).to.equal('Tea\n');
      if (name === 'ws') {
        const { WebSocket } = require('ws');
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}`);
        socket.once('open', () => socket.send('tea'));
        const message = await new Promise((resolve) => socket.once('message', resolve));
        expect(String(message)).to.equal('You said tea');
        socket.close();
      }
      await losingNothing(server, () => reload(server, 2), CLIENTS);
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });
});
