// Whether the fleet lives, and whether it is ready for traffic: what /livez and /readyz answer.

import { type Fleet, serves, type Worker } from '../core/fleet.ts';
import { isSucceeded } from '../core/upgrade.ts';
import { endingText } from '../log/endings.ts';
import type { Health } from './status.ts';

/** A ready worker that has not been heard of for so long takes no part in what is ready: it is busy, or hangs. */
const SILENT_MS = 5000;
/** So many reasons are told. */
const MOST_REASONS = 3;

/** Why a ready worker takes no part in what is ready; null = it does. `said` is what its app says. */
export const whyUnwell = (w: Worker, now: number, said: string | null): string | null =>
  said ?? (serves(w) && now - w.heardAt > SILENT_MS ? 'does not respond' : null);

/**
 * The health of the fleet at `now` (ms of the policy's clock).
 * @param unwellOf why the app of a worker says that it is unwell; null = it does not
 */
export function healthOf(fleet: Fleet, now: number, unwellOf: (id: number) => string | null): Health {
  if (fleet.stop) return { live: true, ready: false, reason: 'it was asked to stop' };
  if (isSucceeded(fleet)) return { live: true, ready: true, reason: 'its successor serves' };
  if (fleet.relieves && !fleet.started) return { live: true, ready: true, reason: 'its predecessor serves' };
  const serving = fleet.workers.filter(serves);
  const booting = fleet.workers.some(({ stage: { name } }) => name === 'booting' || name === 'rejoining');
  const live = serving.length > 0 || booting;
  const reasons = new Set<string>();
  const well = serving.filter((w) => {
    const reason = whyUnwell(w, now, unwellOf(w.id));
    if (reason !== null) reasons.add(unwellOf(w.id) === null ? `worker ${w.slot} ${reason}` : reason);
    return reason === null;
  });
  const count = `${well.length} of ${fleet.wanted} workers ready`;
  const ready = well.length > 0;
  if (reasons.size > 0)
    return { live, ready, reason: `${count}: ${[...reasons].slice(0, MOST_REASONS).join('; ')}` };
  if (!ready) return { live, ready, reason: `${count}${fleet.started ? lastEnds(fleet) : ': it starts'}` };
  return { live, ready, reason: count };
}

/** How the workers of empty slots ended: `: worker 0 ended with code 1`. */
function lastEnds({ slots, wanted }: Fleet): string {
  const ends = Object.entries(slots)
    .filter(([slot, { lastExit }]) => Number(slot) < wanted && lastExit !== undefined)
    .map(([slot, { lastExit }]) => `worker ${slot} ended with ${lastExit ? endingText(lastExit) : ''}`);
  return ends.length === 0 ? '' : `: ${ends.slice(0, MOST_REASONS).join('; ')}`;
}
