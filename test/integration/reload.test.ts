import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KINDS, type Kind, Meter, NOTHING_LOST, slowProxy } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { Releases } from '../helpers/releases.ts';
import { eventually, fixture, MAIN, ROOT, type Running, serve } from '../helpers/server.ts';

/** Reloads by HUP and waits until the generation serves. */
async function reload(server: Running, generation: number, ms = 100_000): Promise<void> {
  server.signal('SIGHUP');
  await server.says(new RegExp(`reloaded: generation ${generation} `), ms);
}

/** How many reloads must leave no trace in the primary. */
const RELOADS = Number(process.env.RELOADS ?? 40);

/** Runs the meter while `work` goes on, and expects that it lost nothing. */
async function losingNothing(
  server: Running,
  work: () => Promise<void>,
  kinds: readonly Kind[] = KINDS,
  delayMs = 0,
): Promise<void> {
  const proxy = delayMs > 0 ? await slowProxy(server.port, delayMs) : { port: server.port, close: () => {} };
  const meter = new Meter(proxy.port, kinds);
  await eventually(() => meter.tally.ok > 300, 'load');
  await work();
  const { ok, ...lost } = await meter.stop();
  proxy.close();
  expect(lost, `${JSON.stringify(meter.losses.slice(0, 5))}\n${server.log}`).to.deep.equal(NOTHING_LOST);
  expect(ok).to.be.greaterThan(300);
}

