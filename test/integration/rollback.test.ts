import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { Raw, request } from '../helpers/raw.ts';
import { losingNothing, reload } from '../helpers/reload.ts';
import { eventually, fixture, MAIN, type Running, remove, serve } from '../helpers/server.ts';

describe('rollback', () => {
  let place: string;
  let path: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    path = join(place, 'control.sock');
  });
  afterEach(() => remove(place));

  const start = (env: Readonly<Record<string, string>> = {}, args: string[] = []): Promise<Running> =>
    serve({
      args,
      env: { CONTROL_SOCKET: path, KEEP_PREVIOUS: '60', DRAIN_TIMEOUT: '2', ACCESS_LOG: 'false', ...env },
    });

  const command = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env.PATH, CONTROL_SOCKET: path },
    });
  const status = (): Status => JSON.parse(command('status', '--json').stdout);

  it('swaps the generation before back within a second, under load, with its pids and without a loss', async () => {
    const server = await start();
    const before = server.workers();
    await losingNothing(server, async () => {
      await reload(server, 2);
      expect(server.workers()).to.include.members(before);
      const [, took] = await (async () => {
        const { stdout, status: code } = command('rollback');
        expect(code, stdout).to.equal(0);
        return server.says(/rolled back: generation 1 serves again after ([\d.]+) s\n/);
      })();
      expect(Number(took)).to.be.below(1);
      await eventually(() => String(server.workers()) === String(before), 'the old workers alone');
    });
    expect(status()).to.include({ generation: 1, state: 'running' });
  });

  it('is refused where nothing is kept, and when the time is up', async () => {
    const server = await start({ KEEP_PREVIOUS: '1' });
    const { stderr, status: code } = command('rollback');
    expect({ stderr, code }).to.deep.equal({
      stderr: 'nothing to roll back to: no generation stands by (KEEP_PREVIOUS)\n',
      code: 1,
    });
    await reload(server, 2);
    await eventually(() => server.workers().length === 2, 'those that stood by have gone');
    expect(command('rollback').status).to.equal(1);
  });

  it('is refused during a reload, which goes on', async () => {
    const server = await start({}, [fixture('slow-boot.js')]);
    server.signal('SIGHUP');
    await server.says(/reloading: generation 2/);
    expect(command('rollback')).to.include({
      stderr: 'a reload is under way, which can be rolled back when it is over\n',
      status: 1,
    });
    await server.says(/reloaded: generation 2/);
  });

  it('finds connections drained that were open when the generation was replaced', async () => {
    const server = await start({ WEB_CONCURRENCY: '1' }, [fixture('hangs.js')]);
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/wait'));
    await eventually(() => status().now.inFlight === 1, 'the request is in flight');
    await reload(server, 2);
    await eventually(() => raw.closed, 'it is cut at DRAIN_TIMEOUT');
    await eventually(() => status().totals.cut === 1, 'and counted');
    expect(command('rollback').status).to.equal(0);
    const answered = (await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).trim();
    expect(server.workers().map(String)).to.include(answered);
  });
});
