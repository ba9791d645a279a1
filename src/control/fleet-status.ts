// Puts a status together from the policy's state and the ledger.

import { answersIn } from '../core/figures.ts';
import type { Fleet, Worker } from '../core/fleet.ts';
import { endingText } from '../log/endings.ts';
import { healthOf, whyUnwell } from './health.ts';
import type { Ledger } from './ledger.ts';
import { rounded } from './recent.ts';
import type { Now, PreviousStatus, ReloadStatus, Status, Totals, WorkerStatus } from './status.ts';

/** What does not change while the primary runs. */
export interface Identity {
  readonly version: string;
  readonly port: number;
  readonly host: string | undefined;
  readonly app: string | undefined;
}

/** What the primary knows of its own process. */
export interface Own {
  readonly rssMiB: number;
  /** Lines of the log that it has dropped itself. */
  readonly logLinesDropped: number;
}

/** A worker that has beaten and has not been heard of for so long is silent, ms. */
const SILENT_MS = 2500;

const STAGES = ['ready', 'booting', 'rejoining', 'standby', 'draining'];

/** The status at `now`, ms of the policy's clock, and at `elapsed`, ms of the ledger's. */
export function statusOf(
  fleet: Fleet,
  now: number,
  identity: Identity,
  ledger: Ledger,
  own: Own,
  elapsed = now,
): Status {
  const order = (w: Worker): number => w.slot * STAGES.length + STAGES.indexOf(w.stage.name);
  return {
    version: identity.version,
    node: process.version,
    pid: process.pid,
    uptime: rounded(process.uptime()),
    state: stateOf(fleet),
    port: identity.port,
    host: identity.host ?? null,
    app: identity.app ?? null,
    generation: fleet.generation,
    wanted: fleet.wanted,
    reload: reloadStatus(fleet, now),
    previous: previousStatus(fleet, now, ledger),
    workers: fleet.workers
      .toSorted((a, b) => order(a) - order(b))
      .map((w) => workerStatus(fleet, w, now, ledger)),
    totals: totalsOf(ledger, own),
    now: nowOf(ledger, own),
    health: healthOf(fleet, now, (id) => ledger.worker(id)?.stats.unwell ?? null),
    events: ledger.events(elapsed),
  };
}

/** What a fleet is doing, in one word. */
export const stateOf = ({ stop, started, upgrade, reload }: Fleet): Status['state'] =>
  stop ? 'stopping' : !started ? 'starting' : upgrade ? 'upgrading' : reload ? 'reloading' : 'running';

function reloadStatus({ reload }: Fleet, now: number): ReloadStatus | null {
  if (!reload) return null;
  const { from, to, since, canary, settlesAt, asked = null } = reload;
  const phase = canary?.until !== undefined ? 'canary' : settlesAt !== undefined ? 'settling' : 'replacing';
  return { from, to, age: rounded((now - since) / 1000), phase, asked };
}

function previousStatus({ previous, workers }: Fleet, now: number, ledger: Ledger): PreviousStatus | null {
  if (!previous) return null;
  const kept = workers.filter(({ stage }) => stage.name === 'standby');
  const held = kept.map(({ id }) => ledger.worker(id)?.stats.gauges.rssMiB);
  return {
    generation: previous.generation,
    left: rounded((previous.until - now) / 1000),
    workers: kept.length,
    rss: held.includes(undefined) ? null : held.reduce<number>((sum, rss = 0) => sum + rss, 0),
  };
}

function workerStatus(fleet: Fleet, w: Worker, now: number, ledger: Ledger): WorkerStatus {
  const { stats, rates: told } = ledger.worker(w.id) ?? {};
  const { gauges } = stats ?? {};
  // Of one that is silent, what it said last is not what it does.
  const silentMs = now - w.heardAt;
  const isSilent = stats !== undefined && silentMs > SILENT_MS;
  const rates = isSilent ? undefined : told;
  const late = (ms: number | undefined): number | null => (isSilent ? Math.round(silentMs) : (ms ?? null));
  const slot = fleet.slots[w.slot];
  return {
    worker: w.slot,
    slot: w.slot,
    pid: w.pid,
    generation: w.generation,
    stage: w.stage.name,
    uptime: Math.round(now - w.forkedAt) / 1000,
    requests: stats ? answersIn(stats) : null,
    inFlight: gauges?.inFlight ?? null,
    connections: gauges?.connections ?? null,
    longLived: gauges?.longLived ?? null,
    eventLoopDelay: late(gauges?.loopDelayMaxMs),
    eventLoopDelayP50: gauges?.loopDelayP50Ms ?? null,
    eventLoopDelayP99: late(gauges?.loopDelayP99Ms),
    eventLoopUtilization: gauges?.loopUtilization ?? null,
    rss: gauges?.rssMiB ?? null,
    heapUsed: gauges?.heapUsedMiB ?? null,
    heapLimit: gauges?.heapLimitMiB ?? null,
    memoryShare: w.share?.rssMiB ?? null,
    cpu: rates?.cpu ?? null,
    gc: rates?.gc ?? null,
    requestsPerSecond: rates?.requestsPerSecond ?? null,
    errorsPerSecond: rates?.errorsPerSecond ?? null,
    latencyP50: rates?.latencyP50 ?? null,
    latencyP99: rates?.latencyP99 ?? null,
    unwell: whyUnwell(w, now, stats?.unwell ?? null),
    restarts: slot?.restarts ?? 0,
    lastExit: slot?.lastExit ? endingText(slot.lastExit) : null,
  };
}

function totalsOf({ total, exits, reloads, poison }: Ledger, own: Own): Totals {
  const c = total.counters;
  return {
    requests: answersIn(total),
    answers: {
      '2xx': c.answers2xx,
      '3xx': c.answers3xx,
      '4xx': c.answers4xx,
      '5xx': c.answers5xx,
      other: c.answersOther,
    },
    refused: { '400': c.refused400, '408': c.refused408, '431': c.refused431 },
    failed: c.failed,
    left: c.left,
    slowTurns: c.slowTurns,
    accepted: c.accepted,
    upgraded: c.upgraded,
    cut: c.cut,
    bytesReceived: c.bytesReceived,
    bytesSent: c.bytesSent,
    logLinesDropped: c.logLinesDropped + own.logLinesDropped,
    exits: { ...exits },
    poison,
    reloads: { ...reloads },
  };
}

function nowOf(ledger: Ledger, own: Own): Now {
  const { rates } = ledger;
  const { inFlight, connections, longLived, rss, eventLoopDelay } = ledger.gauges();
  return {
    inFlight,
    connections,
    longLived,
    requestsPerSecond: rates?.requestsPerSecond ?? 0,
    errorsPerSecond: rates?.errorsPerSecond ?? 0,
    latencyP50: rates?.latencyP50 ?? null,
    latencyP99: rates?.latencyP99 ?? null,
    eventLoopDelay,
    rss,
    primaryRss: rounded(own.rssMiB),
  };
}
