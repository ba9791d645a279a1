// What an app prints arrives as it would from plain Node, by whole lines, and in json as objects.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, fixture, launch, type Running, serve } from '../helpers/server.ts';

const serving = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
  serve({ args: [fixture('writes.js')], env: { WEB_CONCURRENCY: '1', ACCESS_LOG: 'false', ...env } });
const ask = async ({ port }: Running, path: string): Promise<string> =>
  (await exchange(port, request('GET', path))).body;

describe('what an app prints', () => {
  for (const bytes of [60_000, 150_000, 900_000]) {
    it(`arrives in one line of ${bytes} bytes`, async () => {
      const server = await serving();
      await ask(server, `/long/${bytes}`);
      await eventually(() => server.out.endsWith('"}\n'), 'the end of the line');
      const line = server.out.trimEnd().split('\n').at(-1) ?? '';
      expect(JSON.parse(line)).to.deep.equal({ long: '€'.repeat(bytes / 3) });
    });
  }

  it('is broken between two characters where it is longer than 1 MiB', async () => {
    const server = await serving();
    await ask(server, '/long/1800000');
    await eventually(() => server.out.endsWith('"}\n'), 'the end of the line');
    const lines = server.out.trimEnd().split('\n').slice(2);
    expect(lines).to.have.length(2);
    expect(JSON.parse(lines.join(''))).to.deep.equal({ long: '€'.repeat(600_000) });
  });

  it('can be written to /dev/stdout and /dev/stderr, by the app and by its children', async () => {
    const server = await serving();
    await ask(server, '/opened');
    await ask(server, '/child');
    await server.says(/^through \/dev\/stdout$/m);
    await server.says(/^from a child$/m);
  });

  it('costs no descriptors for a helper process that outlives its worker', async () => {
    const server = await serving();
    const descriptors = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
    await reload(server, 2);
    await eventually(() => server.workers().length === 1, 'one worker is left');
    const before = descriptors();
    for (let generation = 3; generation < 8; generation++) {
      await ask(server, '/helper/15');
      await reload(server, generation);
      await eventually(() => server.workers().length === 1, 'one worker is left');
    }
    expect(descriptors()).to.be.at.most(before + 1);
    for (const pid of server.pids())
      if (pid !== server.pid && !server.workers().includes(pid)) spawnSync('kill', [String(pid)]);
  });

  it('arrives at an exit as far as it would from plain Node', async () => {
    const lines = 3000;
    const server = launch({
      args: [fixture('writes.js')],
      env: { WEB_CONCURRENCY: '1', LINES: String(lines) },
    });
    expect((await server.end()).code).to.equal(1);
    const script = `for (let i = 0; i < ${lines}; i++) console.log('line ' + i); process.exit(3)`;
    const plain = spawnSync('sh', ['-c', '"$@" | cat', 'sh', process.execPath, '-e', script], {
      encoding: 'utf8',
    });
    const count = (text: string): number => text.match(/^line \d+$/gm)?.length ?? 0;
    expect(count(plain.stdout)).to.be.greaterThan(1000);
    expect(count(server.out)).to.be.at.least(count(plain.stdout));
  });

  it('arrives whole when the app that serves calls process.exit()', async () => {
    const server = await serving();
    await ask(server, '/exit/3000');
    await server.says(/^line 2999$/m);
    expect(server.out.match(/^line \d+$/gm)).to.have.length(3000);
  });

  it('is an object in each line in json, its own objects as they are', async () => {
    const server = await serving({ LOG_FORMAT: 'json' });
    const pid = Number(await ask(server, '/texts'));
    await eventually(() => server.out.includes('no end yet'), 'the last line');
    await eventually(() => server.err.includes('at '), 'the stack');
    const objects = (text: string): Record<string, unknown>[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    const of = { pid, worker: 0, generation: 1 };
    const printed = objects(server.out).filter(({ stream, an }) => stream || an);
    expect(printed.map(({ time, ...rest }) => rest)).to.deep.equal([
      { level: 'info', ...of, stream: 'stdout', msg: 'plain text' },
      { an: 'object' },
      { level: 'info', ...of, stream: 'stdout', msg: '{ no object }' },
      { level: 'info', ...of, stream: 'stdout', msg: 'no end yet' },
    ]);
    const [error, frame] = objects(server.err);
    expect(error).to.include({ level: 'error', ...of, stream: 'stderr', msg: 'Error: two lines' });
    expect(error?.time).to.match(/^\d{4}-.*Z$/);
    expect(frame?.msg).to.match(/^ +at /);
  });
});
