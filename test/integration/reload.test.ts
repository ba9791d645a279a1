import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { Releases } from '../helpers/releases.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, fixture, MAIN, serve, stays } from '../helpers/server.ts';

describe('reload', () => {
  for (const name of ['echo.js', 'upload.js']) {
    it(`lets what spans it finish on the worker that began it: ${name}`, async () => {
      const server = await serve({ args: [fixture(name)], env: { WEB_CONCURRENCY: '1' } });
      const raw = await Raw.open(server.port);
      const [old = 0] = server.workers();
      const sent = (times: number): string => 'x'.repeat(100 * times);
      raw.send(request('POST', '/', 'Content-Length: 1000')).send(sent(1));
      if (name === 'echo.js') await eventually(() => raw.received.includes(sent(1)), 'its answer has begun');
      else await exchange(server.port, request('GET', '/'));
      await reload(server, 2);
      expect(server.workers()).to.include(old).and.have.length(2);
      raw.send(sent(4));
      if (name === 'echo.js') await eventually(() => raw.received.includes(sent(4)), 'its answer goes on');
      await stays(
        () => server.workers().includes(old),
        () => `the old worker works on it\n${server.log}`,
        1000,
      );
      const { status, body } = await raw.send(sent(5)).answer();
      expect({ status, body }).to.deep.equal({ status: 200, body: name === 'echo.js' ? sent(10) : '1000' });
      raw.destroy(); // an answer that began before the reload was not told to close
      await eventually(() => !server.workers().includes(old), 'the old worker has gone');
    });
  }

  it('closes no idle connection early: it answers once more, with Connection: close', async () => {
    const server = await serve({ args: [fixture('pid.js')], env: { WEB_CONCURRENCY: '1' } });
    const [old] = server.workers();
    const idle = await Raw.open(server.port);
    await idle.send(request('GET', '/')).answer();
    await reload(server, 2);
    await stays(() => !idle.closed, 'the idle connection is open', 2500);
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
});

describe('a HUP from a terminal that has gone', () => {
  it('stops the server, which exits with 0', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    // A HUP comes to the first process of a terminal alone, which passes it on to the server here, and hears how that ends.
    writeFileSync(
      join(folder, 'run.sh'),
      `trap 'kill -HUP $server' HUP
PORT=0 WEB_CONCURRENCY=1 "${process.execPath}" "${MAIN}" </dev/tty >${folder}/log 2>&1 & server=$!
wait $server
wait $server
echo "exited $?" >>${folder}/log
`,
    );
    // script(1) gives the server a terminal, and takes it away by its own end.
    const { stdout, status } = spawnSync(
      'sh',
      [
        '-c',
        'timeout -s KILL 3 script -qfec "exec sh $0/run.sh" /dev/null; n=0; while ! grep -q exited $0/log && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done; cat $0/log',
        folder,
      ],
      { encoding: 'utf8', env: { PATH: process.env.PATH }, timeout: 15_000 },
    );
    rmSync(folder, { recursive: true });
    expect(stdout).to.match(
      /Received SIGHUP, shutting down gracefully\.\.\.\nServer closed successfully\nexited 0\n/,
    );
    expect(status).to.equal(0);
  });
});
