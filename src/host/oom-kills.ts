// How often the kernel has killed a process of this one's cgroup for memory, as the cgroup says, v1 or v2.

import { join } from 'node:path';
import type { OomCount } from '../core/oom-count.ts';
import { type Folder, foldersOf, type Read, readFile } from './cgroup.ts';

/** This process is in no cgroup below those that are mounted here: it was moved, and what they count is not of it. */
const OUTSIDE = /^\d+:(?:|(?:[^:]*,)?memory(?:,[^:]*)?):\/\.\.(?:\/|$)/m;

/** The count; undefined where there is none, where it cannot be read, or where it might be of other processes. */
export function oomCount(read: Read = readFile): OomCount | undefined {
  if (OUTSIDE.test(read('/proc/self/cgroup') ?? '')) return undefined;
  for (const { v2, path } of candidates(foldersOf('memory', read))) {
    const text = read(join(path, v2 ? 'memory.events' : 'memory.oom_control'));
    const kills = killsIn(text);
    if (kills !== undefined) return { of: path, kills, machineKills: killsIn(read('/proc/vmstat')) };
  }
  return undefined;
}

/** All files that have the count have it in a line of this form. */
function killsIn(text: string | undefined): number | undefined {
  const [, kills] = /^oom_kill (\d+)$/m.exec(text ?? '') ?? [];
  return kills === undefined ? undefined : Number(kills);
}

/**
 * The folders that may count this process, of which the mount comes first of its kind. v1 counts a kill in the process's
 * own cgroup alone, which is the mount where there is none below it. v2 counts it in all above it, too, and the own one
 * may be without the controller.
 */
function candidates(folders: readonly Folder[]): Folder[] {
  const [mount1, own1 = mount1] = folders.filter(({ v2 }) => !v2);
  const [mount2, ...own2] = folders.filter(({ v2 }) => v2);
  return [own1, ...own2, mount2].filter((folder) => folder !== undefined);
}
