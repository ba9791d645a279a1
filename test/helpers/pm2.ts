// The real pm2, its daemon in a home of its own below the folder for temporary files.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULTS } from '../../src/core/config.ts';
import { freePort } from '../../src/primary/free-port.ts';
import { block } from './manual.ts';
import { eventually, MAIN, ROOT } from './server.ts';

/** pm2 is a dependency of this repository. */
const BIN = join(ROOT, 'node_modules', '.bin');
/** What the manual's project serves: Hello, by its own module. */
const APP = `export { default, options } from 'hello-server/app';\n`;
const COMMAND_MS = 40_000;

/** How pm2 describes an app. */
export interface Entry {
  readonly pid: number;
  readonly status: string;
  readonly restarts: number;
  readonly exitCode: number | undefined;
  readonly listenTimeoutMs: number;
  readonly killTimeoutMs: number;
}

/** A command that has ended. */
export interface Done {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Described {
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly exit_code?: number;
    readonly listen_timeout: number;
    readonly kill_timeout: number;
  };
}

/** pm2 with one daemon of its own, and the environment of its user. */
export class Pm2 {
  readonly folder = mkdtempSync(join(tmpdir(), 'hello-server-pm2-'));
  readonly port: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly shop: string;
  readonly #mark: string;
  readonly #cwd: string;
  #commands = new Set<ChildProcess>();

  private constructor(port: number, env: Readonly<Record<string, string>>, cwd: string | undefined) {
    this.shop = join(this.folder, 'shop');
    this.#cwd = cwd ?? this.shop;
    const { PATH, HOME } = process.env;
    const home = join(this.folder, 'home');
    this.port = port;
    this.#mark = `PM2_HOME=${home}\0`;
    this.env = {
      PATH: `${BIN}:${PATH}`,
      HOME,
      npm_config_update_notifier: 'false',
      PM2_HOME: home,
      PM2_DISABLE_VERSION_CHECK: 'true',
      PORT: String(port),
      CONTROL_SOCKET: join(this.folder, 'control.sock'),
      WEB_CONCURRENCY: '2',
      ...env,
    };
  }

  /** A user of pm2 whose PORT is free; commands run in the folder of {@link shop}, or in another one. */
  static async open(env: Readonly<Record<string, string>> = {}, cwd?: string): Promise<Pm2> {
    const pm2 = new Pm2(await freePort(undefined), env, cwd);
    if (cwd === undefined) await pm2.#makeShop();
    return pm2;
  }

