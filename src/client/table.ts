// The status as a table that a person reads at a glance.

import type { Status, WorkerStatus } from '../core/status.ts';

const COLUMNS: readonly [heading: string, cell: (w: WorkerStatus) => string][] = [
  ['slot', (w) => String(w.slot)],
  ['pid', (w) => String(w.pid)],
  ['gen', (w) => String(w.generation)],
  ['stage', (w) => w.stage],
  ['uptime', (w) => duration(w.uptime)],
  ['requests', (w) => figure(w.requests)],
  ['in flight', (w) => figure(w.inFlight)],
  ['conns', (w) => figure(w.connections)],
  ['loop delay', (w) => figure(w.eventLoopDelay, ' ms')],
  ['rss', (w) => figure(w.rss, ' MiB')],
  ['restarts', (w) => String(w.restarts)],
  ['last exit', (w) => w.lastExit ?? '-'],
];
/** These read from the left. */
const TEXTS = new Set(['stage', 'last exit']);

/** A line on the fleet, and one on each worker below it. */
export function table(status: Status): string {
  const { version, node, pid, state, port, generation, wanted, app, uptime } = status;
  const ready = status.workers.filter((w) => w.stage === 'ready').length;
  const head =
    `hello-server ${version} ${state} on port ${port}: ${ready} of ${wanted} workers ready, generation ${generation}, ` +
    `up ${duration(uptime)} (pid ${pid}, Node ${node}, ${app ?? 'Hello'})`;
  const rows = [
    COLUMNS.map(([heading]) => heading),
    ...status.workers.map((w) => COLUMNS.map(([, cell]) => cell(w))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((text, i) => {
        const width = widths[i] ?? 0;
        return TEXTS.has(COLUMNS[i]?.[0] ?? '') ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${[head, '', ...lines].join('\n')}\n`;
}

const figure = (value: number | null, unit = ''): string => (value === null ? '-' : `${value}${unit}`);

/** Seconds as `12s`, `3m 20s`, `5h 3m` or `2d 4h`. */
function duration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${s % 60}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3600)}h`;
}
