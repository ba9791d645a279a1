// Upgrades of a real server, as a user asks for them.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Status } from '../../src/control/status.ts';
import { launch, type Options, ROOT, type Running, serve } from './server.ts';

/** Whether this Node keeps the process in an upgrade. */
export const RELAYS = typeof (process as { execve?: unknown }).execve === 'function';

/** The Node of another version, from the package registry. */
export function otherNode(version: number): string {
  const { stdout, stderr } = spawnSync(
    join(ROOT, 'scripts', 'with-node'),
    [String(version), 'node', '-p', 'process.execPath'],
    { encoding: 'utf8', timeout: 120_000 },
  );
  if (!stdout.startsWith('/')) throw new Error(`expected a Node ${version}, got ${stdout}${stderr}`);
  return stdout.trim();
}

/** How a command ended, and what it said. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A server with a control socket of its own, and commands to it. */
export class Upgradable {
  readonly folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  readonly path = join(this.folder, 'control.sock');

  serve({ env, ...options }: Options = {}): Promise<Running> {
    return serve({
      ...options,
      env: { CONTROL_SOCKET: this.path, SETTLE_TIME: '0', DRAIN_TIMEOUT: '3', ACCESS_LOG: 'false', ...env },
    });
  }

  /** Begins a command, which the load beside it does not wait for. */
  begin(...args: string[]): Running {
    return launch({ args, env: { CONTROL_SOCKET: this.path } });
  }

  async run(...args: string[]): Promise<Said> {
    const running = this.begin(...args);
    const { code } = await running.end(60_000);
    return { code, out: running.out, err: running.err };
  }

  async status(): Promise<Status> {
    const { out, err } = await this.run('status', '--json');
    if (out === '') throw new Error(err);
    return JSON.parse(out) as Status;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
