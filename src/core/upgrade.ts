// An upgrade as the policy sees it: a successor boots, and once it serves all workers here drain, and nothing is forked.

import type { Fleet } from './fleet.ts';
import type { Carried, Program } from './succession.ts';
import type { Turn } from './turn.ts';

/** A successor reports its own boot failure; one that says nothing for so much longer than it takes is given up. */
const BOOT_MARGIN_MS = 15_000;

export type Upgrade =
  /** The successor boots its fleet, until `by`; all here is as ever. */
  | { readonly stage: 'booting'; readonly by: number }
  /** The successor serves; the workers here drain, and go. */
  | { readonly stage: 'leaving' }
  /** None is left, and this primary goes. */
  | { readonly stage: 'over' };

/** Why there can be no upgrade now; undefined = there can. */
function upgradeProblem({
  stop,
  started,
  reload,
  reloadAgain,
  rollback,
  upgrade,
}: Fleet): string | undefined {
  if (stop) return 'the server is stopping';
  if (upgrade) return 'another upgrade is under way';
  if (!started) return 'the start is not over yet';
  if (reload || reloadAgain) return 'a reload is under way';
  return rollback ? 'a rollback is under way' : undefined;
}

/** Whether the workers of this fleet have gone, or are to go, as a successor serves. */
export const isSucceeded = ({ upgrade }: Fleet): boolean =>
  upgrade !== undefined && upgrade.stage !== 'booting';

/** What the successor's fleet begins with. */
export function carriedBy({ generation, wanted, settings, slots }: Fleet): Carried {
  const restarts = Object.entries(slots).map(([slot, { restarts }]) => [slot, restarts]);
  return { generation, wanted, workers: settings.workers, restarts: Object.fromEntries(restarts) };
}

export function beginUpgrade(turn: Turn, node: string | undefined): void {
  const { fleet, now } = turn;
  const problem = upgradeProblem(fleet);
  if (problem !== undefined) {
    turn.log({ notice: 'no upgrade', reason: problem });
    turn.effects.push({ do: 'upgrade failed', reason: problem, begun: false });
    return;
  }
  fleet.upgrade = { stage: 'booting', by: now + 2 * turn.bootMs + BOOT_MARGIN_MS };
  turn.log({ notice: 'upgrading', workers: fleet.wanted });
  turn.effects.push({ do: 'boot successor', node });
}

/** The successor's whole fleet serves: ours leaves the rotation, and finishes what is open. */
export function successorServes(turn: Turn, pid: number, program: Program): void {
  const { fleet } = turn;
  // One that was given up meanwhile is to end.
  if (fleet.upgrade?.stage !== 'booting') return;
  fleet.upgrade = { stage: 'leaving' };
  fleet.previous = undefined;
  turn.log({ notice: 'succeeded', pid, program, workers: fleet.workers.length });
  turn.effects.push({ do: 'hand over', pid });
}

/** An interim fleet leaves, whatever it was at. */
export function dismiss({ fleet }: Turn): void {
  if (!fleet.stop) fleet.upgrade ??= { stage: 'leaving' };
}

/** There is no successor, or it has gone: this fleet is what serves, whatever was left of it. */
export function abandonUpgrade(turn: Turn, reason: string): void {
  const { fleet } = turn;
  if (!fleet.upgrade) return;
  fleet.upgrade = undefined;
  turn.log({ notice: 'upgrade abandoned', reason });
  turn.effects.push({ do: 'upgrade failed', reason, begun: true });
}

/** A successor that says nothing is given up. */
export function watchUpgrade(turn: Turn): void {
  const { upgrade } = turn.fleet;
  if (upgrade?.stage === 'booting' && turn.now >= upgrade.by)
    abandonUpgrade(turn, 'the successor did not serve in time');
}

/** Drains what is left; the primary goes with the last one. */
export function leave(turn: Turn): void {
  const { fleet } = turn;
  for (const w of fleet.workers) {
    if (w.stage.name === 'draining') continue;
    if (w.stage.name !== 'booting') turn.drain(w, 'succeeded');
    else if (!w.killed) turn.kill(w, { why: 'not wanted' });
  }
  if (fleet.workers.length > 0 || fleet.upgrade?.stage !== 'leaving') return;
  fleet.upgrade = { stage: 'over' };
  turn.effects.push({ do: 'succeed' });
}
