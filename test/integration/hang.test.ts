import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, SEEN_MS, serve, stays } from '../helpers/server.ts';

const HANGS = { args: [fixture('hangs.js')], env: { HANG_TIMEOUT: '1', WEB_CONCURRENCY: '1' } };

describe('a hung worker', () => {
  it('is named with the line it hangs on and the requests it holds, then replaced', async () => {
    const server = await serve(HANGS);
    const [old] = server.workers();
    for (let i = 0; i < 3; i++) (await Raw.open(server.port)).send(request('GET', '/wait'));
    await exchange(server.port, request('GET', '/'));
    (await Raw.open(server.port)).send(request('GET', '/spin?year=2026'));
    await server.says(
      /worker 0 hung for 1 s in render \(hangs\.js:3\), holding GET \/spin\?year=2026 and 3 more\n {4}at render \(\S+hangs\.js:3\)\n {4}at default \(\S+hangs\.js:6\)\n/,
    );
    await eventually(
      () => server.workers().length === 1 && !server.workers().includes(old ?? 0),
      'another has come',
    );
    await eventually(
      () =>
        exchange(server.port, request('GET', '/')).then(
          ({ body }) => body !== String(old),
          () => false,
        ),
      'it answers',
    );
    expect(server.err).to.not.match(/Debugger|inspector/);
  });

  it('that answers no signal is killed all the same', async () => {
    const server = await serve(HANGS);
    const [old] = server.workers();
    execFileSync('kill', ['-STOP', String(old)]);
    await server.says(/worker 0 hung for 1 s, where it does not say\n/);
    await eventually(
      () => server.workers().length === 1 && !server.workers().includes(old ?? 0),
      'another has come',
    );
  });

  it('opens its inspector on loopback alone, and only for that moment', async () => {
    const server = await serve({ ...HANGS, env: { ...HANGS.env, HOST: '127.0.0.1' } });
    expect(listeners(server.pids())).to.deep.equal([`0100007F:${hex(server.port)}`]);
    (await Raw.open(server.port)).send(request('GET', '/spin'));
    await server.says(/hung for 1 s in render/);
    await eventually(() => server.workers().length === 1, 'another has come');
    await eventually(
      () =>
        exchange(server.port, request('GET', '/')).then(
          ({ status }) => status === 200,
          () => false,
        ),
      'it answers',
    );
    expect(listeners(server.pids())).to.deep.equal([`0100007F:${hex(server.port)}`]);
  });

  it('is left alone with HANG_TIMEOUT=0', async () => {
    const server = await serve({
      ...HANGS,
      env: { HANG_TIMEOUT: '0', WEB_CONCURRENCY: '1', SHUTDOWN_TIMEOUT: '1' },
    });
    const before = server.workers();
    execFileSync('kill', ['-STOP', ...before.map(String)]);
    await stays(() => server.workers().join() === before.join(), 'the same workers', 3000);
    execFileSync('kill', ['-CONT', ...before.map(String)]);
    expect((await exchange(server.port, request('GET', '/'))).body).to.equal(String(before[0]));
    expect(server.err).to.equal('');
  });
});

describe('a pause of the primary itself', () => {
  it('kills nobody', async () => {
    const server = await serve({ ...HANGS, env: { HANG_TIMEOUT: '0.5', WEB_CONCURRENCY: '2' } });
    const before = server.workers();
    execFileSync('kill', ['-STOP', String(server.pid)]);
    const allLive = (): boolean => server.workers().join() === before.join();
    await stays(allLive, 'the same workers, for eight hang timeouts of the pause', 4000);
    expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    execFileSync('kill', ['-CONT', String(server.pid)]);
    await stays(allLive, () => `the same workers, for five more\n${server.log}`, 2500);
    expect(server.err).to.equal('');
  });
});

describe('a worker in an endless loop whose primary was killed', () => {
  it('is gone within SHUTDOWN_TIMEOUT', async () => {
    const server = await serve({ args: [fixture('hangs.js')], env: { SHUTDOWN_TIMEOUT: '2' } });
    (await Raw.open(server.port)).send(request('GET', '/spin'));
    await exchange(server.port, request('GET', '/')).catch(() => {});
    server.signal('SIGKILL');
    await eventually(() => server.pids().length === 0, 'no process is left', 2000 + SEEN_MS);
  });
});

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

/** The TCP addresses these processes listen on. */
function listeners(pids: readonly number[]): string[] {
  const held = pids
    .map((pid) =>
      execFileSync('sh', ['-c', `ls -l /proc/${pid}/fd 2>/dev/null || true`], { encoding: 'utf8' }),
    )
    .join('');
  const rows = ['tcp', 'tcp6'].flatMap((file) => readFileSync(`/proc/net/${file}`, 'utf8').split('\n'));
  return rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    return state === '0A' && local && held.includes(`socket:[${inode}]`) ? [local] : [];
  });
}
