import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Limited } from '../helpers/limited.ts';
import { Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, fixture, MAIN, type Options, type Running, remove, serve } from '../helpers/server.ts';

/** A heap that takes seconds to write. */
const LARGE = { HEAP_MIB: '25' };

describe('heap', function () {
  this.timeout(60_000);
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(() => remove(place));

  const start = ({ env, ...more }: Options = {}): Promise<Running> =>
    serve({
      args: [fixture('heaps.js')],
      env: { CONTROL_SOCKET: join(place, 'control.sock'), WEB_CONCURRENCY: '1', ACCESS_LOG: 'false', ...env },
      ...more,
    });
  /** Runs the command beside this process, in a folder of the place. */
  const heap = (args: readonly string[] = [], cwd = place) => {
    const env = { PATH: process.env.PATH, CONTROL_SOCKET: join(place, 'control.sock') };
    const child = spawn(process.execPath, [MAIN, 'heap', ...args], { cwd, env });
    const said = { out: '', err: '' };
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      said.out = chunks.length < 10 ? Buffer.concat(chunks).toString() : said.out;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { said, ended, child, bytes: () => Buffer.concat(chunks) };
  };
  const files = (): string[] => readdirSync(place).filter((name) => name !== 'control.sock');
  const answer = async ({ port }: Running): Promise<string> =>
    (await exchange(port, request('GET', '/', 'Connection: close'))).body;
  /** The processes that have a worker write its heap. */
  const probes = (server: Running): number[] =>
    server.pids().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('heap-probe'));
  /** The names of the classes in a snapshot, as Chrome DevTools reads it. */
  const classesIn = (text: string): string[] => {
    const { snapshot, nodes, edges, strings } = JSON.parse(text);
    const fields = snapshot.meta.node_fields.length;
    expect(nodes).to.have.lengthOf(snapshot.node_count * fields);
    expect(edges).to.have.lengthOf(snapshot.edge_count * snapshot.meta.edge_fields.length);
    return strings;
  };

  it('writes the heap of a worker that another has taken the place of, for the user alone, and loses nothing', async () => {
    const server = await start({ env: { HEAP_MIB: '8', HANG_TIMEOUT: '1' } });
    const [pid = 0] = server.workers();
    const meter = new Meter(server.port);
    const { said, ended } = heap();
    expect(await ended, said.err).to.equal(0);
    expect(await meter.stop()).to.include(NOTHING_LOST);
    const [file = ''] = files();
    expect(file).to.match(/^hello-server-[\dT-]{19}\.heapsnapshot$/);
    expect(said.out).to.equal(
      `taking the heap of worker 0 (pid ${pid}) when another serves in its place\n` +
        `wrote ${file}: load it in the Memory panel of Chrome DevTools\n`,
    );
    expect(statSync(join(place, file)).mode & 0o777).to.equal(0o600);
    expect(classesIn(readFileSync(join(place, file), 'utf8'))).to.include('Held');
    await eventually(() => !server.pids().includes(pid), 'the worker has gone');
    expect(server.out).to.include(`replacing worker 0 (pid ${pid}): heap snapshot\n`);
    expect(await answer(server)).to.match(/^closed /);
    expect(server.log).not.to.match(/Debugger|inspector|hung|crashed|killed/);
  });

  it('is exempt from the detection of hangs, as long as it takes', async () => {
    const server = await start({ env: { ...LARGE, HANG_TIMEOUT: '0.5', DRAIN_TIMEOUT: '0.5' } });
    const { said, ended, bytes } = heap(['-o', '-']);
    expect(await ended, said.err).to.equal(0);
    expect(classesIn(bytes().toString())).to.include('Held');
    expect(said.err).to.match(/^taking the heap of worker 0 \(pid \d+\) when another serves in its place\n$/);
    await eventually(() => server.workers().length === 1, 'the worker has gone');
    expect(server.log).not.to.match(/hung|killed|crashed/);
  });

  it('takes that of the worker named; does not write over a file, and leaves none where there is no snapshot', async () => {
    await start({ env: { WEB_CONCURRENCY: '2' } });
    writeFileSync(join(place, 'mine'), 'mine');
    const over = heap(['-o', 'mine']);
    expect([await over.ended, over.said.err]).to.deep.equal([1, 'heap failed: mine is there already\n']);
    expect(readFileSync(join(place, 'mine'), 'utf8')).to.equal('mine');
    const nobody = heap(['--worker', '7', '-o', 'theirs']);
    expect([await nobody.ended, nobody.said.err]).to.deep.equal([1, 'heap failed: no worker 7 serves\n']);
    const nowhere = heap(['-o', 'no/where']);
    expect(await nowhere.ended).to.equal(1);
    expect(nowhere.said.err).to.match(/^heap failed: ENOENT.*\n$/);
    expect(files()).to.deep.equal(['mine']);
    const second = heap(['--worker', '1', '-o', 'second']);
    expect(await second.ended, second.said.err).to.equal(0);
    expect(second.said.out).to.match(/^taking the heap of worker 1 /);
  });

  it('of a worker that goes meanwhile fails in one line, and leaves no file', async () => {
    const server = await start({ env: LARGE });
    const [pid = 0] = server.workers();
    const { said, ended } = heap(['-o', 'half']);
    await server.says(/replacing worker 0/);
    await eventually(() => probes(server).length === 1, 'its heap is taken');
    process.kill(pid, 'SIGKILL');
    expect(await ended).to.equal(1);
    expect(said.err).to.equal('heap failed: the worker went away before it was whole\n');
    expect(files()).to.deep.equal([]);
    expect(await answer(server)).to.match(/^closed /);
    const again = heap(['-o', 'whole']);
    expect(await again.ended, again.said.err).to.equal(0);
  });

  it('is taken one at a time, not beside a profile, and ends when nobody waits for it any more', async () => {
    const server = await start({ env: { ...LARGE, WEB_CONCURRENCY: '2' } });
    const first = heap(['--worker', '0', '-o', 'first']);
    await server.says(/replacing worker 0/);
    const second = heap(['--worker', '1', '-o', 'second']);
    expect([await second.ended, second.said.err]).to.deep.equal([
      1,
      'heap failed: the heap of worker 0 is being taken\n',
    ]);
    const env = { PATH: process.env.PATH, CONTROL_SOCKET: join(place, 'control.sock') };
    const profile = spawnSync(process.execPath, [MAIN, 'profile', '-o', 'p'], {
      cwd: place,
      env,
      encoding: 'utf8',
    });
    expect([profile.status, profile.stderr]).to.deep.equal([
      1,
      'profile failed: the heap of worker 0 is being taken\n',
    ]);
    first.child.kill('SIGKILL');
    await eventually(() => server.pids().length === 3 + 1, 'the worker has gone', 20_000);
    const third = heap(['--worker', '1', '-o', 'third']);
    expect(await third.ended, third.said.err).to.equal(0);
  });

  it('ends with a stop, in one line, and leaves no file', async () => {
    const server = await start({ env: { ...LARGE, SHUTDOWN_TIMEOUT: '2' } });
    const { said, ended } = heap(['-o', 'half']);
    await server.says(/replacing worker 0/);
    await eventually(() => probes(server).length === 1, 'its heap is taken');
    server.signal('SIGTERM');
    expect(await ended).to.equal(1);
    expect(said.err).to.equal('heap failed: the fleet is stopping\n');
    expect(files()).to.deep.equal([]);
    expect(await server.endOfStop(2000)).to.include({ code: 0 });
  });

  it('on a full disk fails in one line, and leaves nothing', async () => {
    const disk = join(place, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk]);
    expect(mounted.status, 'this test mounts a small disk, so it needs root').to.equal(0);
    try {
      const server = await start({ env: { HEAP_MIB: '20' } });
      const { said, ended } = heap(['-o', 'half'], disk);
      expect(await ended).to.equal(1);
      expect(said.err).to.equal('heap failed: ENOSPC: no space left on device, write\n');
      expect(readdirSync(disk)).to.deep.equal([]);
      expect(await answer(server)).to.match(/^closed /);
      await eventually(() => server.workers().length === 1, 'the worker has gone', 20_000);
      const again = heap(['-o', 'whole']);
      expect(await again.ended, again.said.err).to.equal(0);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('is refused where memory does not suffice, unless by force', async () => {
    const limited = Limited.make(400);
    const server = await start({ under: limited.under, env: { HEAP_MIB: '50' } });
    try {
      const [pid] = server.workers();
      const refused = heap(['-o', 'none']);
      expect(await refused.ended).to.equal(1);
      expect(refused.said.err).to.match(
        /^heap failed: a snapshot of worker 0's heap of \d+ MiB takes about \d+0 MiB of memory, and \d+ MiB are left; --force takes it all the same\n$/,
      );
      expect(server.workers()).to.deep.equal([pid]);
      const forced = heap(['--force', '-o', 'forced']);
      await server.says(/replacing worker 0/);
      forced.child.kill('SIGKILL');
      await forced.ended;
    } finally {
      await server.stop();
      await limited.end();
    }
  });

  it('is refused on the control socket where its query makes no sense', async () => {
    await start();
    const told = await new Promise((resolve, reject) => {
      const options = {
        socketPath: join(place, 'control.sock'),
        method: 'POST',
        path: '/heap?worker=x',
        agent: false,
      };
      httpRequest(options, async (res) => {
        let text = `${res.statusCode} `;
        for await (const chunk of res.setEncoding('utf8')) text += chunk;
        resolve(text);
      })
        .on('error', reject)
        .end();
    });
    expect(told).to.equal('400 {"error":"expected worker to be the number of a slot, got `x`"}\n');
  });
});
