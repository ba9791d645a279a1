import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { Limited } from '../helpers/limited.ts';
import { block } from '../helpers/manual.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, fixture, MAIN, type Options, type Running, serve } from '../helpers/server.ts';

/** Matches this line, and no other. */
const lineAs = (line: string): RegExp => new RegExp(`^${line.replace(/[()]/g, '\\$&')}$`, 'm');

describe('under a limit of memory', () => {
  let place: string;
  let limited: Limited | undefined;
  let running: Running | undefined;
  beforeEach(() => {
    limited = Limited.make(512);
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(async () => {
    if (running?.child.exitCode === null) await running.stop();
    await limited?.end();
    rmSync(place, { recursive: true, force: true });
  });

  const start = async ({ env, ...options }: Options = {}): Promise<Running> => {
    running = await serve({
      under: limited?.under ?? [],
      args: [fixture('leaks.js')],
      env: {
        CONTROL_SOCKET: join(place, 'control.sock'),
        WEB_CONCURRENCY: '3',
        ACCESS_LOG: 'false',
        LOG_LEVEL: 'debug',
        ...env,
      },
      ...options,
    });
    return running;
  };
  const status = (): Status =>
    JSON.parse(
      execFileSync(process.execPath, [MAIN, 'status', '--json'], {
        env: { PATH: process.env.PATH, CONTROL_SOCKET: join(place, 'control.sock') },
        encoding: 'utf8',
      }),
    );
  /** Node's options of a process. */
  const optionsOf = (pid: number): string[] =>
    readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      .split('\0')
      .filter((word) => word.startsWith('--max'));

  it('gives each worker its share, and its heap a limit within that', async () => {
    const server = await start();
    const [shared = ''] = block('docs/supervision.md#memory').split('\n');
    await server.says(lineAs(shared));
    const { workers } = status();
    expect(workers.map(({ memoryShare }) => memoryShare)).to.deep.equal([113, 113, 113]);
    expect(optionsOf(workers[0]?.pid ?? 0)).to.deep.equal([
      '--max-old-space-size=87',
      '--max-semi-space-size=3',
    ]);
    for (const { heapLimit } of workers) expect(heapLimit).to.be.within(90, 100);
    server.signal('SIGTTIN');
    await server.says(lineAs(block('docs/supervision.md#memory:2').trim()));
    await eventually(() => status().workers.length === 4, 'the fourth has come');
    expect(optionsOf(status().workers[3]?.pid ?? 0)).to.deep.equal([]);
  });

  it('derives nothing where the user has set MAX_MEMORY, or a heap', async () => {
    for (const env of [{ MAX_MEMORY: '200' }, { NODE_OPTIONS: '--max_old_space_size=100' }]) {
      const server = await start({ env });
      expect(status().workers.map(({ memoryShare }) => memoryShare)).to.deep.equal([null, null, null]);
      expect(server.log).not.to.match(/ share | of memory /);
      await server.stop();
    }
    const server = await start({ nodeArgs: ['--max-old-space-size=100'] });
    expect(status().workers.map(({ memoryShare }) => memoryShare)).to.deep.equal([null, null, null]);
    expect(server.log).not.to.match(/ share | of memory /);
  });

  it('replaces a worker that leaks before it dies, and loses nothing', async () => {
    const server = await start({ env: { WEB_CONCURRENCY: '2' } });
    const said = (): number => server.out.match(/^replacing worker .*: its .* is above .*$/gm)?.length ?? 0;
    const statuses = new Set<number>();
    await eventually(
      async () => {
        statuses.add((await exchange(server.port, request('GET', '/', 'Connection: close'))).status);
        return said() > 0;
      },
      'a worker is replaced',
      60_000,
    );
    expect([...statuses]).to.deep.equal([200]);
    await server.says(/^replacing worker \d \(pid \d+\): its (RSS|heap) of \d+ MiB is above /m);
    await eventually(() => status().workers.every(({ stage }) => stage === 'ready'), 'it has been replaced');
    expect(server.log).not.to.match(/crashed/);
    expect(limited?.kills()).to.equal(0);
  });
});
