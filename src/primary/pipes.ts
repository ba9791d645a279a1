// Real pipes for the output of workers. Node gives a child sockets, which nobody can open as /dev/stdout, which take fewer
// small writes before a process that exits loses the rest, and which last as long as any process that inherited them.

import { spawnSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One pipe, read here. It outlives the workers that write into it one after another. */
export class Pipe {
  readonly #fd: number;
  /** Takes what comes. */
  read: (chunk: Buffer) => void = () => {};

  /** @param fd open for reading and writing, so that it never ends */
  constructor(fd: number) {
    this.#fd = fd;
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('error', () => {});
    socket.unref();
  }

  /** Opens the end that a worker writes into; whoever has it closes it. */
  openWriter(): number {
    return openSync(`/dev/fd/${this.#fd}`, constants.O_WRONLY);
  }
}

/** So many are made ahead at most while workers run: each keeps a file descriptor. */
const MOST_AT_A_TIME = 32;

/** All pipes there are; as many as workers have ever been at a time. */
export class Pipes {
  #free: Pipe[] = [];
  #made = 0;
  #unavailable = false;

  /** Makes some ahead, which takes no longer than one. */
  prepare(count: number): void {
    const made = this.#make(count);
    this.#made += made.length;
    this.#free.push(...made);
  }

  /** Two pipes; undefined where there are none to be had, for want of a folder, a program or file descriptors. */
  takeTwo(): [Pipe, Pipe] | undefined {
    // In a reload twice as many are needed as before: a program that makes two at a time would be most of its cost.
    if (this.#free.length < 2) this.prepare(Math.max(2, Math.min(this.#made, MOST_AT_A_TIME)));
    const [a, b, ...rest] = this.#free;
    if (!a || !b) return undefined;
    this.#free = rest;
    return [a, b];
  }

  giveBack(pipes: readonly Pipe[]): void {
    this.#free.push(...pipes);
  }

  #make(count: number): Pipe[] {
    if (this.#unavailable) return [];
    const pipes: Pipe[] = [];
    let folder: string | undefined;
    try {
      folder = temporaryFolder();
      const paths = Array.from({ length: count }, (_, i) => join(folder ?? '', String(i)));
      const { error } = spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore', cwd: '/' });
      if (error) throw error;
      for (const path of paths) pipes.push(new Pipe(openSync(path, constants.O_RDWR | constants.O_NONBLOCK)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Descriptors and processes may be there again later; a folder and a program will not.
      this.#unavailable = code !== 'EMFILE' && code !== 'ENFILE' && code !== 'EAGAIN';
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    }
    return pipes;
  }
}

/** A new folder; a container whose root is read-only has none but in its shared memory. */
function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'hello-server-'));
  } catch {
    return mkdtempSync('/dev/shm/hello-server-');
  }
}
