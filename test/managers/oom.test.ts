// The kernel's own kill for memory, in a cgroup with a limit. Needs root, for the cgroup.

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { samplesAt, seen, statusAt } from '../helpers/seen.ts';
import { cleanUp, eventually, fixture, launch } from '../helpers/server.ts';

const V1 = existsSync('/sys/fs/cgroup/memory');
const LIMIT_MIB = 250;

describe('in a cgroup whose memory is used up', () => {
  const cgroup = join('/sys/fs/cgroup', V1 ? 'memory' : '', `hello-server-oom-${process.pid}`);
  /** What puts a process into it. */
  const under = ['sh', '-c', 'echo $$ >"$0" && exec "$@"', join(cgroup, 'cgroup.procs')];
  const limit = (mebibytes: number): void =>
    writeFileSync(join(cgroup, V1 ? 'memory.limit_in_bytes' : 'memory.max'), String(mebibytes * 1_048_576));

  beforeEach(() => {
    mkdirSync(cgroup);
    limit(LIMIT_MIB);
  });
  afterEach(async () => {
    await cleanUp();
    // The kernel has let go of a process some time after it is gone.
    await eventually(() => {
      try {
        rmdirSync(cgroup);
        return true;
      } catch {
        return false;
      }
    }, 'the cgroup is free');
  });

  it('a worker says that the kernel killed it for memory, with its request', async () => {
    const { server, admin } = await seen({
      args: [fixture('grows-slowly.js')],
      env: { WEB_CONCURRENCY: '1' },
      under,
    });
    (await Raw.open(server.port)).send(request('GET', '/grow?token=secret'));
    await server.says(
      /worker 0 \(pid \d+\) crashed: SIGKILL after \d+\.\d s, the kernel killed for memory \(rss \d+ of 250 MiB\), working on GET \/grow, respawning\n/,
      30_000,
    );
    await eventually(
      async () => (await exchange(server.port, request('GET', '/')).catch(() => undefined))?.status === 200,
      'another worker answers',
    );
    expect((await statusAt(admin)).workers[0]?.lastExit).to.match(/^SIGKILL, the kernel killed for memory/);
    expect((await samplesAt(admin)).get('hello_server_worker_exits_total{reason="out_of_memory"}')).to.equal(
      1,
    );
    const [worker = 0] = server.workers();
    process.kill(worker, 'SIGKILL');
    await server.says(/crashed: SIGKILL after \d+\.\d s, killed from outside/);
  });

  it('a worker that dies at boot says so, too', async () => {
    const server = launch({
      args: [fixture('grows-at-boot.js')],
      env: { WEB_CONCURRENCY: '1', BOOT_TIMEOUT: '60' },
      under,
    });
    expect(await server.end(60_000)).to.deep.equal({ code: 1, signal: null });
    expect(server.err).to.match(
      /^worker 0 died of SIGKILL before it was ready, the kernel killed for memory \(limit 250 MiB\)\n/,
    );
  });
});
