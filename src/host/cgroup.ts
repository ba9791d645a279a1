// Where this process's cgroup has the files of a controller, in v1 and v2: its own folder, and those above it.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Reads a file; undefined where that cannot be. */
export type Read = (path: string) => string | undefined;

export const readFile: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** A folder that may have files of the controller. */
export interface Folder {
  readonly v2: boolean;
  readonly path: string;
}

/** The folders from this process's cgroup up to the mount's root, as limits nest: that of each of them counts. */
export function foldersOf(controller: string, read: Read): Folder[] {
  const memberships = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const mounts = (read('/proc/self/mountinfo') ?? '').split('\n');
  return memberships.flatMap(([, controllers = '', ...rest]) => {
    const v2 = controllers === '';
    if (rest.length === 0 || (!v2 && !controllers.split(',').includes(controller))) return [];
    const mount = mountOf(mounts, v2 ? undefined : controller);
    return mount ? upwards(mount, rest.join(':')).map((path) => ({ v2, path })) : [];
  });
}

interface Mount {
  readonly root: string;
  readonly point: string;
}

/** Where the controller of v1, or without one the unified tree of v2, is mounted; see proc_pid_mountinfo(5) for the fields. */
function mountOf(lines: readonly string[], controller: string | undefined): Mount | undefined {
  for (const line of lines) {
    const [front = '', back = ''] = line.split(' - ');
    const [, , , root = '/', point = ''] = front.split(' ');
    const [type, , options = ''] = back.split(' ');
    if (controller === undefined ? type === 'cgroup2' : type === 'cgroup' && has(options, controller))
      return { root, point };
  }
  return undefined;
}

const has = (options: string, controller: string): boolean => options.split(',').includes(controller);

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
