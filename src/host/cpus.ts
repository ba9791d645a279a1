// The CPUs this process may use: its affinity and, on Linux, the smallest quota of its cgroups, v1 or v2.

import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { foldersOf, type Read, readFile } from './cgroup.ts';

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
  const quotas = foldersOf('cpu', read).flatMap(({ v2, path }) => {
    const quota = v2 ? quotaV2(read(join(path, 'cpu.max'))) : quotaV1(read, path);
    return quota === undefined ? [] : [quota];
  });
  return quotas.length === 0 ? undefined : Math.min(...quotas);
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
