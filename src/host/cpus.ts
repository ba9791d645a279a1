// The CPUs this process may use: its affinity and, on Linux, the smallest quota of its cgroups, v1 or v2.

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';

type Read = (path: string) => string | undefined;

const readFile: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The number of CPUs to make workers for: the smaller of the affinity and the quota rounded up, at least 1. */
export function usableCpus(read: Read = readFile, parallelism: number = availableParallelism()): number {
  const quota = cgroupQuota(read);
  if (quota === undefined) return Math.max(1, parallelism);
  // Newer Nodes floor the quota into availableParallelism(): take the affinity itself where it can be had.
  const allowed = affinity(read) ?? Math.max(parallelism, cpus().length);
  return Math.max(1, Math.min(allowed, Math.ceil(quota)));
}

/** The CPUs in this process's affinity mask. */
function affinity(read: Read): number | undefined {
  const mask = /^Cpus_allowed:\s*([0-9a-f,]+)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  if (mask === undefined) return undefined;
  let bits = 0;
  for (const digit of mask.replaceAll(',', '')) bits += BITS[Number.parseInt(digit, 16)] ?? 0;
  return bits || undefined;
}

const BITS = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];

/** The smallest CPU quota on the way from this process's cgroup up to the mount's root; undefined = none. */
function cgroupQuota(read: Read): number | undefined {
  const memberships = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const mounts = (read('/proc/self/mountinfo') ?? '').split('\n');
  let least: number | undefined;
  for (const [, controllers = '', ...rest] of memberships) {
    const v2 = controllers === '';
    if (!v2 && !controllers.split(',').includes('cpu')) continue;
    const mount = mountOf(mounts, v2);
    if (!mount) continue;
    for (const folder of upwards(mount, rest.join(':'))) {
      const quota = v2 ? quotaV2(read(join(folder, 'cpu.max'))) : quotaV1(read, folder);
      if (quota !== undefined && (least === undefined || quota < least)) least = quota;
    }
  }
  return least;
}

interface Mount {
  readonly root: string;
  readonly point: string;
}

/** Where the cpu controller (v1) or the unified tree (v2) is mounted; see proc_pid_mountinfo(5) for the fields. */
function mountOf(lines: readonly string[], v2: boolean): Mount | undefined {
  for (const line of lines) {
    const [front = '', back = ''] = line.split(' - ');
    const [, , , root = '/', point = ''] = front.split(' ');
    const [type, , options = ''] = back.split(' ');
    if (v2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('cpu'))
      return { root, point };
  }
  return undefined;
}

/** The folder of `path` below the mount, and its parents up to the mount point. */
function upwards({ root, point }: Mount, path: string): string[] {
  const below = root !== '/' && path.startsWith(root) ? path.slice(root.length) : path;
  // In a container the path may be the host's, and nothing of it is mounted here: then the mount itself counts.
  const folders = [point];
  for (let at = below.includes('..') ? '/' : below; at !== '/' && at !== '.' && at !== ''; at = dirname(at)) {
    folders.push(join(point, at));
  }
  return folders;
}

function quotaV2(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? 'max').trim().split(' ');
  return quota === undefined || quota === 'max' ? undefined : ratio(Number(quota), Number(period ?? 100_000));
}

function quotaV1(read: Read, folder: string): number | undefined {
  const quota = read(join(folder, 'cpu.cfs_quota_us'));
  return quota === undefined
    ? undefined
    : ratio(Number(quota), Number(read(join(folder, 'cpu.cfs_period_us'))));
}

const ratio = (quota: number, period: number): number | undefined =>
  quota > 0 && period > 0 ? quota / period : undefined;
