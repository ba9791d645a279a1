// The metrics of the fleet, as Prometheus and OpenMetrics text.

import { EXIT_REASONS } from '../core/ending.ts';
import type { OwnProcess, Sums } from '../core/figures.ts';
import { LATENCY_BOUNDS_MS } from '../core/latency.ts';
import { type Family, type MetricType, openName, type Sample } from './families.ts';
import type { SlotFigures } from './ledger.ts';
import type { ReloadPhase, Status } from './status.ts';

/** What the metrics are made of. */
export interface Measured {
  readonly status: Status;
  readonly total: Sums;
  readonly slots: ReadonlyMap<number, SlotFigures>;
  /** How often a worker of each slot ended unasked. */
  readonly restarts: ReadonlyMap<number, number>;
  readonly own: OwnProcess;
}

const MIB = 1_048_576;
const PHASES: readonly ReloadPhase[] = ['replacing', 'canary', 'settling'];
const STAGES = ['booting', 'ready', 'standby', 'rejoining', 'draining'] as const;
/** Of ten bounds to a decade three are served. */
const SERVED_STEPS: ReadonlySet<number> = new Set([0, 4, 7]);

type Values = number | readonly Sample[];

function family(type: MetricType, name: string, help: string, values: Values): Family {
  const samples = typeof values === 'number' ? [{ value: values, labels: {} }] : values;
  return { name, help, type, values: samples, aggregator: 'sum' };
}
const counter = (name: string, help: string, values: Values): Family => family('counter', name, help, values);
const gauge = (name: string, help: string, values: Values): Family => family('gauge', name, help, values);

/** One sample for each key. */
const by = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(values).map(([key, value]) => ({ value, labels: { [label]: key } }));

/** All metrics of hello-server's own. */
export function ownFamilies({ status, total, slots, restarts, own }: Measured): Family[] {
  const { totals, now, health, workers } = status;
  const of = (stage: string): number => workers.filter((w) => w.stage === stage).length;
  return [
    counter('http_requests_total', 'Requests answered, by class of status.', by('code', totals.answers)),
    latencies(total),
    counter(
      'hello_server_refused_requests_total',
      'Requests that hello-server answered in the place of the app, by status; http_requests_total counts them too.',
      by('code', totals.refused),
    ),
    counter(
      'hello_server_failed_requests_total',
      'Requests in which the app threw or rejected.',
      totals.failed,
    ),
    counter(
      'hello_server_aborted_requests_total',
      'Requests whose client left before its answer was whole.',
      totals.left,
    ),
    counter(
      'hello_server_slow_turns_total',
      'Listeners that ran longer than SLOW_TURN in one piece.',
      totals.slowTurns,
    ),
    gauge('hello_server_requests_in_flight', 'Requests that are being answered.', now.inFlight),
    gauge('hello_server_connections', 'Open connections.', now.connections),
    gauge('hello_server_long_lived_connections', 'Of these, WebSockets and event streams.', now.longLived),
    counter('hello_server_accepted_connections_total', 'Connections accepted.', totals.accepted),
    counter(
      'hello_server_upgraded_connections_total',
      'Connections upgraded to another protocol.',
      totals.upgraded,
    ),
    counter(
      'hello_server_cut_connections_total',
      'Connections that a worker cut at the deadline of its drain.',
      totals.cut,
    ),
    counter('hello_server_received_bytes_total', 'Bytes received from clients.', totals.bytesReceived),
    counter('hello_server_sent_bytes_total', 'Bytes sent to clients.', totals.bytesSent),
    counter(
      'hello_server_log_lines_dropped_total',
      'Log lines dropped because their reader was too slow.',
      totals.logLinesDropped,
    ),
    gauge(
      'hello_server_workers',
      'Workers by stage.',
      by('stage', Object.fromEntries(STAGES.map((stage) => [stage, of(stage)]))),
    ),
    gauge('hello_server_wanted_workers', 'Workers wanted.', status.wanted),
    gauge(
      'hello_server_unwell_workers',
      'Ready workers whose app says that it is unwell, or that do not respond.',
      workers.filter((w) => w.stage === 'ready' && w.unwell !== null).length,
    ),
    gauge('hello_server_ready', 'Whether the fleet is ready for traffic: 1 or 0.', Number(health.ready)),
    gauge('hello_server_generation', 'The generation that new workers belong to.', status.generation),
    counter(
      'hello_server_worker_exits_total',
      'Ends of workers, by reason.',
      by('reason', Object.fromEntries(EXIT_REASONS.map((reason) => [snake(reason), totals.exits[reason]]))),
    ),
    counter(
      'hello_server_poison_requests_total',
      'Requests that were named because workers died that held them, each at most once in ten minutes.',
      totals.poison,
    ),
    gauge(
      'hello_server_reload_phase',
      'Whether a reload is under way and in this phase: 1 or 0.',
      by('phase', Object.fromEntries(PHASES.map((phase) => [phase, Number(status.reload?.phase === phase)]))),
    ),
    counter('hello_server_reloads_total', 'Reloads, by result.', by('result', totals.reloads)),
    ...perSlot(slots, restarts, status),
    gauge('hello_server_info', 'The versions of hello-server and of Node.', [
      { value: 1, labels: { version: status.version, node: status.node } },
    ]),
    ...primaryProcess(own),
  ];
}

