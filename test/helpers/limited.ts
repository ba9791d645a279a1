// A cgroup with a limit of memory, for processes of a test, which needs root.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { eventually } from './server.ts';

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';
let made = 0;

export class Limited {
  readonly #folder: string;
  readonly #v1: boolean;

  private constructor(folder: string, v1: boolean) {
    this.#folder = folder;
    this.#v1 = v1;
  }

  /** A cgroup of so many MiB; throws where there can be none. */
  static make(limitMiB: number): Limited {
    const v1 = existsSync(`${V1}/memory.limit_in_bytes`);
    const folder = `${v1 ? V1 : V2}/hello-server-test-${process.pid}-${made++}`;
    try {
      mkdirSync(folder);
      writeFileSync(`${folder}/${v1 ? 'memory.limit_in_bytes' : 'memory.max'}`, `${limitMiB * 1_048_576}`);
      return new Limited(folder, v1);
    } catch (error) {
      if (existsSync(folder)) rmdirSync(folder);
      throw new Error(`expected root, and cgroups that can be written to, got ${error}`);
    }
  }

  /** A command line that runs the one appended to it in the cgroup. */
  get under(): string[] {
    return ['sh', '-c', `echo $$ > ${this.#folder}/cgroup.procs; exec "$@"`, 'sh'];
  }

  /** How many processes in it the kernel has killed as memory was short. */
  kills(): number {
    const text = readFileSync(`${this.#folder}/${this.#v1 ? 'memory.oom_control' : 'memory.events'}`, 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1]);
  }

  /** Removes it when the last process in it has gone. */
  async end(): Promise<void> {
    await eventually(() => {
      try {
        rmdirSync(this.#folder);
        return true;
      } catch {
        return false;
      }
    }, `${this.#folder} is empty`);
  }
}
