// What a manager around hello-server has to wait, computed from the settings: its deadlines are outside of ours.

import type { Config } from '../core/config.ts';
import { workersIn } from '../core/share.ts';
import type { UnitDeadlines } from './templates/unit.ts';

/** What the primary and its manager take for themselves, in seconds. */
const RESERVE = 7;
/** No deadline of a stop is shorter, in seconds, so that small changes of the settings need no other file. */
const LEAST_STOP = 20;
/** Likewise for a start or reload. */
const LEAST_START = 300;
/** What docker stop waits by itself, in seconds, and what of it is not ours. */
const DOCKER_STOP = 10;
const DOCKER_RESERVE = 2;

const stopOf = ({ shutdownDelayMs, shutdownTimeoutMs }: Config): number =>
  (shutdownDelayMs + shutdownTimeoutMs) / 1000;

/** How long a stop may take for systemd and Kubernetes, in seconds. */
export const graceSeconds = (config: Config): number =>
  Math.max(LEAST_STOP, Math.ceil(stopOf(config)) + RESERVE);

/** How long docker stop has to wait, in seconds; undefined = no longer than it does by itself. */
export function dockerStopSeconds(config: Config): number | undefined {
  const seconds = Math.ceil(stopOf(config)) + DOCKER_RESERVE;
  return seconds > DOCKER_STOP ? seconds : undefined;
}

/** The deadlines of a unit for a fleet of so many workers. */
export function unitDeadlines(config: Config, workers: number): UnitDeadlines {
  const { bootTimeoutMs, drainTimeoutMs, shutdownDelayMs, shutdownTimeoutMs } = config;
  const waves = Math.ceil(workers / workersIn(config.reloadSurge, workers));
  const reloadMs = waves * bootTimeoutMs + config.canaryTimeMs + config.settleTimeMs + drainTimeoutMs;
  return {
    boot: bootTimeoutMs / 1000,
    drain: drainTimeoutMs / 1000,
    shutdownDelay: shutdownDelayMs / 1000,
    shutdownTimeout: shutdownTimeoutMs / 1000,
    start: bootTimeoutMs === 0 ? 0 : Math.max(LEAST_START, Math.ceil(reloadMs / 1000) + RESERVE),
    stop: graceSeconds(config),
  };
}
