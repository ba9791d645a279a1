// The memory this process and its workers may use together: the smallest limit of its cgroups, v1 or v2, and what of it is left.

import { totalmem } from 'node:os';
import { join } from 'node:path';
import { type Folder, foldersOf, type Read, readFile } from './cgroup.ts';

const MIB = 1_048_576;

/**
 * The smallest limit on the way from this process's cgroup up to the mount's root, MiB; undefined = none that is below
 * the machine's memory, or none that can be read.
 */
export function memoryLimitMiB(
  read: Read = readFile,
  machineMiB: number = totalmem() / MIB,
): number | undefined {
  const least = Math.min(...foldersOf('memory', read).map((folder) => limitOf(folder, read)));
  return least < machineMiB ? Math.floor(least) : undefined;
}

/** The memory that is left, MiB: of the machine and of each limit the smallest; undefined = nothing is known of it. */
export function memoryLeftMiB(read: Read = readFile): number | undefined {
  const [, free] = /^MemAvailable:\s*(\d+) kB$/m.exec(read('/proc/meminfo') ?? '') ?? [];
  const ofMachine = free === undefined ? Infinity : Number(free) / 1024;
  const ofLimits = foldersOf('memory', read).map((folder) => limitOf(folder, read) - usedOf(folder, read));
  const least = Math.min(ofMachine, ...ofLimits);
  return least === Infinity ? undefined : Math.max(0, Math.floor(least));
}

/** The limit of one folder, MiB; Infinity = none. v1 says a huge number where there is none. */
function limitOf({ v2, path }: Folder, read: Read): number {
  return amount(read(join(path, v2 ? 'memory.max' : 'memory.limit_in_bytes'))) ?? Infinity;
}

/** What is used of it, MiB, without what the kernel keeps of files and gives back when memory is short. */
function usedOf({ v2, path }: Folder, read: Read): number {
  const used = amount(read(join(path, v2 ? 'memory.current' : 'memory.usage_in_bytes'))) ?? 0;
  const field = v2 ? /^inactive_file (\d+)$/m : /^total_inactive_file (\d+)$/m;
  return used - (amount(field.exec(read(join(path, 'memory.stat')) ?? '')?.[1]) ?? 0);
}

/** Bytes in MiB; undefined for `max` and for what is no number. */
const amount = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) / MIB : undefined;
