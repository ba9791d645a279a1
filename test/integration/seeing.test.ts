import { cpSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { samplesAt, seen, statusAt } from '../helpers/seen.ts';
import { eventually, fixture, launch, ROOT } from '../helpers/server.ts';

/** How often the fleet is reloaded, and how often a worker is killed. */
const TIMES = Number(process.env.SEEN_TIMES ?? 3);

/** What an answer of a health check says. */
const health = async (url: string): Promise<string> => {
  const answer = await fetch(url);
  const { reason } = (await answer.json()) as { readonly reason: string };
  return `${answer.status} ${reason}`;
};

describe('the figures', () => {
  it(`are the same in the status and in the metrics, and never go back, over ${TIMES} reloads and ${TIMES} kills under load`, async function () {
    this.timeout(60_000 + 8000 * TIMES);
    const { server, admin } = await seen({ env: { DRAIN_TIMEOUT: '3', ACCESS_LOG: 'false' } });
    const meter = new Meter(server.port, [
      { name: 'keep-alive', clients: 8, thinkMs: 6, fresh: false, bodyBytes: 0 },
      { name: 'fresh connection', clients: 4, thinkMs: 6, fresh: true, bodyBytes: 0 },
    ]);
    let last = new Map<string, number>();
    const watching = { goesOn: true };
    const watch = async (): Promise<void> => {
      while (watching.goesOn) {
        const now = await samplesAt(admin);
        for (const [name, value] of now) {
          if (/_(?:total|bucket|count|sum)\b/.test(name))
            expect(value, name).to.be.at.least(last.get(name) ?? 0);
        }
        last = now;
      }
    };
    const watched = watch();
    for (let i = 0; i < TIMES; i++) {
      await reload(server, i + 2);
      const [victim = 0] = server.workers();
      process.kill(victim, 'SIGKILL');
      await eventually(async () => {
        const { workers } = await statusAt(admin);
        return workers.filter(({ stage, pid }) => stage === 'ready' && pid !== victim).length === 2;
      }, 'the killed worker is replaced');
    }
    const { ok, reset, ...lost } = await meter.stop();
    watching.goesOn = false;
    await watched;
    expect(lost['other status']).to.equal(NOTHING_LOST['other status']);
    // What a killed worker had answered since its last beat, a second at most, nobody can know.
    const most = ok + reset;
    await eventually(async () => {
      const { totals } = await statusAt(admin);
      const samples = await samplesAt(admin);
      expect(samples.get('http_requests_total{code="2xx"}')).to.equal(totals.answers['2xx']);
      expect(samples.get('http_request_duration_seconds_count')).to.equal(totals.requests);
      expect(samples.get('hello_server_accepted_connections_total')).to.equal(totals.accepted);
      return totals.requests > (ok * 3) / 4;
    }, 'the last beats');
    const { totals } = await statusAt(admin);
    expect(totals.requests).to.be.at.most(most + 20);
    expect(totals.reloads).to.deep.equal({ done: TIMES, abandoned: 0 });
    // Where the kernel's count of kills cannot be read, nobody knows whose they were.
    expect(totals.exits.killed + totals.exits.crashed).to.equal(TIMES);
  });

  it('count every answer of workers that end in order, and each for what it was', async () => {
    const { server, admin } = await seen({
      args: [fixture('tells-figures.js')],
      env: { DRAIN_TIMEOUT: '3' },
    });
    for (let i = 0; i < 7; i++) await exchange(server.port, request('GET', '/'));
    for (let i = 0; i < 2; i++) await exchange(server.port, request('GET', '/throw'));
    await exchange(server.port, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
    await reload(server, 2);
    // Their processes may be gone before the primary knows it.
    await eventually(
      async () => (await statusAt(admin)).totals.exits.asked === 2,
      'the old workers have gone',
    );
    const { totals } = await statusAt(admin);
    expect(totals.answers).to.deep.equal({ '2xx': 7, '3xx': 0, '4xx': 1, '5xx': 2, other: 0 });
    expect(totals.refused).to.deep.equal({ 400: 1, 408: 0, 431: 0 });
    expect(totals).to.include({ requests: 10, failed: 2, accepted: 10, left: 0, cut: 0 });
    expect(totals.exits).to.include({ asked: 2, crashed: 0 });
    const samples = await samplesAt(admin);
    expect(samples.get('hello_server_refused_requests_total{code="400"}')).to.equal(1);
    expect(samples.get('hello_server_failed_requests_total')).to.equal(2);
  });

  it('count the listeners that block their worker, which the log names', async () => {
    const { server, admin } = await seen({ args: [fixture('blocks.js')], env: { SLOW_TURN: '0.2' } });
    await exchange(server.port, request('GET', '/report?year=2026'));
    await server.says(/^worker [01] was blocked for 4\d\d ms by GET \/report\n/m);
    await eventually(async () => (await statusAt(admin)).totals.slowTurns === 1, 'it is counted');
    expect((await samplesAt(admin)).get('hello_server_slow_turns_total')).to.equal(1);
  });

  it('name the connections that a drain cuts', async () => {
    const { server, admin } = await seen({
      args: [fixture('hangs.js')],
      env: { DRAIN_TIMEOUT: '0.5', WEB_CONCURRENCY: '1' },
    });
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/wait'));
    await eventually(async () => (await statusAt(admin)).now.inFlight === 1, 'the request is in flight');
    await reload(server, 2);
    await eventually(async () => (await statusAt(admin)).totals.cut === 1, 'the cut connection is counted');
  });
});

describe('an app’s own metrics', () => {
  it('are added up over the workers, also those that have gone, beside our own', async () => {
    const { server, admin } = await seen({
      args: [fixture('tells-figures.js')],
      env: { DRAIN_TIMEOUT: '3' },
    });
    for (let i = 0; i < 8; i++) await exchange(server.port, request('GET', '/'));
    const jobs = async (): Promise<number | undefined> =>
      (await samplesAt(admin)).get('jobs_total{kind="a"}');
    expect(await jobs()).to.equal(8);
    expect((await samplesAt(admin)).get('queue')).to.equal(4);
    await reload(server, 2);
    await eventually(() => server.workers().length === 2, 'the old workers have gone');
    await exchange(server.port, request('GET', '/'));
    expect(await jobs()).to.equal(9);
    await eventually(
      async () => (await samplesAt(admin)).get('queue') === 4,
      'the queues of the new workers alone',
    );
    await server.says(/metrics of the app are left out: http_requests_total is one of its own\n/);
    expect(server.out.match(/left out/g)).to.have.length(1);
  });

  it('are left out with one warning where they are no metrics', async () => {
    const { server, admin } = await seen({ args: [fixture('tells-figures.js')], env: { BAD_METRICS: '1' } });
    for (let i = 0; i < 3; i++) expect((await samplesAt(admin)).has('jobs_total{kind="a"}')).to.equal(false);
    await server.says(/metrics of the app are left out: line 1 is no Prometheus text: no metrics\n/);
    expect(server.out.match(/left out/g)).to.have.length(1);
  });
});

describe('the metrics', () => {
  it('need no package: what is built has all that makes them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    try {
      cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
      cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
      cpSync(fixture('tells-figures.js'), join(folder, 'app.mjs'));
      const main = join(folder, 'dist', 'main.js');
      const { server, admin } = await seen({ main, cwd: folder, args: ['app.mjs'] });
      await exchange(server.port, request('GET', '/'));
      expect((await samplesAt(admin)).get('jobs_total{kind="a"}')).to.equal(1);
      const open = await fetch(`${admin}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
      expect(await open.text()).to.match(/^jobs_total\{kind="a"\} 1\n.*# EOF\n$/ms);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('health', () => {
  it('is told while the fleet boots, while it serves, and while it stops', async () => {
    const port = await freePort();
    const admin = `http://127.0.0.1:${port}`;
    const args = [fixture('slow-boot.js')];
    const server = launch({ args, env: { ADMIN_PORT: String(port), SHUTDOWN_DELAY: '2' } });
    const answers = async (): Promise<boolean> =>
      fetch(`${admin}/livez`).then(
        () => true,
        () => false,
      );
    await eventually(answers, 'the admin listener answers');
    expect(await health(`${admin}/livez`)).to.equal('200 0 of 2 workers ready: it starts');
    expect(await health(`${admin}/readyz`)).to.equal('503 0 of 2 workers ready: it starts');
    await server.serving();
    expect(await health(`${admin}/readyz`)).to.equal('200 2 of 2 workers ready');
    server.signal('SIGTERM');
    await server.says(/Received SIGTERM/);
    expect(await health(`${admin}/readyz`)).to.equal('503 it was asked to stop');
    expect(await health(`${admin}/livez`)).to.equal('200 it was asked to stop');
    expect((await server.end()).code).to.equal(0);
    expect(await answers()).to.equal(false);
  });

  it('takes the app’s word: unwell everywhere is not ready, says why, and kills nobody', async () => {
    const place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const SICK = join(place, 'sick');
    writeFileSync(SICK, '');
    const { server, admin } = await seen({ args: [fixture('tells-figures.js')], env: { SICK } });
    const pids = server.workers();
    const all = '503 0 of 2 workers ready: no database';
    await eventually(async () => (await health(`${admin}/readyz`)) === all, 'it is not ready');
    expect(await health(`${admin}/livez`)).to.equal('200 0 of 2 workers ready: no database');
    expect((await statusAt(admin)).workers.map(({ unwell }) => unwell)).to.deep.equal([
      'no database',
      'no database',
    ]);
    expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    rmSync(place, { recursive: true });
    await eventually(
      async () => (await health(`${admin}/readyz`)) === '200 2 of 2 workers ready',
      'it is ready again',
    );
    expect(server.workers()).to.have.members(pids);
    expect(server.out.match(/^worker \d \(pid \d+\) is unwell: no database$/gm)).to.have.length(2);
    expect(server.out.match(/^worker \d \(pid \d+\) is well again$/gm)).to.have.length(2);
  });

  it('is never said to be ready by a worker whose app is unwell from its start, over reloads too', async () => {
    const place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const SICK = join(place, 'sick');
    writeFileSync(SICK, '');
    const port = await freePort();
    const admin = `http://127.0.0.1:${port}`;
    const args = [fixture('tells-figures.js')];
    const server = launch({ args, env: { SICK, ADMIN_PORT: String(port), DRAIN_TIMEOUT: '1' } });
    const seenReady: string[] = [];
    const watching = { goesOn: true };
    const watched = (async () => {
      while (watching.goesOn) {
        const said = await health(`${admin}/readyz`).catch(() => '503');
        if (!said.startsWith('503')) seenReady.push(said);
      }
    })();
    await server.serving();
    await reload(server, 2);
    watching.goesOn = false;
    await watched;
    expect(seenReady).to.deep.equal([]);
    rmSync(place, { recursive: true });
  });

  it('is asked of an export that comes after the server listens', async () => {
    const { admin } = await seen({ args: [fixture('unwell-later.mjs')] });
    await eventually(
      async () => (await health(`${admin}/readyz`)) === '503 0 of 2 workers ready: no database',
      'the app is asked',
    );
  });
});

describe('the admin listener', () => {
  it('that cannot be had ends the start with 1 and the line of the public port', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const { port } = taken.address() as { readonly port: number };
    const server = launch({ env: { ADMIN_PORT: String(port) } });
    expect((await server.end()).code).to.equal(1);
    expect(server.err).to.equal(`Port ${port} is already in use\n`);
    expect(server.out).to.equal('');
    taken.close();
  });

  it('is not there unless it is asked for', async () => {
    const server = launch({ env: { ADMIN_PORT: '' } });
    await server.serving();
    expect(new Set(listeningIn(server.pid)).size).to.equal(1);
  });

  it('tells the requests in flight nobody: those are asked for on the control socket', async () => {
    const { admin } = await seen();
    expect((await fetch(`${admin}/top`)).status).to.equal(404);
  });
});

/** The inodes of the TCP sockets that listen in this process. */
function listeningIn(pid: number): string[] {
  const listening = ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A')
    .map((fields) => fields[9]);
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? [];
      return inode !== undefined && listening.includes(inode) ? [inode] : [];
    } catch {
      return [];
    }
  });
}
