// Puts a status together from the policy's state and the workers' last beats.

import type { Fleet, Worker } from '../core/fleet.ts';
import type { Stats } from '../core/protocol.ts';
import type { Status, WorkerStatus } from '../core/status.ts';

/** What does not change while the primary runs. */
export interface Identity {
  readonly version: string;
  readonly port: number;
  readonly host: string | undefined;
  readonly app: string | undefined;
}

const STAGES = ['ready', 'booting', 'standby', 'draining'];

/** The status at `now` (ms of the policy's clock). */
export function statusOf(
  fleet: Fleet,
  now: number,
  identity: Identity,
  statsOf: (id: number) => Stats | undefined,
): Status {
  const worker = (w: Worker): WorkerStatus => {
    const stats = statsOf(w.id);
    const slot = fleet.slots[w.slot];
    return {
      slot: w.slot,
      pid: w.pid,
      generation: w.generation,
      stage: w.stage,
      uptime: Math.round(now - w.forkedAt) / 1000,
      requests: stats?.requests ?? null,
      inFlight: stats?.inFlight ?? null,
      connections: stats?.connections ?? null,
      eventLoopDelay: stats?.loopDelayMs ?? null,
      rss: stats?.rssMiB ?? null,
      restarts: slot?.restarts ?? 0,
      lastExit: slot?.lastExit ?? null,
    };
  };
  const order = (w: Worker): number => w.slot * STAGES.length + STAGES.indexOf(w.stage);
  return {
    version: identity.version,
    node: process.version,
    pid: process.pid,
    uptime: Math.round(process.uptime() * 1000) / 1000,
    state: fleet.stop ? 'stopping' : !fleet.started ? 'starting' : fleet.reload ? 'reloading' : 'running',
    port: identity.port,
    host: identity.host ?? null,
    app: identity.app ?? null,
    generation: fleet.generation,
    wanted: fleet.wanted,
    workers: fleet.workers.toSorted((a, b) => order(a) - order(b)).map(worker),
  };
}
