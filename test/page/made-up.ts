// A fleet, made up: its status and its history, healthy or with all that can be wrong.

import {
  type Happened,
  type History,
  type Now,
  SERIES,
  type SeriesName,
  type Status,
  type WorkerStatus,
} from '../../src/control/status.ts';
import { EXIT_REASONS, type ExitReason } from '../../src/core/ending.ts';

/** What an app might write to break a page. */
export const MARKUP = '<img src=x onerror="document.title=1"><b>&amp;</b></script>';

const NO_EXITS = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, 0])) as Record<ExitReason, number>;

/** A worker that is well. */
export const worker = (number: number, changes: Partial<WorkerStatus> = {}): WorkerStatus => ({
  worker: number,
  slot: number,
  pid: 41_200 + number,
  generation: 3,
  stage: 'ready',
  uptime: 7384 + number,
  requests: 1_204_551 + number,
  inFlight: 3,
  connections: 41,
  longLived: 2,
  eventLoopDelay: 12,
  eventLoopDelayP50: 0.4,
  eventLoopDelayP99: 4.2,
  eventLoopUtilization: 0.35,
  rss: 118.4,
  heapUsed: 41.5,
  heapLimit: 2096,
  memoryShare: null,
  cpu: 0.38,
  gc: 0.021,
  requestsPerSecond: 312.4,
  errorsPerSecond: 0,
  latencyP50: 1.8,
  latencyP99: 12.6,
  unwell: null,
  restarts: 0,
  lastExit: null,
  ...changes,
});

/** A worker that has said nothing yet. */
export const booting = (number: number, changes: Partial<WorkerStatus> = {}): WorkerStatus => ({
  ...worker(number),
  stage: 'booting',
  uptime: 1,
  requests: null,
  inFlight: null,
  connections: null,
  longLived: null,
  eventLoopDelay: null,
  eventLoopDelayP50: null,
  eventLoopDelayP99: null,
  eventLoopUtilization: null,
  rss: null,
  heapUsed: null,
  heapLimit: null,
  memoryShare: null,
  cpu: null,
  gc: null,
  requestsPerSecond: null,
  errorsPerSecond: null,
  latencyP50: null,
  latencyP99: null,
  ...changes,
});

export const workers = (number: number): WorkerStatus[] =>
  Array.from({ length: number }, (_, i) => worker(i));

const NOW: Now = {
  inFlight: 12,
  connections: 164,
  longLived: 8,
  requestsPerSecond: 1249.6,
  errorsPerSecond: 0,
  latencyP50: 1.8,
  latencyP99: 12.6,
  eventLoopDelay: 12,
  rss: 473.6,
  primaryRss: 58.2,
};

const EVENTS: readonly Happened[] = [
  { ago: 7380, level: 'info', text: 'reloaded: generation 3 serves after 1.8s' },
  { ago: 7384, level: 'info', text: 'reloading: generation 3' },
  { ago: 190_000, level: 'info', text: 'Server listening on port 3000' },
];

/** A fleet that is well. */
export function status(changes: Partial<Omit<Status, 'now'>> & { readonly now?: Partial<Now> } = {}): Status {
  const fleet = changes.workers ?? workers(4);
  const ready = fleet.filter(({ stage }) => stage === 'ready').length;
  return {
    version: '1.0.0',
    node: 'v24.11.1',
    pid: 41_199,
    uptime: 190_004,
    state: 'running',
    port: 3000,
    host: null,
    app: './server.js',
    generation: 3,
    reload: null,
    previous: null,
    wanted: fleet.length,
    workers: fleet,
    totals: {
      requests: 4_818_204,
      answers: { '2xx': 4_790_102, '3xx': 21_004, '4xx': 7091, '5xx': 7, other: 0 },
      refused: { '400': 12, '408': 3, '431': 0 },
      failed: 5,
      left: 214,
      slowTurns: 0,
      accepted: 96_412,
      upgraded: 1207,
      cut: 2,
      bytesReceived: 2_710_000_000,
      bytesSent: 81_204_000_000,
      logLinesDropped: 0,
      exits: { ...NO_EXITS, asked: 8, crashed: 1 },
      poison: 0,
      reloads: { done: 2, abandoned: 0 },
    },
    health: { live: true, ready: true, reason: `${ready} of ${fleet.length} workers ready` },
    events: EVENTS,
    ...changes,
    now: { ...NOW, ...changes.now },
  };
}

/** A fleet with all that can be wrong. */
export function broken(text = 'database: connection refused'): Status {
  const well = status();
  return status({
    state: 'reloading',
    app: `./${text}.js`,
    generation: 4,
    wanted: 4,
    workers: [
      worker(0, {
        unwell: text,
        restarts: 3,
        lastExit: 'SIGKILL, killed from outside, working on GET /report',
      }),
      worker(1, { errorsPerSecond: 4.3, eventLoopDelay: 1804, eventLoopDelayP99: 1240, cpu: 0.99 }),
      worker(2, { stage: 'draining' }),
      booting(2, { pid: 48_021, generation: 4, restarts: 12, lastExit: 'code 1' }),
    ],
    now: { errorsPerSecond: 4.3, eventLoopDelay: 1804, latencyP99: 2318 },
    totals: {
      ...well.totals,
      exits: { ...well.totals.exits, crashed: 15 },
      reloads: { done: 2, abandoned: 1 },
    },
    health: { live: true, ready: false, reason: `worker 0 is unwell: ${text}` },
    events: [
      { ago: 1, level: 'info', text: 'reloading: generation 4' },
      {
        ago: 14,
        level: 'error',
        text: 'worker 2 (generation 3, pid 47990) crashed: SIGKILL after 2m, killed from outside, respawning in 1.0s',
      },
      {
        ago: 95,
        level: 'error',
        text: `reload abandoned, the old generation goes on: worker 0 failed to boot: ${text}`,
      },
      { ago: 412, level: 'warn', text: 'killed worker 3 (generation 3, pid 47001): hung' },
      ...EVENTS,
    ],
  });
}

/** Fifteen minutes in waves; the first five are not known, nor are ten seconds before the last minute. */
export function history(length = 900, known = 600): History {
  const at = (i: number, middle: number, swing: number): number | null =>
    i < length - known || (i > length - 70 && i < length - 60)
      ? null
      : Math.max(0, middle + swing * Math.sin(i / 40) + (swing / 12) * Math.sin(i * 1.7));
  const waves: Readonly<Record<SeriesName, readonly [middle: number, swing: number]>> = {
    requestsPerSecond: [1200, 260],
    errorsPerSecond: [-1, 2.6],
    latencyP50: [1.9, 0.4],
    latencyP99: [13, 5],
    eventLoopDelay: [14, 6],
    rss: [470, 22],
    inFlight: [12, 7],
    connections: [160, 20],
  };
  return {
    step: 1,
    series: Object.fromEntries(
      SERIES.map((name) => [name, Array.from({ length }, (_, i) => at(i, ...waves[name]))]),
    ) as Record<SeriesName, (number | null)[]>,
  };
}
