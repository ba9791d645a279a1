// How long a crashed slot waits before it is forked again; the first time not at all.

const STEPS_MS = [0, 500, 1000, 2000, 4000, 8000, 15_000] as const;
const JITTER = 0.2;

/** A worker ready for so long has proved itself: its slot's failures are forgotten. */
export const PROVEN_AFTER_MS = 30_000;

/**
 * The delay in ms before the fork that follows `failures` earlier ones in a row (0 = none):
 * 0, 500, 1000, 2000 … 15000, each ± 20 % by `random` (0 to 1).
 */
export function backoffMs(failures: number, random: number): number {
  const step = STEPS_MS[Math.min(failures, STEPS_MS.length - 1)] ?? 0;
  return Math.round(step * (1 + JITTER * (2 * random - 1)));
}
