// A worker and its channel to the primary: when the primary is killed, and when the app closes the channel.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';

const get = async (server: Running, target = '/'): Promise<string> =>
  (await exchange(server.port, request('GET', target))).body;

/** Whether a process has handed on all but the CPU: it spins. */
const isRunning = (pid: number): boolean => /\) R /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

describe('an orphan', () => {
  it('that spins is ended although it has changed its title', async () => {
    const server = await serve({ args: [fixture('titled.js')], env: { SHUTDOWN_TIMEOUT: '1' } });
    expect(await get(server)).to.equal('my) app');
    const spinning = await Raw.open(server.port);
    spinning.send(request('GET', '/spin'));
    await eventually(() => server.pids().some((pid) => pid !== server.pid && isRunning(pid)), 'one spins');
    server.signal('SIGKILL');
    await server.end();
    await eventually(() => server.pids().length === 0, 'no orphan is left', 4000);
  });

  it('of Node started with a title is ended too', async () => {
    const server = await serve({
      args: [fixture('hangs.js')],
      nodeArgs: ['--title=app'],
      env: { SHUTDOWN_TIMEOUT: '1', WEB_CONCURRENCY: '1' },
    });
    const spinning = await Raw.open(server.port);
    spinning.send(request('GET', '/spin'));
    await eventually(() => server.pids().some((pid) => pid !== server.pid && isRunning(pid)), 'it spins');
    server.signal('SIGKILL');
    await server.end();
    await eventually(() => server.pids().length === 0, 'no orphan is left', 4000);
  });

  it('has the SHUTDOWN_TIMEOUT that the last reload has brought', async () => {
    const place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const file = join(place, 'app.env');
    writeFileSync(file, 'SHUTDOWN_TIMEOUT=60\n');
    const server = await serve({
      args: ['--env-file', file, fixture('hangs.js')],
      env: { WEB_CONCURRENCY: '1', SETTLE_TIME: '0' },
    });
    writeFileSync(file, 'SHUTDOWN_TIMEOUT=1\n');
    await reload(server, 2);
    await eventually(() => server.workers().length === 1, 'the new one is alone');
    const spinning = await Raw.open(server.port);
    spinning.send(request('GET', '/spin'));
    await eventually(() => server.workers().some(isRunning), 'it spins');
    server.signal('SIGKILL');
    await server.end();
    await eventually(() => server.pids().length === 0, 'no orphan is left', 4000);
    rmSync(place, { recursive: true });
  });

  it('that holds no request leaves at once, long before SHUTDOWN_TIMEOUT', async () => {
    const server = await serve({ env: { WEB_CONCURRENCY: '1', SHUTDOWN_TIMEOUT: '60' } });
    server.signal('SIGKILL');
    await server.end();
    await eventually(() => server.pids().length === 0, 'no orphan is left', 5000);
  });
});

describe('an app that closes its channel to the primary', () => {
  for (const [target, how] of [
    ['/asks', 'by process.disconnect()'],
    ['/leaves', 'by cluster.worker.disconnect()'],
  ] as const) {
    it(`${how} is replaced first, and answers what it holds`, async () => {
      const server = await serve({
        args: [fixture('disconnects.js')],
        env: { WEB_CONCURRENCY: '1', LOG_LEVEL: 'debug' },
      });
      const [first] = server.workers();
      const waiting = await Raw.open(server.port);
      waiting.send(request('GET', '/wait'));
      const asking = await Raw.open(server.port);
      asking.send(request('GET', target));
      expect(await asking.answer()).to.include({ status: 200, body: String(first) });
      expect(await waiting.answer()).to.include({ status: 200, body: String(first) });
      await server.says(/the app called process\.disconnect\(\): its worker keeps the channel .*\n/);
      await server.says(/replacing worker 0 \(pid \d+\): disconnected\n/);
      await server.says(new RegExp(`worker 0 \\(pid ${first}\\) draining: disconnected\n`));
      expect(await get(server)).to.not.equal(String(first));
      for (const connection of [waiting, asking]) connection.destroy();
      await eventually(() => !server.workers().includes(first ?? 0), 'the first has gone');
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(server.err).to.equal('');
    });
  }

  it('by force is told as that, not as a lost primary; it answers what it holds, and another takes its place', async () => {
    const server = await serve({ args: [fixture('disconnects.js')], env: { WEB_CONCURRENCY: '1' } });
    const [first] = server.workers();
    const waiting = await Raw.open(server.port);
    waiting.send(request('GET', '/wait'));
    const cutting = await Raw.open(server.port);
    cutting.send(request('GET', '/cuts'));
    await server.says(/the channel to the primary was closed in this worker: answering what is open/);
    expect(await waiting.answer()).to.include({ status: 200, body: String(first) });
    expect(await get(server)).to.not.equal(String(first));
    expect(server.err).to.not.include('the primary is gone');
  });
});

describe('an app that sends the primary whatever it likes', () => {
  it('disturbs nothing', async () => {
    const server = await serve({ args: [fixture('odd-messages.js')], env: { WEB_CONCURRENCY: '1' } });
    const workers = server.workers();
    const pid = await get(server, '/odd');
    for (let i = 0; i < 20; i++) expect(await get(server)).to.equal(pid);
    expect(server.workers()).to.deep.equal(workers);
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.err).to.equal('');
  });
});
