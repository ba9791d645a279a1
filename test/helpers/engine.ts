// A Docker engine of its own to test on, with the base images that it cannot fetch, and a copy of this repository.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, ROOT } from './server.ts';

/** What an image is built from, and what an operator has beside it. */
const SOURCES = [
  '.dockerignore',
  'Dockerfile',
  'LICENSE',
  'compose.yaml',
  'deploy',
  'package-lock.json',
  'package.json',
  'scripts',
  'src',
  'tsconfig.json',
];

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** A running engine. Needs root and Debian's docker.io, docker-compose and debootstrap. */
export class Engine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hello-server-engine-'));
  readonly #socket = `unix://${join(this.#folder, 'docker.sock')}`;
  #daemon: ChildProcess | undefined;

  /** The copy of the repository, where commands run. */
  readonly source = join(this.#folder, 'source');
  /** The engine's storage and processes' state. */
  readonly #data = join(this.#folder, 'data');

  async boot(): Promise<this> {
    for (const name of SOURCES)
      cpSync(join(ROOT, name), join(this.source, name), { recursive: true, verbatimSymlinks: true });
    mkdirSync(this.#data);
    const log = openSync(join(this.#folder, 'log'), 'w');
    const places = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [
      `--${name}`,
      join(this.#data, name),
    ]);
    this.#daemon = spawn('dockerd', ['--host', this.#socket, ...places], {
      stdio: ['ignore', log, log],
    });
    await eventually(
      async () => (await this.docker('version')).status === 0,
      `the engine answers; its log is ${join(this.#folder, 'log')}`,
      60_000,
    );
    await this.#makeBase();
    return this;
  }

  /** Debian with a Node 24 and HAProxy, under the names that Dockerfile and compose.yaml have for the public images. */
  async #makeBase(): Promise<void> {
    const root = join(this.#folder, 'root');
    const include = '--include=haproxy,ca-certificates';
    await this.#must('debootstrap', '--variant=minbase', include, 'bookworm', root);
    const withNode = join(ROOT, 'scripts', 'with-node');
    const node = execFileSync(withNode, ['24', 'node', '-p', 'process.execPath'], {
      encoding: 'utf8',
    }).trim();
    const modules = execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim();
    cpSync(node, join(root, 'usr/local/bin/node'));
    cpSync(join(modules, 'npm'), join(root, 'usr/local/lib/node_modules/npm'), {
      recursive: true,
      dereference: true,
    });
    execFileSync('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm')]);
    // npm in there fetches from where npm out here does, and trusts whom it trusts.
    const lines = ['registry', 'proxy', 'https-proxy', 'cafile'].map((name) => [name, npmSetting(name)]);
    const given = lines.filter(([, value]) => value !== 'null' && value !== '');
    writeFileSync(join(root, 'root/.npmrc'), given.map(([name, value]) => `${name}=${value}\n`).join(''));
    const authorities = npmSetting('cafile');
    if (authorities.startsWith('/')) cpSync(authorities, join(root, authorities), { dereference: true });
    await this.#must('sh', '-c', `tar -C ${root} -c . | docker import - node:24-slim`);
    rmSync(root, { recursive: true });
    await this.build('haproxy:2.6', 'FROM node:24-slim\nRUN mkdir -p /var/empty\n');
  }

  /** Runs a command in the copy of the repository; `docker` in it is this engine. */
  run(command: string, ...args: string[]): Promise<Result> {
    const child = spawn(command, args, {
      cwd: this.source,
      env: {
        ...process.env,
        DOCKER_HOST: this.#socket,
        DOCKER_CONFIG: this.#data,
        DOCKER_BUILDKIT: '0',
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ ...said, status }));
    });
  }

  /** Environment of the commands. */
  env: Record<string, string> = {};

  /**
   * Runs a line of shell as a user types it, and fails if it does. Debian has Compose as a command of its own, and there is no
   * terminal here.
   */
  async line(line: string, folder = this.source): Promise<string> {
    const here = line.replace('docker compose exec ', 'docker compose exec -T ');
    const { stdout, stderr, status } = await this.run(
      'sh',
      '-c',
      `cd "$0" && ${here.replace('docker compose ', 'docker-compose ')}`,
      folder,
    );
    if (status !== 0) throw new Error(`${line} exited with ${status}\n${stdout}\n${stderr}`);
    return stdout.trim();
  }

  docker(...args: string[]): Promise<Result> {
    return this.run('docker', ...args);
  }

  /** A value of `docker inspect`. */
  async inspect(name: string, format: string): Promise<string> {
    return (await this.docker('inspect', '-f', format, name)).stdout.trim();
  }

  /** stdout and stderr of a container. */
  async logs(name: string): Promise<string> {
    const { stdout, stderr } = await this.docker('logs', name);
    return stdout + stderr;
  }

  /** Builds an image; `files` are beside its Dockerfile. */
  async build(
    name: string,
    dockerfile: string,
    files: Readonly<Record<string, string | Buffer>> = {},
  ): Promise<void> {
    const folder = mkdtempSync(join(this.#folder, 'build-'));
    for (const [file, text] of Object.entries({ Dockerfile: dockerfile, ...files }))
      writeFileSync(join(folder, file), text, { mode: 0o755 });
    await this.#must('docker', 'build', '-q', '-t', name, folder);
  }

  async #must(command: string, ...args: string[]): Promise<void> {
    const { stdout, stderr, status } = await this.run(command, ...args);
    if (status !== 0)
      throw new Error(`${command} ${args.join(' ')} exited with ${status}\n${stdout}\n${stderr}`);
  }

  /** Ends every container, then the engine, and removes all it had. */
  async stop(): Promise<void> {
    await this.docker('swarm', 'leave', '--force');
    const { stdout } = await this.docker('ps', '-aq');
    const containers = stdout.split('\n').filter(Boolean);
    if (containers.length > 0) await this.docker('rm', '-f', '-v', ...containers);
    const daemon = this.#daemon;
    if (daemon && daemon.exitCode === null) {
      const exited = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      await exited;
    }
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(this.#folder));
    for (const path of mounts.toReversed()) execFileSync('umount', ['-l', path]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const npmSetting = (name: string): string =>
  execFileSync('npm', ['config', 'get', name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
