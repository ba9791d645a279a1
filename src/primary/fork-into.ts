// Forks a worker into the pipes that carry what it writes.

import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { closeSync } from 'node:fs';
import type { WorkerEnv } from '../core/reading.ts';
import type { Pipe } from './pipes.ts';

/** stdin, stdout and stderr of the app, the channel, and the two pipes of the worker's own log: LOG_FD, ERROR_LOG_FD. */
export const stdio = (stdout: number | 'pipe', stderr: number | 'pipe') =>
  ['ignore', stdout, stderr, 'ipc', 'pipe', 'pipe'] as const;

/**
 * Forks with stdout and stderr into these pipes, into two sockets of Node's own where there are none, and with the file
 * of its record, if there is one.
 */
export function forkInto(
  two: readonly [Pipe, Pipe] | undefined,
  record: number | undefined,
  env: WorkerEnv,
): ClusterWorker {
  const writers = openWriters(two ?? []);
  try {
    const [stdout = 'pipe', stderr = 'pipe'] = writers;
    cluster.settings.stdio = [...stdio(stdout, stderr), ...(record === undefined ? [] : [record])];
    return cluster.fork(env);
  } finally {
    for (const fd of writers) closeSync(fd);
  }
}

/** The ends that the worker writes into; none where descriptors have run out: Node then says so of the fork itself. */
function openWriters(pipes: readonly Pipe[]): number[] {
  const writers: number[] = [];
  try {
    for (const pipe of pipes) writers.push(pipe.openWriter());
    return writers;
  } catch {
    for (const fd of writers) closeSync(fd);
    return [];
  }
}
