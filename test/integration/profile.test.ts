import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, MAIN, type Running, remove, serve } from '../helpers/server.ts';

describe('profile', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(() => remove(place));

  const start = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
    serve({
      args: [fixture('busy.js')],
      env: { CONTROL_SOCKET: join(place, 'control.sock'), WEB_CONCURRENCY: '1', ACCESS_LOG: 'false', ...env },
    });
  const options = () => ({
    cwd: place,
    env: { PATH: process.env.PATH, CONTROL_SOCKET: join(place, 'control.sock') },
  });
  /** Runs the command beside this process. */
  const profile = (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, 'profile', ...args], options());
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { said, ended, child };
  };
  const isOpen = async ({ port }: Running): Promise<string> =>
    (await exchange(port, request('GET', '/'))).body;
  const files = (): string[] => readdirSync(place).filter((name) => name !== 'control.sock');
  /** The files whose functions a profile saw. */
  const seenIn = (file: string): Set<string> => {
    const { nodes, samples } = JSON.parse(readFileSync(join(place, file), 'utf8'));
    expect(samples).to.be.an('array').and.not.to.be.empty;
    return new Set(nodes.map(({ callFrame }: { callFrame: { url: string } }) => basename(callFrame.url)));
  };

  it('writes what a worker’s CPU does, for the user alone, and closes the inspector behind it', async () => {
    const server = await start();
    const { said, ended } = profile('--seconds', '1');
    const [pid] = server.workers();
    await eventually(() => said.out === `profiling worker 0 (pid ${pid}) for 1 s\n`, 'it has begun');
    for (let i = 0; i < 20; i++) await exchange(server.port, request('GET', '/burn'));
    expect(await ended, said.err).to.equal(0);
    const [file = ''] = files();
    expect(file).to.match(/^hello-server-[\dT-]{19}\.cpuprofile$/);
    expect(said.out).to.match(new RegExp(`\\nwrote ${file}: open it in Chrome DevTools, or in VS Code\\n$`));
    expect(statSync(join(place, file)).mode & 0o777).to.equal(0o600);
    expect(seenIn(file)).to.include('busy.js');
    await eventually(async () => (await isOpen(server)) === 'closed', 'the inspector is closed');
    expect(server.log).not.to.match(/Debugger|inspector/);
    const again = profile('--seconds', '1', '-o', '-');
    expect(await again.ended).to.equal(0);
    expect(JSON.parse(again.said.out)).to.include.keys('nodes', 'samples');
    expect(again.said.err).to.equal(`profiling worker 0 (pid ${pid}) for 1 s\n`);
  });

  it('of a worker that hangs says where', async () => {
    const server = await start({ HANG_TIMEOUT: '0', SHUTDOWN_TIMEOUT: '1' });
    (await Raw.open(server.port)).send(request('GET', '/spin'));
    const { ended, said } = profile('--worker', '0', '--seconds', '1', '-o', 'spins');
    expect(await ended, said.err).to.equal(0);
    expect(seenIn('spins')).to.include('busy.js');
  });

  it('does not write over a file, and leaves none where there is no profile', async () => {
    const server = await start();
    writeFileSync(join(place, 'mine'), 'mine');
    const over = profile('-o', 'mine');
    expect([await over.ended, over.said.err]).to.deep.equal([1, 'profile failed: mine is there already\n']);
    expect(readFileSync(join(place, 'mine'), 'utf8')).to.equal('mine');
    const nobody = profile('--worker', '7', '-o', 'theirs');
    expect([await nobody.ended, nobody.said.err]).to.deep.equal([1, 'profile failed: no worker 7 serves\n']);
    const nowhere = profile('-o', 'no/where');
    expect(await nowhere.ended).to.equal(1);
    expect(nowhere.said.err).to.match(/^profile failed: ENOENT.*\n$/);
    const gone = profile('--seconds', '30', '-o', 'half');
    await eventually(() => gone.said.out !== '', 'it has begun');
    process.kill(server.workers()[0] ?? 0, 'SIGKILL');
    expect(await gone.ended).to.equal(1);
    expect(gone.said.err).to.equal('profile failed: the worker went away before it was whole\n');
    expect(files()).to.deep.equal(['mine']);
  });

  it('of one worker is taken once at a time, and ends when nobody waits for it any more', async () => {
    const server = await start();
    const before = server.pids();
    const first = profile('--seconds', '300', '-o', 'first');
    await eventually(() => first.said.out !== '', 'it has begun');
    expect(await isOpen(server)).to.equal('open');
    const second = profile('-o', 'second');
    expect([await second.ended, second.said.err]).to.deep.equal([
      1,
      'profile failed: worker 0 is being profiled\n',
    ]);
    first.child.kill('SIGKILL');
    await eventually(async () => (await isOpen(server)) === 'closed', 'the inspector is closed');
    await eventually(() => String(server.pids()) === String(before), 'nobody profiles any more');
  });

  it('is refused on the control socket where its query makes no sense', async () => {
    await start();
    const ask = (query: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const path = `/profile?${query}`;
        httpRequest(
          { socketPath: join(place, 'control.sock'), method: 'POST', path, agent: false },
          async (res) => {
            let text = `${res.statusCode} `;
            for await (const chunk of res.setEncoding('utf8')) text += chunk;
            resolve(text);
          },
        )
          .on('error', reject)
          .end();
      });
    expect(await ask('seconds=1e3')).to.equal(
      '400 {"error":"expected seconds to be an integer from 1 to 300, got `1e3`"}\n',
    );
    expect(await ask('worker=x')).to.equal(
      '400 {"error":"expected worker to be the number of a slot, got `x`"}\n',
    );
  });

  it('says where it looked when there is no server', () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'profile'], options());
    expect(status).to.equal(1);
    expect(String(stderr)).to.match(/^no server answers; looked at .*\n$/);
    expect(files()).to.deep.equal([]);
  });
});
