// How a subject is measured: autocannon from outside, CPU time of its whole process tree from /proc.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

/** One round of load on one subject. */
export interface Round {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** CPU of the server, user and system, all its processes, µs per request. */
  readonly cpuUsPerRequest: number;
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Loads `port` for some seconds with keep-alive connections. */
export async function load(port: number, pid: number, seconds: number, connections = 32): Promise<Round> {
  const before = cpuTicks(pid);
  const result = await autocannon({ url: `http://127.0.0.1:${port}/`, connections, duration: seconds });
  const ticks = cpuTicks(pid) - before;
  const requests = result.requests.total;
  return {
    requestsPerSecond: requests / result.duration,
    p99Ms: result.latency.p99,
    cpuUsPerRequest: (ticks / TICKS_PER_SECOND / requests) * 1e6,
  };
}

/** CPU time of a process and all below it, in clock ticks: proc_pid_stat(5), fields 14 and 15. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    .trim()
    .split(' ')
    .filter(Boolean);
  return (
    Number(fields[11]) +
    Number(fields[12]) +
    children.reduce((sum, child) => sum + cpuTicks(Number(child)), 0)
  );
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
