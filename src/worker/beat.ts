// A worker's beat: says that it lives, with its figures, and when it has served long enough.

import type { Config } from '../core/config.ts';
import { HOLDING, type ReplaceReason, type Stats } from '../core/protocol.ts';
import type { Service } from '../http/server.ts';

/** A beat at least so often; four within HANG_TIMEOUT where that is short. */
const BEAT_MS = 1000;
const MIN_BEAT_MS = 20;
const MIB = 1_048_576;

/** What a beat has to say, and to whom. */
export interface Listeners {
  readonly beat: (stats: Stats) => void;
  readonly replace: (why: ReplaceReason) => void;
}

/** Beats at once and from now on, without keeping the process alive. */
export function startBeat(config: Config, service: Service, listeners: Listeners): void {
  const { hangTimeoutMs, maxRequests, maxMemoryMiB } = config;
  const every = Math.max(MIN_BEAT_MS, Math.min(BEAT_MS, hangTimeoutMs > 0 ? hangTimeoutMs / 4 : BEAT_MS));
  // Up to 10 % more each, so that workers forked together are not replaced together.
  const limit = maxRequests > 0 ? Math.ceil(maxRequests * (1 + Math.random() / 10)) : Infinity;
  let due = performance.now();
  const beat = (): void => {
    const now = performance.now();
    const loopDelayMs = tenths(Math.max(0, now - due));
    due = now + every;
    const { requests, inFlight, connections } = service;
    const rssMiB = tenths(process.memoryUsage.rss() / MIB);
    listeners.beat({ requests, inFlight: inFlight.size, connections: connections.size, loopDelayMs, rssMiB });
    if (requests >= limit) listeners.replace('MAX_REQUESTS');
    else if (maxMemoryMiB > 0 && rssMiB > maxMemoryMiB) listeners.replace('MAX_MEMORY');
  };
  beat();
  setInterval(beat, every).unref();
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** Lets the primary read, through the inspector, which requests this worker holds should it hang. */
export function showHolding(service: Service): void {
  Object.assign(globalThis, { [Symbol.for(HOLDING)]: () => holding(service) });
}

/** The requests a service holds, the one it works on first. */
function holding({ current, inFlight }: Service): string[] {
  const requests = [...inFlight.keys()].map(({ req }) => req);
  if (current) requests.unshift(current);
  return requests.map(({ method, url }) => `${method} ${url}`);
}