  /** The project of the manual: an app called `shop`, hello-server where npm puts it, and what init writes. */
  async #makeShop(): Promise<void> {
    const bin = join(this.shop, 'node_modules', '.bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync(ROOT, join(this.shop, 'node_modules', 'hello-server'));
    symlinkSync('../hello-server/dist/main.js', join(bin, 'hello-server'));
    writeFileSync(join(this.shop, 'package.json'), '{ "name": "shop", "type": "module" }');
    writeFileSync(join(this.shop, 'server.js'), APP);
    // What is in this environment would be written into the file, and come before the environment of a command.
    const unset = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '']));
    const child = this.#spawn(process.execPath, [MAIN, 'init', 'pm2'], unset);
    const { code, err } = await this.#toEnd(child, 'hello-server init pm2');
    if (code !== 0) throw new Error(`expected an ecosystem file, got ${err}`);
  }

  /** Starts a command, in a group of its own. */
  #spawn(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn(file, args, {
      cwd: this.#cwd,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#commands.add(child);
    return child;
  }

  /** Runs what a user types to its end, in the shell, with more in its environment. */
  type(line: string, env: Readonly<Record<string, string>> = {}): Promise<Done> {
    return this.#toEnd(this.start(line, env), `\`${line}\``);
  }

  /** Starts what a user types, and does not wait for its end. */
  start(line: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
    return this.#spawn('sh', ['-c', line], env);
  }

  /** What a terminal does on Ctrl-C: INT to the whole group of a command. */
  ctrlC(child: ChildProcess): void {
    if (child.pid === undefined) throw new Error('expected a command that runs');
    process.kill(-child.pid, 'SIGINT');
  }

  async #toEnd(child: ChildProcess, what: string): Promise<Done> {
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    let ended = false;
    child.once('close', () => {
      ended = true;
    });
    await eventually(() => ended, `${what} to end`, COMMAND_MS);
    this.#commands.delete(child);
    return { code: child.exitCode, out, err };
  }

  /** All apps that pm2 has. */
  async entries(): Promise<Entry[]> {
    const { out } = await this.type('pm2 jlist');
    // The daemon's first start puts a banner before the list.
    const list: Described[] = JSON.parse(out.slice(out.lastIndexOf('\n[') + 1));
    return list.map(({ pid, pm2_env }) => ({
      pid,
      status: pm2_env.status,
      restarts: pm2_env.restart_time,
      exitCode: pm2_env.exit_code,
      listenTimeoutMs: pm2_env.listen_timeout,
      killTimeoutMs: pm2_env.kill_timeout,
    }));
  }

  /** The one app that pm2 has. */
  async entry(): Promise<Entry> {
    const [entry, ...more] = await this.entries();
    if (!entry || more.length > 0) throw new Error(`expected one app, got ${more.length + (entry ? 1 : 0)}`);
    return entry;
  }

  /** Writes the file that the manual shows for other options of pm2's, with these in it, and tells its name. */
  otherFile(options: {
    readonly args?: readonly string[];
    readonly uid?: string;
    readonly interpreter?: string;
  }): string {
    const shown = "interpreter: '/opt/node-24/bin/node'";
    const [before, after, ...more] = block('docs/pm2.md#settings:3').split(shown);
    if (after === undefined || more.length > 0) throw new Error(`expected \`${shown}\` once in the block`);
    const text = `${before}${JSON.stringify(options).slice(1, -1)}${after}`;
    writeFileSync(join(this.shop, 'shop.config.mjs'), text);
    return 'shop.config.mjs';
  }

  /** Starts the shop with such options. */
  startWith(options: Parameters<Pm2['otherFile']>[0]): Promise<Done> {
    return this.type(`pm2 start ${this.otherFile(options)}`);
  }

  /** What pm2 has logged of its apps' stdout. */
  get out(): string {
    return this.#logs('-out');
  }

  /** What pm2 has logged of its apps' stderr. */
  get err(): string {
    return this.#logs('-error');
  }

  #logs(stream: string): string {
    const folder = join(this.folder, 'home', 'logs');
    if (!existsSync(folder)) return '';
    return readdirSync(folder)
      .filter((name) => name.includes(stream))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
  }

  /** What the daemon has logged of itself; nothing under pm2-runtime, which has none. */
  get daemon(): string {
    const file = join(this.folder, 'home', 'pm2.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** All that was logged, for a test that failed. */
  get story(): string {
    return `--- pm2\n${this.daemon.slice(-4000)}\n--- stdout\n${this.out.slice(-2000)}\n--- stderr\n${this.err.slice(-2000)}`;
  }

  /** Waits until the app's stdout, as pm2 has logged it, matches. */
  async says(pattern: RegExp, ms?: number): Promise<void> {
    await eventually(() => pattern.test(this.out), `pm2's log to say ${pattern}`, ms);
  }

  /** Command lines, by pid, of all that runs in this pm2's environment: its daemon, its apps, their workers. */
  processes(): Map<number, string> {
    const found = new Map<number, string>();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(this.#mark)) continue;
        found.set(Number(pid), readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim());
      } catch {
        // gone meanwhile, or another user's
      }
    }
    return found;
  }

  /** What runs beside the daemon: apps, their workers and their watch. */
  apps(): string[] {
    return [...this.processes().values()].filter((command) => !command.includes('God Daemon'));
  }

  /** Ends the daemon with all its apps, and fails if a process is left. */
  async end(): Promise<void> {
    try {
      await this.type('pm2 kill');
      await eventually(() => this.processes().size === 0, 'no process left of pm2 and its apps', 5000);
    } catch (error) {
      throw new Error(`${error}\n${[...this.processes().values()].join('\n')}`);
    } finally {
      for (const child of this.#commands) child.kill('SIGKILL');
      for (const pid of this.processes().keys()) process.kill(pid, 'SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}
