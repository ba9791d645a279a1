// What a process and all below it use, read from /proc: CPU time and resident memory.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { median } from '../figures.ts';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const MIB_PER_PAGE = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })) / 2 ** 20;
/** Where utime stands among the fields behind the name: proc_pid_stat(5), field 14. */
const UTIME = 11;

/** A process and all below it, the root first. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** The processes that a process has forked and that are still there. */
export function childrenOf(pid: number): number[] {
  return gone([], () =>
    readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    ),
  );
}

/** The children that run the same program as their parent: the workers. */
export function workersOf(pid: number): number[] {
  const program = programOf(pid);
  return childrenOf(pid).filter((child) => programOf(child) === program);
}

const programOf = (pid: number): string => gone('', () => readlinkSync(`/proc/${pid}/exe`));

/** CPU time of the whole tree, user and system, µs; that of ended processes is in it once they have been waited for. */
export function cpuUs(pid: number): number {
  const ticks = treeOf(pid).map((each) => {
    const stat = gone('', () => readFileSync(`/proc/${each}/stat`, 'latin1'));
    const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
    // utime and stime of its own, then of its children that have ended: those are in no tree any more.
    return fields.slice(UTIME, UTIME + 4).reduce((sum, field) => sum + Number(field), 0);
  });
  return (ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND) * 1e6;
}

/** CPU time of one process alone, ns, by the scheduler's count; 0 when it is gone. */
export const ownCpuNs = (pid: number): number =>
  gone(0, () =>
    readdirSync(`/proc/${pid}/task`)
      .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]))
      .reduce((sum, ns) => sum + ns, 0),
  );

/** How many files a process has open; 0 when it is gone. */
export const openFiles = (pid: number): number => gone(0, () => readdirSync(`/proc/${pid}/fd`).length);

/** Resident memory, MiB: of all, of the root, and the median of the workers. Pages they share count for each. */
export function memory(pid: number): { rssMiB: number; primaryMiB: number; workerMiB?: number } {
  const workers = workersOf(pid);
  return {
    rssMiB: treeOf(pid).reduce((sum, each) => sum + rssMiB(each), 0),
    primaryMiB: rssMiB(pid),
    ...(workers.length > 0 ? { workerMiB: median(workers.map(rssMiB)) } : {}),
  };
}

/** Resident memory of one process, MiB; 0 when it is gone. */
export const rssMiB = (pid: number): number =>
  gone(0, () => Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * MIB_PER_PAGE);

/** A process may end while it is looked at. */
function gone<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
