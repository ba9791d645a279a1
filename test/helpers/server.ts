// Starts hello-server as a real process, waits on what it says, and sees to it that nothing of it is left.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STOP_MARGIN_MS } from '../../src/core/deadlines.ts';
import type { Raw } from './raw.ts';

/** The repository's folder. */
export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
export const MAIN = join(ROOT, 'dist', 'main.js');
/** The version of this hello-server. */
export const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
/** Path of a fixture app. */
export const fixture = (name: string): string => join(ROOT, 'test', 'fixtures', name);

const MARK = 'HELLO_SERVER_TEST';
/** Beyond a bound that workers keep by themselves, what it takes to see in /proc that they have kept it. */
export const SEEN_MS = 500;
/** Stacks name the lines of src/, as those of the tests do. */
const NODE_OPTIONS = '--enable-source-maps';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Options {
  /** undefined = unset, also what is set without it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Puts the process into a group of its own, so that a test can signal the whole group. */
  readonly detached?: boolean;
  /** The Node to run on, instead of this one's. */
  readonly node?: string;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** File to run instead of dist/main.js. */
  readonly main?: string;
  /** Where stdout goes: read here (default), or a file descriptor. */
  readonly stdout?: 'pipe' | number;
  /** A command line that ends by running the one appended to it: `sh -c 'ulimit ...; exec "$@"' sh`. */
  readonly under?: readonly string[];
  /** A line of shell to run in place of all that, as a user types it. */
  readonly line?: string;
}

const started = new Set<Running>();

/** A process of hello-server with all that it has said. */
export class Running {
  readonly child: ChildProcess;
  readonly mark = randomUUID();
  out = '';
  err = '';
  readonly exited: Promise<Exit>;
  #heard: (() => void)[] = [];

