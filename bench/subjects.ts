// The servers that are measured side by side: ours as it is delivered, and the plainest ones there are.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What is measured, by its name in the table. */
export interface Subject {
  readonly name: string;
  /** Arguments of node, and the environment beside PORT. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const bare = (workers: number): Subject => ({
  name: workers === 0 ? 'bare node:http' : `bare node:cluster, ${workers} workers`,
  args: [join(ROOT, 'bench', 'bare.cjs')],
  env: { WORKERS: String(workers) },
});

const hello = (workers: number): Subject => ({
  name: `hello-server, ${workers} worker${workers === 1 ? '' : 's'}`,
  args: [join(ROOT, 'dist', 'main.js')],
  env: { WEB_CONCURRENCY: String(workers) },
});

/** The first of each is the baseline of the others. */
export const ONE_PROCESS: readonly Subject[] = [bare(0), hello(1)];
export const TWO_WORKERS: readonly Subject[] = [bare(2), hello(2)];

/** A subject that runs. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Starts a subject; its stdout goes to a file, as a log does. Resolves when it answers. */
export async function start({ name, args, env }: Subject, log: string): Promise<Server> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env, PORT: String(port) },
    stdio: ['ignore', openSync(log, 'a'), 'inherit'],
  });
  await answers(port);
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(late);
  };
  return { name, port, pid: child.pid ?? 0, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

async function answers(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const ok = await fetch(`http://127.0.0.1:${port}/`).then(
      (res) => res.text().then(() => res.ok),
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`expected an answer on port ${port} within 10 s`);
}
