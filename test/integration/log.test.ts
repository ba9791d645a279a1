import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { FORGED, NASTY } from '../helpers/requests.ts';
import { eventually, launch, MAIN, type Running, serve } from '../helpers/server.ts';

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - GET \/\S*$/;
const LONG = `/${'x'.repeat(3000)}`;

/** Sends `count` requests for `target` over a few connections, and waits for all the answers. */
async function ask(port: number, count: number, target: string): Promise<void> {
  const connections = await Promise.all(Array.from({ length: 8 }, () => Raw.open(port)));
  await Promise.all(
    connections.map(async (raw) => {
      for (let i = 0; i < count / 8; i++)
        expect((await raw.send(request('GET', target)).answer()).status).to.equal(200);
      raw.destroy();
    }),
  );
}

/** A server whose stdout is a FIFO that nobody reads until `resume`. */
async function stalled(
  format: 'text' | 'json',
): Promise<{ server: Running; port: number; resume: () => Reader; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  const path = join(folder, 'log');
  execFileSync('mkfifo', [path]);
  const held = openSync(path, 'r+');
  const stdout = openSync(path, 'w');
  const server = launch({ stdout, env: { LOG_FORMAT: format } });
  closeSync(stdout);
  const port = await portOf(server);
  const resume = (): Reader => {
    // The FIFO is never without a reader: that would be one who has gone, not one who stalls.
    const reader = new Reader(openSync(path, 'r'));
    closeSync(held);
    return reader;
  };
  return { server, port, resume, folder };
}

class Reader {
  text = '';
  constructor(fd: number) {
    const child = spawn('cat', { stdio: [fd, 'pipe', 'inherit'] });
    closeSync(fd);
    child.stdout?.on('data', (chunk) => {
      this.text += chunk;
    });
  }
}

/** The port a server listens on, where its log cannot be read. */
async function portOf(server: Running): Promise<number> {
  let port = 0;
  await eventually(() => {
    const [worker] = server.workers();
    if (worker === undefined) return false;
    const inodes = execFileSync('sh', ['-c', `ls -l /proc/${worker}/fd 2>/dev/null || true`], {
      encoding: 'utf8',
    });
    for (const file of ['tcp', 'tcp6']) {
      for (const row of readFileSync(`/proc/net/${file}`, 'utf8').split('\n')) {
        const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
        if (state === '0A' && local && inodes.includes(`socket:[${inode}]`))
          port = Number.parseInt(local.split(':')[1] ?? '', 16);
      }
    }
    return port > 0;
  }, 'a worker listens');
  return port;
}