describe('reload', () => {
  describe('loses no request', () => {
    for (const [workers, reloads, delayMs] of [
      [2, 20, 0],
      [1, 20, 0],
      [2, 6, 25],
      [1, 6, 25],
    ] as const) {
      const distance = delayMs === 0 ? 'near' : `${delayMs} ms away`;
      it(`in ${reloads} reloads of ${workers === 1 ? 'one worker' : `${workers} workers`}, clients of every kind ${distance}`, async function () {
        this.timeout(240_000);
        const server = await serve({ env: { WEB_CONCURRENCY: String(workers), ACCESS_LOG: 'false' } });
        const work = async () => {
          for (let i = 0; i < reloads; i++) await reload(server, i + 2);
        };
        await losingNothing(server, work, KINDS, delayMs);
        expect(server.err).to.equal('');
      });
    }

    it('with an app that boots slowly', async function () {
      this.timeout(60_000);
      const server = await serve({ args: [fixture('slow-boot.js')], env: { ACCESS_LOG: 'false' } });
      const work = async () => {
        for (let i = 0; i < 4; i++) await reload(server, i + 2);
      };
      await losingNothing(
        server,
        work,
        KINDS.filter((kind) => kind.thinkMs < 1000),
      );
    });
  });

  it('lets a stream and an upload that span it finish on the worker that began them', async function () {
    this.timeout(60_000);
    for (const name of ['stream.js', 'upload.js']) {
      const server = await serve({ args: [fixture(name)], env: { WEB_CONCURRENCY: '1' } });
      const raw = await Raw.open(server.port);
      const [old] = server.workers();
      if (name === 'stream.js') raw.send(request('GET', '/?lines=200'));
      else raw.send(request('POST', '/', 'Content-Length: 2000'));
      const sending = setInterval(() => name === 'upload.js' && raw.send('x'.repeat(100)), 300);
      await reload(server, 2);
      expect(server.workers()).to.include(old).and.have.length(2);
      const answer = await raw.answer(30_000);
      clearInterval(sending);
      raw.destroy(); // its answer began before the reload, so it was not told to close
      expect(answer.status).to.equal(200);
      expect(answer.body).to.match(name === 'stream.js' ? /line 200\ndone\n$/ : /^2000$/);
      await eventually(() => !server.workers().includes(old ?? 0), 'the old worker has gone');
      await server.stop();
    }
  });

  it('closes no idle connection early: it answers once more, with Connection: close', async () => {
    const server = await serve({ args: [fixture('pid.js')], env: { WEB_CONCURRENCY: '1' } });
    const [old] = server.workers();
    const idle = await Raw.open(server.port);
    await idle.send(request('GET', '/')).answer();
    await reload(server, 2);
    await server.says(/reloaded/);
    const started = Date.now();
    await eventually(() => Date.now() - started > 2500, 'some time has passed');
    expect(idle.closed).to.equal(false);
    const answer = await idle.send(request('GET', '/')).answer();
    expect(answer.body).to.equal(String(old));
    expect(answer.headers).to.include({ connection: 'close' });
    await idle.end();
    await eventually(() => !server.workers().includes(old ?? 0), 'the old worker has gone');
  });

  it('cuts what is open after DRAIN_TIMEOUT, and says how many', async () => {
    const server = await serve({
      args: [fixture('wait.js')],
      env: { WEB_CONCURRENCY: '1', DRAIN_TIMEOUT: '1' },
    });
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/?ms=60000'));
    const [old] = server.workers();
    await exchange(server.port, request('GET', '/'));
    await reload(server, 2);
    await server.says(/cut 1 unfinished connection after 1\.0 s of grace\n/);
    await eventually(() => !server.workers().includes(old ?? 0), 'the old worker has gone');
  });

  it('reads code anew, through a link that points elsewhere now', async () => {
    const releases = new Releases();
    releases.deploy('pid.js');
    const server = await serve({ args: [releases.app] });
    releases.deploy('slow-boot.js');
    await reload(server, 2);
    releases.deploy('wait.js');
    await reload(server, 3);
    expect((await exchange(server.port, request('GET', '/'))).body).to.equal('waited 0');
    releases.remove();
  });

  describe('is abandoned, and the old generation goes on with its pids,', () => {
    const variants: [name: string, reason: RegExp][] = [
      ['broken/syntax.js', /app\.mjs:\d+: does not parse: Unexpected end of input/],
      ['broken/throws.js', /app\.mjs: thrown at import/],
      ['broken/rejects.js', /app\.mjs: ready failed: no database/],
      ['broken/never-ready.js', /worker 0 was not ready within 2 s/],
      ['broken/exits.js', /worker 0 exited with code 3 before it was ready/],
      ['broken/exits-after-ready.js', /worker 0 of generation 2 crashed right after it was ready: code 4/],
      ['broken/no-function.js', /app\.mjs: expected a default export/],
    ];
    for (const [name, reason] of variants) {
      for (const workers of [1, 2]) {
        it(`when the new code is ${name}, ${workers} worker${workers === 1 ? '' : 's'}`, async () => {
          const releases = new Releases();
          releases.deploy('pid.js');
          const server = await serve({
            args: [releases.app],
            env: { WEB_CONCURRENCY: String(workers), BOOT_TIMEOUT: '2' },
          });
          const before = server.workers();
          const idle = await Raw.open(server.port);
          const { body: mine } = await idle.send(request('GET', '/')).answer();
          releases.deploy(name);
          const work = async () => {
            server.signal('SIGHUP');
            const [line] = await server.says(/reload abandoned, the old generation goes on: .*\n/);
            expect(line).to.match(reason);
            await eventually(
              () => String(server.workers()) === String(before),
              `only the old workers are left\n${server.log}`,
            );
          };
          const kinds = KINDS.filter((kind) => kind.thinkMs < 1000);
          // What a worker that exits was just answering is lost with it; nothing else is.
          if (name === 'broken/exits-after-ready.js') await work();
          else await losingNothing(server, work, kinds);
          expect((await idle.send(request('GET', '/')).answer()).body).to.equal(mine);
          releases.deploy('slow-boot.js');
          await reload(server, 3);
          expect(before).to.not.include(Number((await exchange(server.port, request('GET', '/'))).body));
          expect((server.err.match(/abandoned/g) ?? []).length).to.equal(1);
          releases.remove();
        });
      }
    }

    it('when there is a newer hello-server under the running primary', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
      cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
      const server = await serve({ main: join(folder, 'dist', 'main.js') });
      const before = server.workers();
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: '9.9.9' }));
      server.signal('SIGHUP');
      await server.says(/reload abandoned, .*: upgraded from \S+ to 9\.9\.9: restart to use it\n/);
      await eventually(() => String(server.workers()) === String(before), 'only the old workers are left');
      rmSync(folder, { recursive: true });
    });
  });

  it('comes once more after those asked for meanwhile', async () => {
    const server = await serve({ args: [fixture('slow-boot.js')], env: { WEB_CONCURRENCY: '1' } });
    for (let i = 0; i < 30; i++) server.signal('SIGHUP');
    await server.says(/reloaded: generation 2 /);
    for (let i = 0; i < 30; i++) server.signal('SIGHUP');
    await server.says(/reloaded: generation 3 /);
    await eventually(() => server.workers().length === 1, 'one worker is left');
    expect(server.out.match(/reloading: /g)?.length).to.be.oneOf([2, 3]);
  });

  it('gives way to a stop', async () => {
    const server = await serve({ args: [fixture('slow-boot.js')] });
    server.signal('SIGHUP');
    await server.says(/reloading/);
    await eventually(() => server.workers().length === 3, 'a new worker boots');
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.match(/Server closed successfully\n$/);
    expect(server.err).to.equal('');
  });

  it(`keeps what the primary holds: the same descriptors and about the same heap after ${RELOADS} reloads`, async function () {
    this.timeout((60 + 3 * RELOADS) * 1000);
    const script = join(mkdtempSync(join(tmpdir(), 'hello-server-')), 'heap.mjs');
    // A primary that says, on USR2, how many descriptors it has and how much heap after a collection.
    writeFileSync(
      script,
      `import { readdirSync } from 'node:fs';
       process.on('SIGUSR2', () => { gc(); console.error('holds ' + readdirSync('/proc/self/fd').length + ' ' + process.memoryUsage().heapUsed); });
       await import(${JSON.stringify(MAIN)});`,
    );
    mkdirSync(join(script, '..', 'node_modules'));
    const server = await serve({
      main: script,
      nodeArgs: ['--expose-gc'],
      env: { LOG_LEVEL: 'info', ACCESS_LOG: 'false', WEB_CONCURRENCY: '1' },
    });
    const meter = new Meter(server.port, [
      { name: 'fresh', clients: 2, thinkMs: 10, fresh: true, bodyBytes: 0 },
    ]);
    const holds = async (): Promise<[number, number]> => {
      await eventually(() => server.workers().length === 1, 'the old worker has gone');
      const seen = server.err.length;
      server.signal('SIGUSR2');
      await eventually(() => /holds \d+ \d+\n/.test(server.err.slice(seen)), 'it says what it holds');
      const [, fds, heap] = /holds (\d+) (\d+)\n/.exec(server.err.slice(seen)) ?? [];
      return [Number(fds), Number(heap)];
    };
    /** What it holds when the pipes of a worker that has just gone are closed: twice the same descriptors. */
    const settled = async (): Promise<[number, number]> => {
      let last = await holds();
      await eventually(async () => {
        const [before] = last;
        last = await holds();
        return last[0] === before;
      }, 'its descriptors stay the same');
      return last;
    };
    for (let i = 0; i < 10; i++) await reload(server, i + 2);
    const [fdsBefore, heapBefore] = await settled();
    for (let i = 10; i < 10 + RELOADS; i++) await reload(server, i + 2);
    const [fdsAfter, heapAfter] = await settled();
    await meter.stop();
    expect(fdsAfter).to.equal(fdsBefore);
    expect(heapAfter / heapBefore).to.be.lessThan(1.15);
    rmSync(join(script, '..'), { recursive: true });
  });
});

describe('a HUP from a terminal that has gone', () => {
  it('stops the server', () => {
    // script(1) gives the server a terminal, and takes it away by its own end.
    const { stdout, status } = spawnSync(
      'sh',
      [
        '-c',
        'PORT=0 WEB_CONCURRENCY=1 timeout -s KILL 3 script -qfec "exec $0 $1 >$2/log 2>&1" /dev/null; n=0; while ! grep -q closed $2/log && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done; cat $2/log',
        process.execPath,
        MAIN,
        mkdtempSync(join(tmpdir(), 'hello-server-')),
      ],
      { encoding: 'utf8', env: { PATH: process.env.PATH }, timeout: 15_000 },
    );
    expect(stdout).to.match(/Received SIGHUP, shutting down gracefully\.\.\.\nServer closed successfully\n/);
    expect(status).to.equal(0);
  });
});
