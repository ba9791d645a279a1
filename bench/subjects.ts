// Who is measured beside the peers: hello-server as it is delivered, and the three-line server that it is set against.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, read } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Change, named, plural } from './change.ts';
import { ask } from './measure/ask.ts';
import { ROOT, SUBJECTS } from './paths.ts';
import { until } from './replacing.ts';
import { type Place, type Server, type Sink, type Subject, SubjectError } from './subject.ts';
import { manifestOf, nodeVersion } from './versions.ts';

/** hello-server, all of it on. */
export function hello(workers: number, change: Change = {}): Subject {
  const { env = {}, app, log = 'text request log into a file' } = change;
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    ...named(`hello-server, ${plural(workers)}`, change),
    settings: [`WEB_CONCURRENCY=${workers}`, ...set, log].join(', '),
    version: () => manifestOf(ROOT),
    command: ({ node, folder }) => ({
      file: node,
      args: [join(ROOT, 'dist', 'main.js'), ...(app === undefined ? [] : [app])],
      env: { ...env, WEB_CONCURRENCY: String(workers), CONTROL_SOCKET: controlSocket(folder) },
    }),
    reload: async (server) => {
      const { generation } = await status(server);
      process.kill(server.pid, 'SIGHUP');
      const replaced = async (): Promise<boolean> => {
        const now = await status(server);
        return now.generation > generation && now.state === 'running';
      };
      await until(replaced, server);
    },
  };
}

/** What `hello-server status --json` prints, as far as it is used here. */
export interface Status {
  readonly state: string;
  readonly generation: number;
  readonly workers: readonly { readonly pid: number; readonly stage: string }[];
}

/** Asks a running hello-server for its status. */
export async function status({ folder, subject }: Server): Promise<Status> {
  const reply = await ask(controlSocket(folder), '/status');
  if (reply?.status !== 200) throw new SubjectError(`${subject.name}: expected its status, got none`);
  return JSON.parse(reply.body);
}

const controlSocket = (folder: string): string => join(folder, 'control.sock');

/** The three-line server in one process. */
export const bareHttp = (change: Change = {}): Subject => bare('bare node:http', 0, change);

/** The three-line server under node:cluster, its scheduling as it is by default. */
export const bareCluster = (workers: number, change: Change = {}): Subject =>
  bare(`bare node:cluster, ${plural(workers)}`, workers, change);

function bare(name: string, workers: number, change: Change): Subject {
  const { env = {}, app } = change;
  const set = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  return {
    ...named(name, change),
    settings: [
      app === undefined ? "r.end('Hello, World!') and nothing else" : 'the app as it is',
      ...(workers > 0 ? ["node:cluster's default policy"] : []),
      ...set,
      'no log',
    ].join(', '),
    version: (node) => nodeVersion(node).replace('v', 'Node '),
    command: ({ node }) => ({
      file: node,
      args: [join(SUBJECTS, 'bare.cjs')],
      env: { ...env, WORKERS: String(workers), ...(app !== undefined && { APP: app }) },
    }),
  };
}

/** A pipe that is read at 4 KiB a second. */
export function slowPipe({ folder }: Place): Sink {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, 'w');
  const buffer = Buffer.alloc(4096);
  // Nothing there, EAGAIN, is as good as a page: the pipe is full most of the time.
  const timer = setInterval(() => read(reader, buffer, 0, buffer.length, null, () => {}), 1000);
  return {
    fd,
    close: () => {
      clearInterval(timer);
      closeSync(fd);
      closeSync(reader);
    },
  };
}

/** The numbers of workers worth a look here: 1, 2, 4 ... up to twice the cores. */
export function workerCounts(): number[] {
  const most = 2 * availableParallelism();
  return Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, i) => 2 ** i);
}
