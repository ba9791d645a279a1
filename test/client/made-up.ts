// Made-up answers of a server, for the tests of how they are shown.

import type { RequestInFlight, Status, WorkerStatus } from '../../src/control/status.ts';
import { EXIT_REASONS, type ExitReason } from '../../src/core/ending.ts';

const NO_EXITS = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, 0])) as Record<ExitReason, number>;

/** A worker that serves, with what is given instead. */
export const worker = (number: number, given: Partial<WorkerStatus> = {}): WorkerStatus => ({
  worker: number,
  slot: number,
  pid: 1578 + number,
  generation: 1,
  stage: 'ready',
  uptime: 83.2,
  requests: 5120,
  inFlight: 3,
  connections: 21,
  longLived: 0,
  eventLoopDelay: 2.3,
  eventLoopDelayP50: 0.2,
  eventLoopDelayP99: 1.1,
  eventLoopUtilization: 0.31,
  rss: 71.4,
  heapUsed: 18.2,
  heapLimit: 4144,
  memoryShare: null,
  cpu: 0.33,
  gc: 0.01,
  requestsPerSecond: 312.4,
  errorsPerSecond: 0,
  latencyP50: 1.2,
  latencyP99: 12.6,
  unwell: null,
  restarts: 0,
  lastExit: null,
  ...given,
});

export const workers = (many: number, given: Partial<WorkerStatus> = {}): WorkerStatus[] =>
  Array.from({ length: many }, (_, i) => worker(i, given));

const TOTALS: Status['totals'] = {
  requests: 10_240,
  answers: { '2xx': 10_240, '3xx': 0, '4xx': 0, '5xx': 0, other: 0 },
  refused: { '400': 0, '408': 0, '431': 0 },
  failed: 0,
  left: 0,
  slowTurns: 0,
  accepted: 42,
  upgraded: 0,
  cut: 0,
  bytesReceived: 1_000_000,
  bytesSent: 2_000_000,
  logLinesDropped: 0,
  exits: NO_EXITS,
  poison: 0,
  reloads: { done: 0, abandoned: 0 },
};

export const totals = (given: Partial<Status['totals']>): Status['totals'] => ({ ...TOTALS, ...given });
export const exits = (given: Partial<Status['totals']['exits']>): Status['totals']['exits'] => ({
  ...TOTALS.exits,
  ...given,
});

/** A fleet of two that serves, with what is given instead. */
export const status = (given: Partial<Status> = {}): Status => ({
  version: '1.0.0',
  node: 'v20.20.2',
  pid: 1563,
  uptime: 85.4,
  state: 'running',
  port: 3000,
  host: null,
  app: '/srv/app/report.js',
  generation: 1,
  reload: null,
  previous: null,
  wanted: given.workers?.length ?? 2,
  workers: workers(2),
  totals: TOTALS,
  now: {
    inFlight: 6,
    connections: 42,
    longLived: 0,
    requestsPerSecond: 624.8,
    errorsPerSecond: 0,
    latencyP50: 1.2,
    latencyP99: 12.6,
    eventLoopDelay: 2.3,
    rss: 142.8,
    primaryRss: 52,
  },
  health: { live: true, ready: true, reason: '2 of 2 workers ready' },
  events: [],
  ...given,
});

/** The largest figures and the longest texts that a server could tell. */
export const extreme = (): Status => {
  const reason = 'cannot fork: EAGAIN, resource temporarily unavailable: a limit of processes is reached';
  return status({
    version: '12.34.56-beta.7',
    node: 'v26.123.456',
    state: 'reloading',
    pid: 4_194_303,
    port: 65_535,
    host: '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
    app: `/srv/${'a-folder-with-a-long-name/'.repeat(9)}app.js`,
    generation: 12_345,
    uptime: 1e9,
    workers: workers(512, {
      pid: 4_194_303,
      generation: 12_345,
      stage: 'rejoining',
      uptime: 1e8,
      inFlight: 99_999,
      connections: 99_999,
      longLived: 99_999,
      requestsPerSecond: 98_765.4,
      errorsPerSecond: 98_765.4,
      latencyP99: 99_999,
      eventLoopDelay: 99_999,
      heapUsed: 16_111,
      heapLimit: 16_384,
      memoryShare: 99_999,
      rss: 99_999,
      restarts: 12_345,
      lastExit: reason,
      unwell: `${'the database is away, '.repeat(12)}so nothing goes`,
    }),
    now: {
      inFlight: 9_999_999,
      connections: 9_999_999,
      longLived: 9_999_999,
      requestsPerSecond: 9_876_543,
      errorsPerSecond: 9_876_543,
      latencyP50: 99_999,
      latencyP99: 99_999,
      eventLoopDelay: 99_999,
      rss: 9_999_999,
      primaryRss: 9999,
    },
    totals: totals({
      cut: 9_999_999_999,
      logLinesDropped: 9_999_999_999,
      exits: exits({ crashed: 1e9, hung: 1e9, 'not drained': 1e9, 'boot failed': 1e9, 'cannot fork': 1e9 }),
      reloads: { done: 1e9, abandoned: 1e9 },
    }),
    health: { live: false, ready: false, reason: 'every worker hangs, '.repeat(12) },
    events: Array.from({ length: 50 }, (_, i) => ({
      ago: 1e8 * i,
      level: 'fatal' as const,
      text: `worker ${i} crashed: ${reason}, the kernel killed for memory, respawning in 15 s after it failed to boot again`,
    })),
  });
};

export const inFlight = (given: Partial<RequestInFlight> = {}): RequestInFlight => ({
  worker: 1,
  generation: 1,
  pid: 1579,
  age: 12.34,
  method: 'GET',
  target: '/report?year=2026',
  client: '192.0.2.17',
  ...given,
});
