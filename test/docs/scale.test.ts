// docs/scale.md: its figures against the code, a running server and the kept results of the benchmarks; its commands run.

import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { DEFAULTS, MAX_WORKERS, readConfig } from '../../src/core/config.ts';
import { shareOut } from '../../src/core/memory-share.ts';
import type { WorkerShare } from '../../src/core/share.ts';
import { usableCpus } from '../../src/host/cpus.ts';
import { serving } from '../core/script.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, codeIn, exchanges, page, tableRows } from '../helpers/manual.ts';
import { get } from '../helpers/raw.ts';
import { samplesAt, seen } from '../helpers/seen.ts';
import { eventually, ROOT, type Running, serve, stays } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const PAGE = page('docs/scale.md');
/** Node's own default. */
const BACKLOG = 511;
/** How long no more connections may come than the queue has room for; a client tries again after a second. */
const QUIET_MS = 500;
const MOST_EACH_MS = 200_000;

/** The first number in a text. */
const numberIn = (text = ''): number => Number(/\d+(?:\.\d+)?/.exec(text)?.[0]);

/** `1` or `` `25%` ``, as RELOAD_SURGE takes it. */
const surgeOf = (text = ''): WorkerShare =>
  text.includes('%') ? { percent: numberIn(text) } : { workers: numberIn(text) };

/** The files of a cgroup of version 2, on a machine with eight CPUs, as far as they are read. */
const machine =
  (quota?: number, mask = 'ff') =>
  (path: string): string | undefined =>
    ({
      '/proc/self/status': `Cpus_allowed:\t${mask}\n`,
      '/proc/self/cgroup': '0::/app\n',
      '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
      '/sys/fs/cgroup/app/cpu.max': `${quota === undefined ? 'max' : quota * 100_000} 100000\n`,
    })[path];

/** How long a reload takes in the policy, ms, where each worker boots for so long and leaves at once. */
function reloadMs(workers: number, bootMs: number, surge: WorkerShare): number {
  const script = serving(workers, { surge, settleMs: 1000 });
  const began = script.now;
  let due: { readonly at: number; readonly id: number }[] = [];
  let done = script.on({ type: 'reload' });
  while (!done.includes('reloaded') && script.now - began < MOST_EACH_MS * 10) {
    for (const [, id] of done.map((what) => /^fork (\d+) /.exec(what) ?? []))
      if (id !== undefined) due.push({ at: script.now + bootMs, id: Number(id) });
    const leaving = done.map((what) => /^leave (\d+)/.exec(what)?.[1]).filter((id) => id !== undefined);
    if (leaving.length > 0) {
      done = script.left(...leaving.map(Number));
      continue;
    }
    const [next] = due.toSorted((a, b) => a.at - b.at);
    if (next === undefined) {
      done = script.pass(100);
      continue;
    }
    due = due.filter((one) => one !== next);
    done = [...script.pass(next.at - script.now), ...script.ready(next.id)];
  }
  return script.now - began;
}

/** A table of a kept result of the benchmarks, as far as it is read. */
interface Comparison {
  readonly title: string;
  readonly rows: readonly {
    readonly subject: string;
    readonly rounds: Readonly<Record<string, readonly number[]>>;
  }[];
}

function comparisonOf(question: string, title: RegExp): Comparison {
  const text = readFileSync(join(ROOT, 'bench', 'results', `${question}.json`), 'utf8');
  const { comparisons } = JSON.parse(text) as { comparisons: Comparison[] };
  const found = comparisons.find((one) => title.test(one.title));
  if (found === undefined) throw new Error(`expected ${question} to have ${title}`);
  return found;
}

/** The median of what was measured of hello-server. */
function measured({ title, rows }: Comparison, subject: RegExp, metric: string): number {
  const row = rows.find((one) => one.subject.startsWith('hello-server') && subject.test(one.subject));
  const values = (row?.rounds[metric] ?? []).toSorted((a, b) => a - b);
  const middle = values[values.length >> 1];
  if (middle === undefined) throw new Error(`expected ${title} to have ${metric} of ${subject}`);
  return middle;
}

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

