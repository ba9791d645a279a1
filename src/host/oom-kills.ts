// How often the kernel has killed a process of this one's cgroup for memory, as the cgroup says, v1 or v2.

import { join } from 'node:path';
import type { OomCount } from '../core/oom-count.ts';
import { type Folder, foldersOf, type Read, readFile } from './cgroup.ts';

/** The count, of the first folder that has one; undefined where there is none, or where it cannot be read. */
export function oomCount(read: Read = readFile): OomCount | undefined {
  for (const { v2, path } of candidates(foldersOf('memory', read))) {
    const text = read(join(path, v2 ? 'memory.events' : 'memory.oom_control'));
    const [, kills] = /^oom_kill (\d+)$/m.exec(text ?? '') ?? [];
    if (kills !== undefined) return { of: path, kills: Number(kills) };
  }
  return undefined;
}

/**
 * The folders that may count this process. v1 counts a kill in the process's own cgroup alone; v2 in all above it, too,
 * and the own one may be without the controller. Where the own folder is not to be seen the mount itself is it: it comes first of
 * those of its kind, and is looked at last.
 */
function candidates(folders: readonly Folder[]): Folder[] {
  const [mount1, own1] = folders.filter(({ v2 }) => !v2);
  const [mount2, ...own2] = folders.filter(({ v2 }) => v2);
  return [own1, mount1, ...own2, mount2].filter((folder) => folder !== undefined);
}
