// Releases that boot and are bad all the same: each is taken back by its traffic, and what it costs is what the verdict needs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Meter } from '../helpers/meter.ts';
import { exchange, request as get } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, fixture, MAIN, type Running, serve } from '../helpers/server.ts';

/** Requests that a broken release answers before it is taken back: the verdict's own figures, and a second of traffic. */
const MOST_BAD = 400;

describe('a release', function () {
  this.timeout(90_000);
  let place: string;
  let release: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    release = join(place, 'release.json');
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  const deploy = (behaviour: Readonly<Record<string, unknown>>): void =>
    writeFileSync(release, JSON.stringify(behaviour));

  const start = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
    serve({
      args: [fixture('release.js')],
      env: {
        RELEASE: release,
        ACCESS_LOG: 'false',
        DRAIN_TIMEOUT: '3',
        CANARY_TIME: '20',
        WEB_CONCURRENCY: '3',
        ...env,
      },
    });

  const load = (port: number): Meter =>
    new Meter(port, [
      { name: 'keep-alive', clients: 12, thinkMs: 60, fresh: false, bodyBytes: 0 },
      { name: 'fresh connection', clients: 6, thinkMs: 60, fresh: true, bodyBytes: 0 },
    ]);

  for (const [name, behaviour, said] of [
    [
      'fails every time',
      { fails: 1 },
      /generation 2 answered \d+ of \d+ with 5xx, generation 1 0 of [\d ]+\n/,
    ],
    [
      'fails one time in ten',
      { fails: 0.1 },
      /generation 2 answered \d+ of [\d ]+ with 5xx, generation 1 0 of [\d ]+\n/,
    ],
    [
      'is several times as slow',
      { ms: 40 },
      /generation 2 took \d+ ms in the median of [\d ]+, generation 1 /,
    ],
  ] as const) {
    it(`that ${name} is taken back, nothing is lost, and the old workers keep their pids`, async () => {
      deploy({ ms: 4 });
      const server = await start();
      const pids = server.workers();
      const meter = load(server.port);
      await eventually(() => meter.tally.ok > 300, 'load');
      deploy(behaviour);
      server.signal('SIGHUP');
      await server.says(/canary: 1 worker of generation 2 for 20\.0 s\n/);
      await server.says(/reload abandoned, .*\n/, 40_000);
      expect(server.err + server.out).to.match(said);
      await eventually(() => String(server.workers()) === String(pids), 'the old workers alone');
      const { ok, 'other status': bad, ...lost } = await meter.stop();
      expect(lost).to.deep.equal({ refused: 0, reset: 0, 'cut off': 0, hang: 0 });
      expect(bad).to.be.at.most(MOST_BAD);
      expect(ok).to.be.above(300);
    });
  }

  it('that leaks is taken back where the last one kept to MAX_MEMORY, and nothing is lost', async () => {
    deploy({ ms: 4 });
    const server = await start({ MAX_MEMORY: '150' });
    const meter = load(server.port);
    await eventually(() => meter.tally.ok > 300, 'load');
    deploy({ ms: 4, leaks: 1024 });
    server.signal('SIGHUP');
    await server.says(
      /reload abandoned, .*: worker \d of generation 2 asked for its replacement: MAX_MEMORY\n/,
      40_000,
    );
    await meter.stop();
    expect(meter.lost, JSON.stringify(meter.losses)).to.equal(0);
  });

  it('that hangs on one route is taken back when it does', async () => {
    deploy({ ms: 4 });
    const server = await start({ HANG_TIMEOUT: '2' });
    const pids = server.workers();
    deploy({ ms: 4, stuck: true });
    server.signal('SIGHUP');
    await server.says(/canary: 1 worker of generation 2/);
    // Until the new one takes one of them; the old ones answer the others.
    const asking = setInterval(() => void exchange(server.port, get('GET', '/stuck')).catch(() => {}), 100);
    await server.says(/reload abandoned, /, 20_000);
    clearInterval(asking);
    await eventually(() => String(server.workers()) === String(pids), 'the old workers alone');
  });

  it('that is as good as the last one passes', async () => {
    deploy({ ms: 4 });
    const server = await start({ CANARY_TIME: '4' });
    const meter = load(server.port);
    await eventually(() => meter.tally.ok > 300, 'load');
    await reload(server, 2);
    expect(server.out).to.match(/canary passed: generation 2, [\d ]+ answers judged\n/);
    await meter.stop();
    expect(meter.lost, JSON.stringify(meter.losses)).to.equal(0);
  });

  it('is not taken back when both generations fail alike', async () => {
    deploy({ fails: 0.5 });
    const server = await start({ CANARY_TIME: '6' });
    const meter = load(server.port);
    await eventually(() => meter.tally.ok > 300, 'load');
    await reload(server, 2);
    await meter.stop();
  });

  it('is not judged by force', async () => {
    deploy({});
    const server = await start({ CANARY_TIME: '5', CONTROL_SOCKET: join(place, 'control.sock') });
    const meter = load(server.port);
    await eventually(() => meter.tally.ok > 300, 'load');
    deploy({ fails: 1 });
    const asked = reloadByForce(join(place, 'control.sock'));
    await server.says(/reloaded: generation 2 /, 30_000);
    expect(await asked).to.equal(0);
    await meter.stop();
  });
});

/** Runs `reload --force`, and leaves the load going meanwhile; resolves with its exit code. */
async function reloadByForce(socketPath: string): Promise<number | null> {
  const command = spawn(process.execPath, [MAIN, 'reload', '--force'], {
    env: { PATH: process.env.PATH, CONTROL_SOCKET: socketPath },
    stdio: 'ignore',
  });
  const [code] = await once(command, 'exit');
  return code;
}
