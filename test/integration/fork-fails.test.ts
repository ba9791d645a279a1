// A fork that fails, whatever the reason and whenever it comes, leaves a service that serves and a primary that obeys.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { STOP_MARGIN_MS } from '../../src/core/deadlines.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, fixture, launch, MAIN, type Running, remove, serve } from '../helpers/server.ts';

const { EMFILE, EAGAIN, ENOMEM } = constants.errno;
const REASONS = {
  EMFILE: 'EMFILE, too many open files',
  EAGAIN: 'EAGAIN, resource temporarily unavailable',
  ENOMEM: 'spawn ENOMEM',
} as const;
/** SHUTDOWN_TIMEOUT of these servers, ms, and in seconds as they are told. */
const STOP_MS = 3000;

describe('a fork that fails', () => {
  let folder: string;
  let control: string;
  let failing: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    control = join(folder, 'control.sock');
    failing = join(folder, 'failing');
  });
  afterEach(() => remove(folder));

  const env = (): Record<string, string> => ({
    CONTROL_SOCKET: control,
    SHUTDOWN_TIMEOUT: String(STOP_MS / 1000),
  });
  const refusing = (): Record<string, string> => ({
    ...env(),
    FAILING_FORKS: failing,
    NODE_OPTIONS: `--no-deprecation --require ${fixture('failing-forks.cjs')}`,
  });
  const command = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      timeout: 10_000,
      env: { PATH: process.env.PATH, CONTROL_SOCKET: control },
    });
  const stages = (): string[] =>
    (JSON.parse(command('status', '--json').stdout || '{"workers":[]}') as Status).workers.map(
      ({ stage }) => stage,
    );
  const endsInTime = async (server: Running, code = 0): Promise<void> => {
    server.signal('SIGTERM');
    expect(await server.end(STOP_MS + STOP_MARGIN_MS), server.log).to.deep.equal({ code, signal: null });
  };

  for (const [name, errno] of Object.entries({ EMFILE, EAGAIN, ENOMEM })) {
    const reason = `cannot fork: ${REASONS[name as keyof typeof REASONS]}`;

    it(`(${name}) once at the start is tried again`, async () => {
      writeFileSync(failing, `${errno} 1`);
      const server = await serve({ env: refusing() });
      expect(server.err).to.include(reason);
      await endsInTime(server);
    });

    it(`(${name}) three times after a crash is tried again with the backoff of a crash`, async () => {
      const server = await serve({ env: refusing() });
      writeFileSync(failing, `${errno} 3`);
      const [first = 0] = server.workers();
      process.kill(first, 'SIGKILL');
      await eventually(() => server.err.split(reason).length === 4, `three failed forks\n${server.log}`);
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
      await eventually(
        () => server.workers().length === 2 && stages().every((stage) => stage === 'ready'),
        'two ready',
      );
      await endsInTime(server);
    });

    it(`(${name}) in a reload abandons it, and the next one succeeds`, async () => {
      const server = await serve({ env: refusing() });
      const before = server.workers();
      writeFileSync(failing, String(errno));
      const reload = command('reload');
      expect(reload.status).to.equal(1);
      expect(reload.stderr).to.equal(`reload abandoned: ${reason}\n`);
      expect(server.workers()).to.have.members(before);
      rmSync(failing);
      expect(command('reload').status, server.log).to.equal(0);
      await endsInTime(server);
    });

    it(`(${name}) every time, after all workers died: TERM ends the primary within its bound`, async () => {
      const server = await serve({ env: refusing() });
      writeFileSync(failing, String(errno));
      for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
      await eventually(() => server.err.includes(reason), 'a failed fork');
      await endsInTime(server);
    });
  }

  describe('as file descriptors run out', () => {
    const limited = (descriptors: number): Promise<Running> =>
      launch({ env: env(), under: ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'] }).serving();

    it('when scaled up too far: it serves, answers status, and recovers by itself when scaled down again', async () => {
      const server = await limited(56);
      for (let workers = 3; workers <= 8; workers++) {
        server.signal('SIGTTIN');
        await server.says(new RegExp(`scaling from ${workers - 1} to ${workers} workers`));
      }
      await server.says(/cannot fork: EMFILE, too many open files/);
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
      await eventually(() => command('status').status === 0, `status answers\n${server.log}`);
      for (let workers = 7; workers >= 2; workers--) {
        server.signal('SIGTTOU');
        await server.says(new RegExp(`scaling from ${workers + 1} to ${workers} workers`));
      }
      await eventually(() => stages().join() === 'ready,ready', `two ready workers\n${server.log}`);
      await endsInTime(server);
    });

    it('when scaled up too far: TERM ends it within its bound', async () => {
      const server = await limited(56);
      for (let workers = 3; workers <= 8; workers++) {
        server.signal('SIGTTIN');
        await server.says(new RegExp(`scaling from ${workers - 1} to ${workers} workers`));
      }
      await server.says(/cannot fork: EMFILE/);
      await endsInTime(server);
    });

    it('when clients of the control socket take all of them: status answers, a crash is mended, TERM is obeyed', async () => {
      const server = await limited(64);
      const clients: Socket[] = [];
      for (let i = 0; i < 60; i++) {
        const client = connect(control);
        client.on('error', () => {});
        clients.push(client);
      }
      await server.says(/no file descriptor is left in the primary/);
      await eventually(() => command('status').status === 0, `status answers\n${server.log}`);
      const [first = 0] = server.workers();
      process.kill(first, 'SIGKILL');
      for (const client of clients) client.destroy();
      await eventually(() => stages().join() === 'ready,ready', `two ready workers\n${server.log}`);
      await endsInTime(server);
    });
  });
});