function latencies({ counters, latency }: Sums): Family {
  const name = 'http_request_duration_seconds';
  const values: Sample[] = [];
  let count = 0;
  for (const [bucket, answers] of latency.entries()) {
    count += answers;
    const bound = LATENCY_BOUNDS_MS[bucket];
    if (bound !== undefined && !SERVED_STEPS.has(bucket % 10)) continue;
    const le = bound === undefined ? '+Inf' : String(bound / 1000);
    values.push({ metricName: `${name}_bucket`, value: count, labels: { le } });
  }
  values.push({ metricName: `${name}_sum`, value: counters.latencyMs / 1000, labels: {} });
  values.push({ metricName: `${name}_count`, value: count, labels: {} });
  return family('histogram', name, 'Time from a request to the end of its answer.', values);
}

function perSlot(
  slots: ReadonlyMap<number, SlotFigures>,
  restarts: ReadonlyMap<number, number>,
  { workers }: Status,
): Family[] {
  const entries = [...slots];
  const each = (value: (slot: SlotFigures) => number): Sample[] =>
    entries.map(([slot, figures]) => ({ value: value(figures), labels: { worker: String(slot) } }));
  const measured = entries.flatMap(([slot, { gauges }]) =>
    gauges ? [{ worker: String(slot), gauges }] : [],
  );
  type Gauges = (typeof measured)[number]['gauges'];
  const eachNow = (value: (gauges: Gauges) => number): Sample[] =>
    measured.map(({ worker, gauges }) => ({ value: value(gauges), labels: { worker } }));
  // One that does not respond is as late as it is silent.
  const late = new Map(workers.map((w) => [String(w.slot), w.eventLoopDelay ?? 0]));
  const lateMs = (worker: string, ms: number): number => Math.max(ms, late.get(worker) ?? 0);
  return [
    family(
      'summary',
      'hello_server_event_loop_delay_seconds',
      'How late the event loop of a worker was in the last two seconds: half of the time, in 99 % of it, and at most.',
      measured.flatMap(({ worker, gauges }) => [
        { value: gauges.loopDelayP50Ms / 1000, labels: { worker, quantile: '0.5' } },
        { value: gauges.loopDelayP99Ms / 1000, labels: { worker, quantile: '0.99' } },
        { value: lateMs(worker, gauges.loopDelayMaxMs) / 1000, labels: { worker, quantile: '1' } },
      ]),
    ),
    gauge(
      'hello_server_event_loop_utilization_ratio',
      'The share of the last second that the event loop of a worker was busy.',
      eachNow(({ loopUtilization }) => loopUtilization),
    ),
    gauge(
      'hello_server_resident_memory_bytes',
      'Resident memory of a worker.',
      eachNow(({ rssMiB }) => Math.round(rssMiB * MIB)),
    ),
    gauge(
      'hello_server_heap_used_bytes',
      'Used heap of a worker.',
      eachNow(({ heapUsedMiB }) => Math.round(heapUsedMiB * MIB)),
    ),
    gauge(
      'hello_server_heap_limit_bytes',
      'What the heap of a worker may grow to.',
      eachNow(({ heapLimitMiB }) => Math.round(heapLimitMiB * MIB)),
    ),
    counter(
      'hello_server_cpu_seconds_total',
      'Processor time of the workers of a slot.',
      each(({ cpuMs }) => cpuMs / 1000),
    ),
    counter(
      'hello_server_gc_seconds_total',
      'Time that the workers of a slot spent in garbage collection.',
      each(({ gcMs }) => gcMs / 1000),
    ),
    counter(
      'hello_server_worker_restarts_total',
      'How often a worker of a slot ended unasked.',
      [...restarts].map(([slot, value]) => ({ value, labels: { worker: String(slot) } })),
    ),
  ];
}

function primaryProcess({ cpuSeconds, residentBytes, startSeconds, openFds, maxFds }: OwnProcess): Family[] {
  return [
    counter('process_cpu_seconds_total', 'Processor time of the primary.', cpuSeconds),
    gauge('process_resident_memory_bytes', 'Resident memory of the primary.', residentBytes),
    gauge('process_start_time_seconds', 'When the primary began, since the epoch.', startSeconds),
    ...(openFds === null
      ? []
      : [gauge('process_open_fds', 'Open file descriptors of the primary.', openFds)]),
    ...(maxFds === null ? [] : [gauge('process_max_fds', 'How many it may open.', maxFds)]),
  ];
}

const snake = (words: string): string => words.replaceAll(' ', '_');

/** The media types of both texts. */
export const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The families as text, by prom-client, which is loaded only where it is used. */
export async function textOf(families: readonly Family[], openMetrics: boolean): Promise<string> {
  const { Registry } = await import('./prometheus.ts');
  const registry = new Registry();
  registry.setContentType((openMetrics ? OPEN_METRICS : PROMETHEUS) as typeof PROMETHEUS);
  for (const all of families) {
    const name = openMetrics ? openName(all) : all.name;
    const type = openMetrics && all.type === 'untyped' ? 'unknown' : all.type;
    const one = { ...all, name, type };
    // Its types want a metric of its own making; it asks each for no more than this.
    registry.registerMetric({ ...one, get: () => Promise.resolve(one) } as never);
  }
  return registry.metrics();
}
