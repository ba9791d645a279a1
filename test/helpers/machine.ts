// A systemd of its own to test on: an overlay of this machine's files, booted in a container that shares its network.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually, ROOT } from './server.ts';

/** Where the container sees a copy of this repository. */
const SOURCE = '/srv/hello-server-source';
/** SIGRTMIN+4: asks systemd to power off. */
const POWER_OFF = 38;

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** A booted systemd. Needs root and Debian's systemd-container. */
export class Machine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hello-server-machine-'));
  readonly #root = join(this.#folder, 'root');
  #nspawn: ChildProcess | undefined;
  #pid = 0;
  #cgroup: string | undefined;

  async boot(): Promise<this> {
    const [upper, work] = ['upper', 'work'].map((name) => join(this.#folder, name));
    for (const folder of [upper, work, this.#root]) mkdirSync(folder ?? '');
    const layers = `lowerdir=/,upperdir=${upper},workdir=${work}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, this.#root]);
    mkdirSync(join(this.#root, SOURCE), { recursive: true });
    const files = ['dist', 'deploy', 'scripts', 'package.json', 'package-lock.json', 'README.md', 'LICENSE'];
    const paths = [...files, 'hello-server.service'].map((name) => join(ROOT, name));
    execFileSync('cp', ['-R', ...paths, join(this.#root, SOURCE)]);
    const args = ['-q', '-D', this.#root, '--register=no', '--keep-unit', '-M', 'hello', '-b'];
    this.#nspawn = spawn('systemd-nspawn', [...args, 'systemd.unit=multi-user.target'], {
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '0' },
      stdio: 'ignore',
    });
    const booted = (): boolean => {
      this.#pid = childOf(this.#nspawn?.pid ?? 0);
      return this.#pid > 0 && /running|degraded/.test(this.run('systemctl', 'is-system-running').stdout);
    };
    await eventually(booted, 'systemd has booted', 60_000);
    return this;
  }

  /** Runs a command in it, as root. */
  run(...command: string[]): Result {
    const enter = ['-t', String(this.#pid), '-m', '-p', '-u', '-i', '-C', '--', ...command];
    return spawnSync('nsenter', enter, { encoding: 'utf8', timeout: 120_000, cwd: '/' });
  }

  /** The same without waiting here: resolves with its exit code. */
  later(...command: string[]): Promise<number | null> {
    const enter = ['-t', String(this.#pid), '-m', '-p', '-u', '-i', '-C', '--', ...command];
    const child = spawn('nsenter', enter, { cwd: '/', stdio: 'ignore' });
    return new Promise((resolve) => {
      child.once('exit', resolve);
    });
  }

  /** Pids, as it counts them, of the service's workers. */
  workers(): number[] {
    const line =
      'for p in $(cat /proc/$0/task/$0/children); do tr "\\0" " " </proc/$p/cmdline | grep -q inspect-port && echo $p; done';
    return this.run('sh', '-c', line, this.property('MainPID')).stdout.trim().split('\n').map(Number).sort();
  }

  /**
   * Puts one of its processes under a memory limit of its own, for the kernel to kill it when it takes more.
   * The container's systemd cannot: it has no memory controller to give.
   */
  limitMemory(pid: number, bytes: number): void {
    const v1 = existsSync('/sys/fs/cgroup/memory');
    this.#cgroup = join('/sys/fs/cgroup', v1 ? 'memory' : '', `hello-server-test-${process.pid}`);
    mkdirSync(this.#cgroup, { recursive: true });
    writeFileSync(join(this.#cgroup, v1 ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes));
    writeFileSync(join(this.#cgroup, 'cgroup.procs'), String(outsidePid(pid, this.#pid)));
  }

  /** Runs what somebody types who may use sudo, in the copy of this repository or another folder. It is root that types. */
  type(line: string, folder = SOURCE): Result {
    return this.run('sh', '-c', `cd "$0" && ${withoutSudo(line)}`, folder);
  }

  /** The same without waiting here: resolves with its exit code. */
  typeLater(line: string, folder = SOURCE): Promise<number | null> {
    return this.later('sh', '-c', `cd "$0" && ${withoutSudo(line)}`, folder);
  }

  /** Copies a file or folder of this machine's into it. */
  bring(file: string, path: string): void {
    mkdirSync(join(this.#root, dirname(path)), { recursive: true });
    execFileSync('cp', ['-R', file, join(this.#root, path)]);
  }

  /** Writes a file in it. */
  write(path: string, text: string): void {
    const { status, stderr } = this.run(
      'sh',
      '-c',
      'mkdir -p "$(dirname "$0")" && printf %s "$1" >"$0"',
      path,
      text,
    );
    if (status !== 0) throw new Error(`cannot write ${path}: ${stderr}`);
  }

  /** What the service has logged since it was asked last. */
  journal(since: string): string {
    return this.run('journalctl', '-u', 'hello-server', '--no-pager', '-o', 'cat', `--after-cursor=${since}`)
      .stdout;
  }

  /** The place in the journal where it ends now. */
  cursor(): string {
    const { stdout } = this.run('journalctl', '-n', '1', '--no-pager', '-o', 'cat', '--show-cursor');
    return /-- cursor: (\S+)/.exec(stdout)?.[1] ?? '';
  }

  /** A property of the service. */
  property(name: string): string {
    return this.run('systemctl', 'show', 'hello-server', '-p', name, '--value').stdout.trim();
  }

  async powerOff(): Promise<void> {
    const child = this.#nspawn;
    if (child && this.#pid > 0) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      process.kill(this.#pid, POWER_OFF);
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(late);
    }
    if (this.#cgroup) rmdirSync(this.#cgroup);
    execFileSync('umount', ['-l', this.#root]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The machine need not have sudo. Variables before a command are the shell's to set, as they are sudo's. */
const withoutSudo = (line: string): string => line.replaceAll('sudo ', '');

const childOf = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  } catch {
    return 0;
  }
};

/** The pid out here of the process that is `pid` in the container of `init`. */
function outsidePid(pid: number, init: number): number {
  const space = (of: number | string): string => {
    try {
      return readlinkSync(`/proc/${of}/ns/pid`);
    } catch {
      return '';
    }
  };
  const found = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name) || space(name) !== space(init)) return false;
    return new RegExp(`^NSpid:.*\\b${pid}$`, 'm').test(readFileSync(`/proc/${name}/status`, 'utf8'));
  });
  if (found === undefined) throw new Error(`no process is ${pid} in the container`);
  return Number(found);
}
