// One round of load on one server: autocannon from this process, CPU and memory of the server from /proc.

import autocannon from 'autocannon';
import { percentile } from '../figures.ts';
import type { Measured } from '../result.ts';
import { cpuUs, memory } from './process-tree.ts';

/** How a server is asked. */
export interface Load {
  readonly connections: number;
  /** Requests on the way at once on each connection. */
  readonly pipelining: number;
  /** A connection for each request. */
  readonly fresh: boolean;
}

/** What answers tell of a server's speed. */
export type Speed = Readonly<
  Record<'requestsPerSecond' | 'p50Ms' | 'p99Ms' | 'p999Ms' | 'cpuUsPerRequest', number>
>;

/** What a round of load measures, memory beside it. */
export type LoadMeasured = Measured & Speed & { readonly errors: number };

/** 32 connections that ask again as soon as they are answered. */
export const KEEP_ALIVE: Load = { connections: 32, pipelining: 1, fresh: false };
/** The same with a new connection for each request. */
export const FRESH: Load = { ...KEEP_ALIVE, fresh: true };

/** autocannon looks this often whether its time is over; its default of a second makes rounds longer. */
const SAMPLE_MS = 50;

/** Loads `port` for some seconds; `pid` is the root of the server's processes. */
export async function load(
  { connections, pipelining, fresh }: Load,
  port: number,
  pid: number,
  seconds: number,
): Promise<LoadMeasured> {
  const latencies: number[] = [];
  let refused = 0;
  const answered = (ms: number, status: number): void => {
    if (status === 200) latencies.push(ms);
    else refused += 1;
  };
  const cpuBefore = cpuUs(pid);
  const began = performance.now();
  const { errors } = await autocannon({
    url: `http://127.0.0.1:${port}/`,
    connections,
    pipelining,
    duration: seconds,
    sampleInt: SAMPLE_MS,
    setupClient: (client) => watch(client as unknown as Client, fresh, answered),
  });
  const cpu = cpuUs(pid) - cpuBefore;
  const elapsedMs = performance.now() - began;
  return { ...speedOf(latencies, elapsedMs, cpu), ...memory(pid), errors: errors + refused };
}

/** The figures of requests answered after so many ms each, within `elapsedMs`, for `cpu` µs. */
export function speedOf(latencies: readonly number[], elapsedMs: number, cpu: number): Speed {
  const sorted = Float64Array.from(latencies).sort();
  return {
    requestsPerSecond: (sorted.length / elapsedMs) * 1000,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    cpuUsPerRequest: cpu / sorted.length,
  };
}

/** What is used here of autocannon's client, one per connection. */
interface Client {
  /** After so many requests it connects anew. */
  reconnectRate: number | undefined;
  on(event: 'request' | 'body', listener: () => void): void;
  on(
    event: 'headers',
    listener: (head: { readonly statusCode: number; readonly headers: readonly string[] }) => void,
  ): void;
}

/** Tells of each answer, its time counted from the request or, on a new connection, from the start of that. */
function watch(client: Client, fresh: boolean, answered: (ms: number, status: number) => void): void {
  let began: number[] = [];
  let status = 0;
  let last = fresh;
  if (fresh) client.reconnectRate = 1;
  client.on('request', () => began.push(performance.now()));
  client.on('headers', ({ statusCode, headers }) => {
    status = statusCode;
    // autocannon would send the next request on a connection that its server closes, and mistake its own times.
    last = fresh || says(headers, 'connection', 'close');
    client.reconnectRate = last ? 1 : undefined;
  });
  // Its own counts leave out the last answer on a connection.
  client.on('body', () => {
    answered(performance.now() - (began.shift() ?? Number.NaN), status);
    if (last) began = [];
  });
}

function says(headers: readonly string[], name: string, value: string): boolean {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]?.length === name.length && headers[i]?.toLowerCase() === name)
      return headers[i + 1]?.toLowerCase() === value;
  return false;
}