describe('the log', () => {
  it('has a line for each request, soon after it', async () => {
    const server = await serve();
    await ask(server.port, 8, '/a?b=c');
    await eventually(() => server.out.match(/ - GET \/a\?b=c\n/g)?.length === 8, 'eight lines', 1000);
  });

  for (const format of ['text', 'json']) {
    it(`cannot be forged or broken by a client, as ${format}`, async () => {
      const server = await serve({ env: { LOG_FORMAT: format } });
      for (const bytes of NASTY) await exchange(server.port, bytes);
      await exchange(server.port, request('GET', '/last'));
      const lines = (): string[] => server.out.split('\n').slice(2, -1);
      await eventually(() => lines().length > NASTY.length, `${NASTY.length + 1} request lines`);
      expect(lines()).to.have.length(NASTY.length + 1);
      for (const line of lines()) {
        if (format === 'json') expect(JSON.parse(line)).to.include({ level: 'info', msg: 'request' });
        else expect(line).to.match(/^[\d-]{10}T[\d:.]{12}Z - ([A-Z]+ [\x21-\x7e]+|- -)$/);
        expect(line)
          .to.not.match(/\p{Cc}/u)
          .and.to.not.equal(FORGED);
      }
      expect(server.err).to.equal('');
    });
  }

  it('has no request lines with ACCESS_LOG=false, and none above info', async () => {
    for (const [env, lines] of [
      [{ ACCESS_LOG: 'false' }, 4],
      [{ LOG_LEVEL: 'warn' }, 0],
      [{ LOG_LEVEL: 'silent' }, 0],
    ] as const) {
      const server = launch({ env });
      await ask(await portOf(server), 8, '/');
      await server.stop();
      expect(server.out.split('\n').length - 1, server.log).to.equal(lines);
    }
  });

  it('is whole lines only when several workers write much of it, into a pipe and a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const file = join(folder, 'log');
    const stdout = openSync(file, 'w');
    for (const target of ['pipe', stdout] as const) {
      const server = launch({ stdout: target, env: { WEB_CONCURRENCY: '4' } });
      const port = await portOf(server);
      await ask(port, 4000, '/some/path');
      await server.stop();
      const text = target === 'pipe' ? server.out : readFileSync(file, 'utf8');
      const lines = text
        .trimEnd()
        .split('\n')
        .filter((line) => !/^(Server|Visit|Received)/.test(line));
      for (const line of lines) expect(line).to.match(LINE);
      expect(lines).to.have.length(4000);
    }
    rmSync(folder, { recursive: true });
  });

  it('goes to a Unix socket, as under a process manager', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const listener = createServer().listen(join(folder, 'socket'));
    const client = connect(join(folder, 'socket'));
    const [peer] = (await once(listener, 'connection')) as [Socket];
    let text = '';
    peer.on('data', (chunk) => {
      text += chunk;
    });
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, PORT: '0', WEB_CONCURRENCY: '1' },
      stdio: ['ignore', client, 'inherit'],
    });
    await eventually(() => text.includes('Visit'), 'it serves');
    await ask(Number(/port (\d+)/.exec(text)?.[1]), 800, LONG);
    child.kill('SIGTERM');
    await once(child, 'exit');
    client.destroy();
    await once(peer, 'close');
    listener.close();
    rmSync(folder, { recursive: true });
    const lines = text.split('\n').filter((line) => line.includes('GET'));
    for (const line of lines) expect(line).to.match(LINE);
    expect(lines).to.have.length(800);
    expect(text).to.match(/Server closed successfully\n$/);
  });

  it('goes to a terminal', async () => {
    const child = spawn('script', ['-qfec', `"${process.execPath}" "${MAIN}"`, '/dev/null'], {
      env: { PATH: process.env.PATH, PORT: '0', WEB_CONCURRENCY: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await eventually(() => text.includes('Visit'), 'it serves');
    await ask(Number(/port (\d+)/.exec(text)?.[1]), 8, '/');
    child.stdin.write('\u0003');
    await once(child, 'close');
    expect(text.match(/ - GET \/\r\n/g)).to.have.length(8);
    expect(text).to.include('Received SIGINT, shutting down gracefully...\r\n');
    expect(text).to.match(/Server closed successfully\r\n$/);
  });

  for (const format of ['text', 'json'] as const) {
    it(`slows nothing when its reader stalls, and says afterwards how many ${format} lines were dropped`, async () => {
      const { server, port, resume, folder } = await stalled(format);
      const total = 1600;
      await ask(port, total, LONG);
      const reader = resume();
      await eventually(() => /dropped \d+ log lines/.test(reader.text), 'the number dropped is said');
      await server.stop();
      const dropped = [...reader.text.matchAll(/dropped (\d+) log lines/g)].reduce(
        (sum, match) => sum + Number(match[1]),
        0,
      );
      const logged = reader.text.split('\n').filter((line) => line.includes(LONG));
      for (const line of logged) if (format === 'text') expect(line).to.match(LINE);
      if (format === 'json') for (const line of reader.text.trim().split('\n')) JSON.parse(line);
      expect(dropped).to.be.greaterThan(0);
      expect(dropped + logged.length).to.equal(total);
      rmSync(folder, { recursive: true });
    });
  }

  it('delays no exit when its reader stalls', async () => {
    const { server, port, folder } = await stalled('text');
    await ask(port, 800, LONG);
    server.signal('SIGTERM');
    expect(await server.end(2000)).to.deep.equal({ code: 0, signal: null });
    rmSync(folder, { recursive: true });
  });

  it('hurts nobody when its reader goes away', async () => {
    const server = await serve();
    const before = server.workers();
    server.child.stdout?.destroy();
    server.child.stderr?.destroy();
    await ask(server.port, 800, LONG);
    expect(server.workers()).to.deep.equal(before);
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
