// Workers that are warm before they take traffic: the app's own warm-up, and what Node has compiled.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { statusAt, seen as withAdmin } from '../helpers/seen.ts';
import { eventually, fixture, launch, type Options, type Running, stays } from '../helpers/server.ts';

describe('an app’s warm-up', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const said = (): string => {
    const file = join(folder, 'said');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const of = (app: string, way: string, env: Readonly<Record<string, string>> = {}): Options => ({
    args: [fixture(app)],
    env: {
      WAY: way,
      SAID: join(folder, 'said'),
      GO: join(folder, 'go'),
      WEB_CONCURRENCY: '1',
      LOG_LEVEL: 'debug',
      ...env,
    },
  });
  /** Stops the server; then all is there that its workers have said of their warm-ups. */
  async function linesOf(server: Running): Promise<string[]> {
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.err).to.equal('');
    return server.out.match(/^warm-up .*$/gm) ?? [];
  }

  it('asks a list of targets in order, after ready, in each generation; it is not logged and not counted', async () => {
    const { server, admin } = await withAdmin(of('warms-up.js', 'list'));
    const warmed = 'ready\nGET /a localhost\nGET /b?c=d localhost\n';
    await eventually(() => said() === `${warmed}lead\n`, 'it is warm, and leads');
    await reload(server, 2);
    await eventually(() => said() === `${warmed}lead\n`.repeat(2), 'the next one, too');
    expect((await statusAt(admin)).totals).to.include({ requests: 0, failed: 0, accepted: 0, left: 0 });
    await exchange(server.port, request('GET', '/real'));
    await eventually(async () => {
      const { requests, accepted } = (await statusAt(admin)).totals;
      return requests === 1 && accepted === 1;
    }, 'a real request is counted');
    await server.says(/ - GET \/real\n/);
    expect(server.out.match(/ - GET /g)).to.have.length(1);
    expect(await linesOf(server)).to.deep.equal([]);
  });

  it('may be a function, which asks as it likes', async () => {
    const server = await launch(of('warms-up.js', 'asks')).serving();
    expect(said()).to.match(/^ready\nPOST \/post localhost\nanswer 200 got tea\n/);
    expect(await linesOf(server)).to.deep.equal([]);
  });

  it('is over before the worker takes traffic: nothing listens meanwhile', async () => {
    const server = launch(of('warms-up.js', 'until told'));
    await eventually(() => said() === 'ready\nwarming\n', 'the warm-up is under way');
    await stays(() => !server.out.includes('listening'), 'it does not listen', 300);
    writeFileSync(join(folder, 'go'), '');
    await server.serving();
    rmSync(join(folder, 'go'));
    server.signal('SIGHUP');
    await eventually(
      () => said().endsWith('ready\nwarming\n') && said().includes('lead'),
      'the next warms up',
    );
    await stays(
      async () => (await exchange(server.port, request('GET', '/'))).status === 200,
      'the old serves',
      300,
    );
    expect(server.out).not.to.match(/reloaded/);
    writeFileSync(join(folder, 'go'), '');
    await server.says(/reloaded: generation 2 /);
  });

  it('that fails costs a debug line for each target, and nothing else', async () => {
    const { server, admin } = await withAdmin(of('warms-up.js', 'failing'));
    const { requests, failed, answers } = (await statusAt(admin)).totals;
    expect([requests, failed, answers['5xx']]).to.deep.equal([0, 0, 0]);
    expect(said()).to.match(/GET \/well localhost\n/);
    expect(await linesOf(server)).to.deep.equal([
      'warm-up failed: GET /throw: boom',
      'warm-up failed: GET /missing: 404',
    ]);
  });

  it('that throws is one debug line, and the worker serves', async () => {
    const server = await launch(of('warms-up.js', 'throws')).serving();
    expect((await exchange(server.port, request('GET', '/'))).body).to.equal('got ');
    expect(await linesOf(server)).to.deep.equal(['warm-up failed: no warmth']);
  });

  it('that takes too long is cut within BOOT_TIMEOUT, and the worker serves', async () => {
    const server = await launch(of('warms-up.js', 'slow', { BOOT_TIMEOUT: '3' })).serving();
    await eventually(() => said().includes('cut: '), 'its request has ended');
    expect(server.out).to.match(/^worker 0 \(pid \d+\) ready after 2\.\d s$/m);
    expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    const [line, ...more] = await linesOf(server);
    expect(line).to.match(/^warm-up cut after [12]\.\d s$/);
    expect(more).to.deep.equal([]);
  });

  const wrong: Readonly<Record<string, string>> = {
    'a number': 'a number',
    'a path': '`/a`',
    'a relative target': '`b` in it',
    'an odd target': 'a number in it',
  };
  for (const [way, got] of Object.entries(wrong)) {
    it(`(${way}) is no warm-up: a boot failure in one line`, async () => {
      const server = launch(of('warms-up.js', way));
      expect((await server.end()).code).to.equal(1);
      expect(server.err).to.equal(
        `${fixture('warms-up.js')}: expected the export warmup to be an array of targets that begin with /, ` +
          `or a function, got ${got}\n`,
      );
      expect(said()).to.equal('');
    });
  }

  it('of an app that has its server listen comes before that, and past its listeners to connections', async () => {
    const { server, admin } = await withAdmin(of('listens-and-warms-up.js', 'listens'));
    await eventually(() => said() === 'ready\nGET /a\nGET /throw\nlistening\n', 'what it has seen');
    await exchange(server.port, request('GET', '/real'));
    expect(said()).to.match(/listening\nconnection\nGET \/real\n$/);
    await eventually(async () => (await statusAt(admin)).totals.requests === 1, 'a real request is counted');
    expect((await statusAt(admin)).totals).to.include({ requests: 1, failed: 0, accepted: 1 });
    expect(await linesOf(server)).to.deep.equal(['warm-up failed: GET /throw: boom']);
    expect(server.out.match(/ - GET /g)).to.have.length(1);
  });

  it('of an app that waits for its server to listen is left out, and that is said', async () => {
    const server = await launch(of('listens-and-warms-up.js', 'awaits')).serving();
    expect(said()).to.equal('listening\nready\n');
    expect(await linesOf(server)).to.deep.equal([
      'warm-up skipped: the server was to listen before the app had said what it exports',
    ]);
  });

  it('of an Express app comes from this machine, by HTTP, and says who asks', async () => {
    await launch(of('warms-up-express.cjs', '')).serving();
    expect(said()).to.equal('127.0.0.1 http localhost hello-server\n');
  });
});

describe('NODE_COMPILE_CACHE', () => {
  it('is written as soon as a worker serves, where Node can do that', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const files = (): string[] =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
        (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true,
      );
    const server = await launch({
      args: [fixture('express-app.js')],
      env: { NODE_COMPILE_CACHE: folder },
    }).serving();
    if ('flushCompileCache' in module) await eventually(() => files().length > 20, 'what the app is made of');
    else await stays(() => files().length === 0, 'nothing is written', 300);
    expect(server.err).to.equal('');
    expect((await server.stop()).code).to.equal(0);
    rmSync(folder, { recursive: true });
  });
});