describe('docs/scale.md', () => {
  it('has as many workers as there are for these CPUs', () => {
    const rows = tableRows('docs/scale.md#how-many-workers');
    const found = [
      usableCpus(machine(), 8),
      // Node itself counts those that it may run on.
      usableCpus(machine(undefined, '3'), 2),
      usableCpus(machine(1.5), 8),
      usableCpus(machine(0.5), 8),
    ];
    expect(rows.map(([, , workers]) => Number(workers))).to.deep.equal(found);
  });

  it('has the shares that the memory is divided into', () => {
    for (const [limit, workers, surge, share = ''] of tableRows('docs/scale.md#memory')) {
      const sharing = shareOut({ limitMiB: numberIn(limit), heapMiB: 1e6 }, Number(workers), surgeOf(surge));
      if (sharing.fits) expect(share).to.equal(`${sharing.share.rssMiB} MiB`);
      else expect(sharing.would).to.deep.equal({ workers: numberIn(codeIn(share)[0]) });
    }
  });

  it('has the times that reloads take', () => {
    for (const [workers, boot, surge, time] of tableRows('docs/scale.md#reloads')) {
      const seconds = reloadMs(Number(workers), 1000 * numberIn(boot), surgeOf(surge)) / 1000;
      expect(numberIn(time), `${workers} workers, surge ${surge}`).to.be.closeTo(seconds, 0.05);
    }
  });

  it('has settings that keep idle connections longer than each balancer, and drain longer than that', () => {
    for (const [balancer, idle, settings = ''] of tableRows('docs/scale.md#keep-alive-and-load-balancers')) {
      const env = Object.fromEntries(codeIn(settings).map((setting) => setting.split('=')));
      const { config } = readConfig(env);
      expect(config.keepAliveTimeoutMs, balancer).to.be.above(1000 * numberIn(idle));
      expect(config.drainTimeoutMs, balancer).to.be.above(config.keepAliveTimeoutMs);
    }
    expect(numberIn(/The default, ([^,]+),/.exec(PAGE)?.[1])).to.equal(Number(DEFAULTS.KEEP_ALIVE_TIMEOUT));
  });

  it('has the most workers that there may be', () => {
    expect(numberIn(/There may be (\d+) workers/.exec(PAGE)?.[1])).to.equal(MAX_WORKERS);
  });

  it('has bounds that what was measured keeps', () => {
    const bounds = tableRows('docs/scale.md#many-workers').filter(([, , by]) => by?.includes('benchmarks'));
    const start = comparisonOf('scale', /^start of 64/);
    const reload = comparisonOf('scale', /^a reload/);
    const found = [
      measured(start, /64 workers/, 'primaryMsPerWorker'),
      measured(reload, /64 workers/, 'primaryMsPerWorker'),
      measured(comparisonOf('rest', /^64 workers/), /64 workers/, 'primaryPercent'),
      measured(reload, /64 workers/, 'statusMs'),
    ];
    expect(bounds).to.have.length(found.length);
    for (const [index, [what, bound]] of bounds.entries())
      expect(found[index], what).to.be.below(numberIn(bound));
    const kib = numberIn(/costs its worker less than (\d+) KiB/.exec(PAGE)?.[1]);
    const idle = comparisonOf('idle-connections', /^idle connections/);
    expect(measured(idle, /1 worker/, 'kibPerConnection')).to.be.below(kib);
    expect(PAGE).to.include('by less than half');
    const load = comparisonOf('reload', /at full load/);
    expect(measured(load, /, reloading/, 'requestsPerSecond')).to.be.above(
      measured(load, /, no reload/, 'requestsPerSecond') / 2,
    );
    const lost = comparisonOf('reload', /^requests lost/).rows.filter(({ subject }) =>
      subject.startsWith('hello-server'),
    );
    expect(lost.flatMap(({ rounds }) => rounds.lost ?? [1]).filter((count) => count > 0)).to.deep.equal([]);
    expect(lost).to.not.have.length(0);
  });

  it('has a part for each app that its workers and their shares follow', () => {
    const settings = block('docs/scale.md#several-apps-on-one-machine');
    const workers = usableCpus(machine(numberIn(/CPUQuota=(\S+)/.exec(settings)?.[1]) / 100), 8);
    const limitMiB = 1024 * numberIn(/MemoryMax=(\d+)G/.exec(settings)?.[1]);
    const sharing = shareOut({ limitMiB, heapMiB: 1e6 }, workers, { workers: 1 });
    const share = sharing.fits && sharing.share.rssMiB;
    expect(PAGE).to.include(
      `here there are ${['no', 'one', 'two'][workers]} workers, each with a share of ${share} MiB`,
    );
  });

  it('has the delay of compose.yaml, and its checks', () => {
    expect(PAGE).to.include('`SHUTDOWN_DELAY` 3 s');
    expect(page('compose.yaml')).to.match(/SHUTDOWN_DELAY: \$\{SHUTDOWN_DELAY:-3\}/);
    expect(page('deploy/haproxy.cfg')).to.match(/inter 1s fastinter 250ms fall 2 /);
  });

  describe('of a running server', () => {
    it('has what each worker takes of the primary’s descriptors, and adds to the metrics', async () => {
      const { server, admin } = await seen({ env: { WEB_CONCURRENCY: '2', DRAIN_TIMEOUT: '1' } });
      const [few, ofTwo] = [descriptorsOf(server.pid), (await samplesAt(admin)).size];
      const shop = new Shop();
      try {
        // The command of the page, at this server.
        const [{ command = '' } = {}] = exchanges(block('docs/scale.md#how-many-workers'));
        const { code, out } = await shop.run(`npx ${command}`, { PORT: String(server.port) });
        expect(code, out).to.equal(0);
      } finally {
        shop.remove();
      }
      const settled = async (): Promise<boolean> => (await samplesAt(admin)).size >= ofTwo + 20;
      await eventually(settled, 'the figures of all four');
      const [descriptors = '', series = ''] = tableRows('docs/scale.md#many-workers')
        .filter(([, , by]) => by === 'a test')
        .map(([, bound]) => bound);
      expect((descriptorsOf(server.pid) - few) / 2, 'descriptors').to.be.closeTo(numberIn(descriptors), 1);
      const each = ((await samplesAt(admin)).size - ofTwo) / 2;
      expect(each, 'series of a worker').to.equal(numberIn(series));
      const [, most = '', mostEach = ''] =
        /at most (\d+) series for the whole server, and at most (\d+) more/.exec(PAGE) ?? [];
      expect(each).to.be.at.most(Number(mostEach));
      expect(ofTwo - 2 * each, 'series of the server').to.be.at.most(Number(most));
    });

    it('has the soft limit of descriptors raised to the hard one', async () => {
      const server = await serve({ under: ['sh', '-c', 'ulimit -Sn 256; exec "$@"', 'sh'] });
      for (const pid of [server.pid, ...server.workers()]) {
        const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
        const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? [];
        expect(soft).to.equal(hard);
      }
    });

    it('has the room of the kernel’s queue', async () => {
      const server = await serve({ env: { WEB_CONCURRENCY: '1', HANG_TIMEOUT: '0' } });
      const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
      // The kernel takes one more than it is told.
      const room = Math.min(BACKLOG, somaxconn) + 1;
      expect(PAGE).to.include(`has room for ${BACKLOG} connections`);
      expect(page('deploy/hello-server.socket')).to.include(`Backlog=${BACKLOG}\n`);
      const sockets: Socket[] = [];
      let connected = 0;
      for (const pid of server.workers()) process.kill(pid, 'SIGSTOP');
      try {
        for (let i = 0; i < room + 50; i++) {
          const socket = connect(server.port, '127.0.0.1', () => {
            connected += 1;
          });
          sockets.push(socket.on('error', () => {}));
        }
        await eventually(() => connected >= room, 'connections in the queue');
        await stays(
          () => connected === room,
          () => `${room} connections, got ${connected}`,
          QUIET_MS,
        );
      } finally {
        for (const socket of sockets) socket.destroy();
        for (const pid of server.workers()) process.kill(pid, 'SIGCONT');
      }
      await eventually(
        async () => (await get(server).catch(() => undefined))?.status === 200,
        'service as usual',
      );
    });

    it('has the length of a line of the log, and with ACCESS_LOG=false none, while all is counted', async () => {
      const server = await serve();
      const [, bytes, target = '', day] =
        /(\d+) bytes for `GET (\S+)`.* and (\d+) GB in a day/.exec(PAGE) ?? [];
      await get(server, target);
      await server.says(/ - GET .*\n/);
      const [line = ''] = /^.* - GET .*\n/m.exec(server.out) ?? [];
      expect(line).to.have.length(Number(bytes));
      expect(Math.round((line.length * 10_000 * 86_400) / 1e9)).to.equal(Number(day));
      const quiet = await seen({ env: { ACCESS_LOG: 'false' } });
      await get(quiet.server, target);
      await eventually(
        async () => (await samplesAt(quiet.admin)).get('http_requests_total{code="2xx"}') === 1,
        'it is counted',
      );
      expect((await quiet.server.stop()).code).to.equal(0);
      expect(quiet.server.out).to.not.include(target);
    });
  });

  describe('a release from machine to machine', () => {
    let shop: Shop;
    let servers: Running[];
    beforeEach(() => {
      shop = new Shop();
      servers = [];
    });
    afterEach(() => shop.remove());

    it('goes on until one of them takes it back', async () => {
      const hosts = ['web1', 'web2', 'web3'];
      const ports = new Map<string, number>();
      for (const host of hosts) {
        shop.write(`${host}.mjs`, 'export default (req, res) => res.end("old");');
        const port = await freePort();
        ports.set(host, port);
        const line = `exec npx hello-server ./${host}.mjs`;
        servers.push(await shop.serve(line, { PORT: String(port), SETTLE_TIME: '0', WEB_CONCURRENCY: '1' }));
      }
      // In the place of ssh: the machines are ports of this one.
      const cases = [...ports].map(([host, port]) => `${host}) PORT=${port} ;;`).join('\n');
      shop.write('bin/ssh', `#!/bin/sh\ncase $1 in\n${cases}\nesac\nexport PORT\nshift\nexec npx "$@"\n`);
      chmodSync(join(shop.folder, 'bin', 'ssh'), 0o755);
      for (const host of hosts) shop.write(`${host}.mjs`, 'export default (req, res) => res.end("new");');
      shop.write('web2.mjs', 'throw new Error("no licence on this machine");');
      const { out } = await shop.run(block('docs/scale.md#several-machines'), {
        PATH: `${join(shop.folder, 'bin')}${delimiter}${process.env.PATH}`,
      });
      expect(out).to.match(/reload abandoned.*no licence on this machine/);
      const answers = await Promise.all(hosts.map((host) => get({ port: ports.get(host) ?? 0 })));
      expect(answers.map(({ body }) => body)).to.deep.equal(['new', 'old', 'old']);
      for (const server of servers) await shop.stop(server);
    });
  });
});