  constructor({
    env = {},
    args = [],
    cwd = ROOT,
    detached = false,
    main = MAIN,
    stdout = 'pipe',
    under = [],
    nodeArgs = [],
    node = process.execPath,
    line,
  }: Options) {
    const { PATH, HOME } = process.env;
    const usual = [...under, node, ...nodeArgs, main, ...args];
    const [command = node, ...rest] = line === undefined ? usual : ['sh', '-c', line];
    this.child = spawn(command, rest, {
      cwd,
      detached,
      env: { PATH, HOME, NODE_OPTIONS, PORT: '0', WEB_CONCURRENCY: '2', ...env, [MARK]: this.mark },
      stdio: ['ignore', stdout, 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text) => this.#hear('out', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text) => this.#hear('err', text));
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal });
        for (const wake of this.#heard) wake();
      });
    });
    started.add(this);
  }

  #hear(stream: 'out' | 'err', text: string): void {
    this[stream] += text;
    for (const wake of this.#heard) wake();
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** The port it said it listens on. */
  get port(): number {
    return Number(/listening on port (\d+)/.exec(this.out)?.[1]);
  }

  get log(): string {
    return `--- stdout\n${this.out.slice(-4000)}\n--- stderr\n${this.err.slice(-4000)}`;
  }

  /** Waits until stdout or stderr matches; fails with the log after `ms`. */
  async says(pattern: RegExp, ms = 10_000): Promise<RegExpExecArray> {
    const find = () => pattern.exec(this.out) ?? pattern.exec(this.err);
    await this.#until(() => find() !== null, `expected the log to say ${pattern}`, ms);
    return find() as RegExpExecArray;
  }

  async #until(condition: () => boolean, what: string, ms: number): Promise<void> {
    const deadline = Date.now() + ms;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0 || this.child.exitCode !== null) {
        await Promise.race([this.exited, new Promise((resolve) => setTimeout(resolve, 200))]);
        if (condition()) return;
        throw new Error(`${what} (exit code ${this.child.exitCode})\n${this.log}`);
      }
      await new Promise<void>((resolve) => {
        this.#heard = [resolve];
        setTimeout(resolve, Math.min(left, 200));
      });
    }
  }

  /** Waits until it serves. */
  async serving(): Promise<this> {
    await this.says(/Visit http:\/\/localhost/, 20_000);
    return this;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** INT to its whole group, as a Ctrl-C in a terminal; it has to have a group of its own. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** Waits for its end; fails with the log after `ms`. */
  async end(ms = 15_000): Promise<Exit> {
    const timeout = new Promise<never>((_, reject) => {
      setTimeout(
        () => reject(new Error(`expected the process to end within ${ms} ms\n${this.log}`)),
        ms,
      ).unref();
    });
    return Promise.race([this.exited, timeout]);
  }

  /** Waits for the end of a stop that has just begun: what still runs after `graceMs` is killed, and the rest has a margin. */
  endOfStop(graceMs: number): Promise<Exit> {
    return this.end(graceMs + STOP_MARGIN_MS);
  }

  /** TERM, and its end. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.end();
  }

  /** Pids of all processes of this server, workers and orphans included. */
  pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return (
            readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${this.mark}`) && !isZombie(pid)
          );
        } catch {
          return false;
        }
      });
  }

  /** Pids of the workers: the primary's children that run Node. */
  workers(): number[] {
    return this.pids().filter(
      (pid) => pid !== this.pid && argumentsOf(pid).split('\0').includes('--inspect-port=0'),
    );
  }
}

const isZombie = (pid: number): boolean => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
const argumentsOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
};

/** Starts hello-server, without waiting. */
export const launch = (options: Options = {}): Running => new Running(options);

/** Starts hello-server and waits until it serves. */
export const serve = (options: Options = {}): Promise<Running> => launch(options).serving();

/** Polls until `condition` holds; fails with `what` after `ms`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  ms = 10_000,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`expected within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until the server holds a connection with what was sent on it: accepted, and read. */
export async function eventuallyReceived(server: Running, raw: Raw): Promise<void> {
  const port = raw.socket.localPort ?? 0;
  const side = `:${server.port.toString(16).toUpperCase().padStart(4, '0')} `;
  const peer = `:${port.toString(16).toUpperCase().padStart(4, '0')} 01 `;
  await eventually(() => {
    const rows = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFileSync(file, 'utf8'));
    return rows
      .join('')
      .split('\n')
      .some((row) => row.includes(side) && row.includes(peer) && /01 [0-9A-F]{8}:00000000 /.test(row));
  }, 'the server has read what was sent');
}

/** Polls that `invariant` holds for all of `ms`; fails at once with what it throws, or with `what` when it is false. */
export async function stays(
  invariant: () => unknown,
  what: string | (() => string),
  ms: number,
): Promise<void> {
  const began = performance.now();
  do {
    if ((await invariant()) === false) {
      const after = Math.round(performance.now() - began);
      throw new Error(
        `expected for ${ms} ms: ${typeof what === 'string' ? what : what()} (not so after ${after} ms)`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (performance.now() - began < ms);
}

/** Ends whatever a test left running, and fails if it left anything but what it had started. */
export async function cleanUp(): Promise<void> {
  for (const running of started) {
    if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill('SIGKILL');
    for (const pid of running.pids()) {
      try {
        process.kill(pid, 'SIGCONT');
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone meanwhile
      }
    }
    await running.exited;
  }
  started.clear();
}

/** Fails if the servers of this test, once ended, have left a process behind. */
export async function leavesNothing(): Promise<void> {
  for (const running of started) {
    if (running.child.exitCode === null) continue;
    await eventually(
      () => running.pids().length === 0,
      `no process left of pid ${running.pid}\n${running.log}`,
      3000,
    );
  }
}

/** Removes a folder of a test when nothing that the test has started can write there: a primary makes its socket anew. */
export async function remove(folder: string): Promise<void> {
  try {
    await leavesNothing();
  } finally {
    await cleanUp();
    rmSync(folder, { recursive: true, force: true });
  }
}
