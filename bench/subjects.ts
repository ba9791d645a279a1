// Who is measured: hello-server as it is delivered, and its peers, each answering alike as far as it can.

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, read, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ask } from './measure/ask.ts';
import { workersOf } from './measure/process-tree.ts';
import { type Place, type Server, type Sink, type Subject, SubjectError } from './subject.ts';

/** The repository's folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const SUBJECTS = join(ROOT, 'bench', 'subjects');
/** Where the packages of bench/package.json are. */
const PACKAGES = join(ROOT, 'bench', 'node_modules');
const PM2 = join(ROOT, 'node_modules', 'pm2', 'bin');
const RELOAD_MS = 100_000;

const plural = (workers: number): string => `${workers} worker${workers === 1 ? '' : 's'}`;

/** What a run changes about a subject. */
export interface Change {
  /** Behind its name. */
  readonly tag?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The path of a Node of its own. */
  readonly node?: string;
  readonly stdout?: (place: Place) => Sink;
  /** The path of an app in Hello's place. */
  readonly app?: string;
  /** In place of "text request log into a file". */
  readonly log?: string;
}

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
    version: nodeVersion,
    command: ({ node }) => ({
      file: node,
      args: [join(SUBJECTS, 'bare.cjs')],
      env: { ...env, WORKERS: String(workers), ...(app !== undefined && { APP: app }) },
    }),
  };
}

/** fastify in one process. */
export const fastify: Subject = {
  name: 'fastify',
  settings: 'one process, one route, its logger off (its default)',
  version: () => manifestOf(join(PACKAGES, 'fastify')),
  command: ({ node }) => ({ file: node, args: [join(SUBJECTS, 'fastify.cjs')] }),
};

/** pm2 in cluster mode. */
export function pm2(workers: number, change: Change = {}): Subject {
  const env = (folder: string): Record<string, string> => ({
    ...change.env,
    PM2_HOME: join(folder, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
  });
  return {
    ...named(`pm2 cluster, ${plural(workers)}`, change),
    settings: `pm2-runtime start -i ${workers}, no log, server.close() on SIGINT, reload by \`pm2 reload all\``,
    version: () => manifestOf(join(ROOT, 'node_modules', 'pm2')),
    command: ({ node, folder }) => ({
      file: node,
      args: [join(PM2, 'pm2-runtime'), 'start', join(SUBJECTS, 'pm2-app.cjs'), '-i', String(workers)],
      env: env(folder),
    }),
    reload: async ({ node, folder, port }) => {
      await promisify(execFile)(node, [join(PM2, 'pm2'), 'reload', 'all'], {
        env: { PATH: process.env.PATH, HOME: folder, ...env(folder), PORT: String(port) },
        timeout: RELOAD_MS,
      });
    },
  };
}

/** nginx answering by itself. */
export function nginx(workers: number): Subject {
  const spares = nginxKnowsMinTimeout();
  return {
    name: `nginx, ${plural(workers)}`,
    settings: [
      `worker_processes ${workers}`,
      'return 200',
      'access_log into a file',
      spares ? 'keepalive_min_timeout 5s' : 'no keepalive_min_timeout: not known before 1.27.4',
      'reload by HUP',
    ].join(', '),
    needs: 'nginx',
    version: nginxVersion,
    command: ({ port, folder }) => {
      const file = join(folder, 'nginx.conf');
      writeFileSync(file, nginxConfig(port, workers, spares));
      return { file: 'nginx', args: ['-p', folder, '-c', file, '-e', 'error.log'] };
    },
    reload: (server) => replaceWorkers(server, 'SIGHUP'),
  };
}

const nginxVersion = (): string => firstMatch('nginx', ['-v'], /nginx\/(\S+)/);

function nginxKnowsMinTimeout(): boolean {
  const [major = 0, minor = 0, patch = 0] = nginxVersion().split('.').map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 1_027_004;
}

const nginxConfig = (port: number, workers: number, spares: boolean): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes ${workers};
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log access.log;
  ${spares ? 'keepalive_min_timeout 5s;' : ''}
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp;`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      default_type 'text/html; charset=utf-8';
      return 200 'Hello, World!';
    }
  }
}
`;

/** gunicorn with Flask: its sync workers, which are its default, or threads that keep connections. */
export function gunicorn(workers: number, kind: 'sync' | 'gthread' = 'sync'): Subject {
  const threads = kind === 'gthread' ? ['--worker-class', 'gthread', '--threads', '32'] : [];
  return {
    name: `gunicorn + Flask, ${plural(workers)}${kind === 'sync' ? '' : ', threads'}`,
    settings: [
      `-w ${workers}`,
      ...(kind === 'sync'
        ? ['sync workers, which close the connection after each answer']
        : ['--worker-class gthread --threads 32 --keep-alive 5']),
      'access log into a file',
      'reload by HUP',
    ].join(', '),
    needs: 'gunicorn',
    version: () =>
      `${firstMatch('gunicorn', ['--version'], /version ([^)\s]+)/)}, Flask ${firstMatch('python3', ['-c', 'import importlib.metadata as m; print(m.version("flask"))'], /(\S+)/)}`,
    command: ({ port }) => ({
      file: 'gunicorn',
      args: [
        ...['-w', String(workers), '-b', `127.0.0.1:${port}`, '--chdir', SUBJECTS],
        ...threads,
        ...['--keep-alive', '5', '--access-logfile', '-', 'app:app'],
      ],
      // Nothing of Python is left beside the sources.
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
    reload: (server) => replaceWorkers(server, 'SIGHUP'),
  };
}

/** puma in cluster mode, which is what its phased restart needs. */
export function puma(workers: number): Subject {
  return {
    name: `puma, ${plural(workers)}`,
    settings: `-w ${workers} -t 8:8, Rack, no access log (its default), phased restart by USR1`,
    needs: 'puma',
    version: () => firstMatch('puma', ['--version'], /version (\S+)/),
    command: ({ port }) => ({
      file: 'puma',
      args: [
        ...['-w', String(workers), '-t', '8:8', '-e', 'production'],
        ...['-b', `tcp://127.0.0.1:${port}`, join(SUBJECTS, 'config.ru')],
      ],
    }),
    reload: (server) => replaceWorkers(server, 'SIGUSR1'),
  };
}

function named(name: string, { tag, node, stdout }: Change): Pick<Subject, 'name' | 'node' | 'stdout'> {
  return {
    name: tag === undefined ? name : `${name}, ${tag}`,
    ...(node === undefined ? {} : { node }),
    ...(stdout === undefined ? {} : { stdout }),
  };
}

/** The version of Node at a path. */
export const nodeVersion = (node: string): string =>
  execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

const manifestOf = (folder: string): string =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;

function firstMatch(file: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

/** Signals the root and waits until none of its workers is one that it had before. */
async function replaceWorkers(server: Server, signal: NodeJS.Signals): Promise<void> {
  const before = workersOf(server.pid);
  process.kill(server.pid, signal);
  await until(() => {
    const now = workersOf(server.pid);
    return now.length >= before.length && !now.some((pid) => before.includes(pid));
  }, server);
}

async function until(condition: () => boolean | Promise<boolean>, { subject }: Server): Promise<void> {
  const deadline = performance.now() + RELOAD_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new SubjectError(`${subject.name}: expected its reload to be over within ${RELOAD_MS} ms`);
    await sleep(50);
  }
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
