// What follows from the end of a worker's process: what it counts as, what is said of it, and what it puts in doubt.

import { ARMED_MS, CRASH_LOOP_BOOTS } from './deadlines.ts';
import { type Ending, type ExitReason, isUnexplained, unaskedReason } from './ending.ts';
import { CANNOT_SERVE } from './exit-codes.ts';
import { canServe, serves, type Worker } from './fleet.ts';
import type { Fault } from './notices.ts';
import { noteDeath, POISON_MS } from './poison.ts';
import { stopAtOnce } from './reconcile.ts';
import { abandonReload } from './reload.ts';
import { nameOf, type Turn } from './turn.ts';

/** A worker's process has ended: was it asked to, did it not boot, or did it crash? */
export function hasExited(turn: Turn, w: Worker, told: Ending): void {
  const { fleet, now } = turn;
  // What could be found out of one that we killed is that it was killed.
  const ending: Ending =
    w.killed && 'signal' in told ? { signal: told.signal, cause: { cause: 'ours', kill: w.killed } } : told;
  fleet.workers = fleet.workers.filter((other) => other !== w);
  hasLeft(turn, w);
  const of = nameOf(w);
  const uptimeMs = now - w.forkedAt;
  turn.effects.push({ do: 'ended', of, reason: exitReason(turn, w, ending) });
  if (fleet.stop || w.stage.name === 'draining' || w.killed?.why === 'not wanted') {
    const asked = wasAsked(w, ending);
    turn.log({ notice: asked ? 'gone' : 'crashed', of, ending, uptimeMs });
    if (!asked) diedSuddenly(turn, w, ending);
    if (!fleet.stop && w.doubt) endedUnasked(turn, w, asked ? w.doubt : ending);
    return;
  }
  endedUnasked(turn, w, ending);
  if (w.stage.name === 'booting') {
    didNotBoot(turn, w, ending);
    return;
  }
  const nextMs = w.stage.name === 'standby' ? undefined : turn.countFailure(w);
  if (!w.killed) {
    turn.log({ notice: 'crashed', of, ending, uptimeMs, nextMs });
    diedSuddenly(turn, w, ending);
  }
  if (isNew(turn, w)) abandonReload(turn, { fault: 'crashed', of, ending });
}

/** A worker is out of the rotation: a stop may wait for that. */
export function hasLeft({ fleet: { stop } }: Turn, { id }: Worker): void {
  if (stop?.phase.name !== 'leaving') return;
  stop.phase = { ...stop.phase, waitsFor: stop.phase.waitsFor.filter((other) => other !== id) };
}

function endedUnasked(turn: Turn, w: Worker, ending: Ending): void {
  const slot = turn.slot(w.slot);
  slot.restarts += 1;
  slot.lastExit = ending;
}

/** A death that does not explain itself has the slot's next workers armed; what was held in several may be poison. */
function diedSuddenly(turn: Turn, w: Worker, ending: Ending): void {
  if (isUnexplained(ending)) turn.slot(w.slot).armedUntil = turn.now + ARMED_MS;
  poisoned(turn, ending.holding ?? []);
}

/** A worker died, or is about to, that held these requests. */
export function poisoned(turn: Turn, holding: readonly string[]): void {
  if (holding.length === 0) return;
  const { poison, named } = noteDeath(turn.fleet.poison, holding, turn.now);
  turn.fleet.poison = poison;
  for (const { request, deaths } of named)
    turn.log({ notice: 'poison', request, deaths, withinMs: POISON_MS });
}

/** Whether a worker that was to go has ended as it should. */
const wasAsked = (w: Worker, ending: Ending): boolean =>
  ended(ending, 0) || w.killed !== undefined || isStopSignal(ending) || w.readyAt === undefined;

/** What its end counts as. */
function exitReason({ fleet }: Turn, w: Worker, ending: Ending): ExitReason {
  if ('cannotFork' in ending) return 'cannot fork';
  switch (w.killed?.why) {
    case 'hung':
    case 'not drained':
      return w.killed.why;
    case 'not ready':
    case 'not back':
      return 'boot failed';
    case undefined:
      break;
    default:
      return 'asked';
  }
  if (fleet.stop || w.stage.name === 'draining') {
    if (!wasAsked(w, ending)) return unaskedReason(ending);
    return w.doubt && !fleet.stop ? unaskedReason(w.doubt) : 'asked';
  }
  if (w.stage.name !== 'booting') return unaskedReason(ending);
  return isStopSignal(ending) ? 'asked' : 'boot failed';
}

/** Whether what the worker does counts against the reload under way. */
export const isNew = ({ fleet: { reload } }: Turn, w: Worker): boolean => reload?.to === w.generation;

/** A boot ended without a ready worker: of the first generation that is the end, of a reload it is its end. */
function didNotBoot(turn: Turn, w: Worker, ending: Ending): void {
  const { fleet } = turn;
  const of = nameOf(w);
  const fault = faultOf(w, ending);
  const never = 'cannotFork' in ending;
  if (fault.fault === 'ended' && isStopSignal(ending)) {
    turn.awaitOwnSignal(w, { notice: 'interrupted', of, ending });
  } else if (fleet.dev && !never && !w.failure?.noPort && !isOld(turn, w)) {
    awaitReload(turn, w, fault);
  } else if (!fleet.started && !never) {
    turn.log({ notice: 'cannot serve', fault });
    stopAtOnce(turn, CANNOT_SERVE, { why: 'cannot serve' });
  } else if (fleet.reload?.to === w.generation) {
    if (never) turn.countFailure(w);
    abandonReload(turn, fault);
  } else {
    turn.log({ notice: 'boot failed', of, fault });
    turn.effects.push({ do: 'boot failed', fault });
    turn.countFailure(w);
    fleet.bootsInVain = fleet.workers.some(serves) ? 0 : fleet.bootsInVain + 1;
    if (fleet.bootsInVain < CRASH_LOOP_BOOTS) return;
    turn.log({ notice: 'crash loop', boots: fleet.bootsInVain });
    stopAtOnce(turn, CANNOT_SERVE, { why: 'cannot serve' });
  }
}

/** Whether a reload has begun since it was forked. */
const isOld = ({ fleet: { reload } }: Turn, w: Worker): boolean =>
  reload !== undefined && reload.to !== w.generation;

/** In development the next save is what mends it: before that nothing is forked into its slot. */
function awaitReload(turn: Turn, w: Worker, fault: Fault): void {
  const { fleet } = turn;
  const nothingServes = !fleet.workers.some(canServe);
  turn.slot(w.slot).respawnAt = Infinity;
  if (fleet.reload) abandonReload(turn, fault);
  else {
    turn.log(
      nothingServes ? { notice: 'cannot serve', fault } : { notice: 'boot failed', of: nameOf(w), fault },
    );
    turn.effects.push({ do: 'boot failed', fault });
  }
  if (nothingServes && !fleet.reloadAgain) turn.log({ notice: 'awaits save' });
}

function faultOf(w: Worker, ending: Ending): Fault {
  if (w.failure) return { fault: 'failed', failure: w.failure };
  if (w.killed) return { fault: 'killed', of: nameOf(w), kill: w.killed };
  return { fault: 'ended', of: nameOf(w), ending };
}

const ended = (ending: Ending, code: number): boolean => 'code' in ending && ending.code === code;
const isStopSignal = (ending: Ending): boolean =>
  'signal' in ending && ['SIGINT', 'SIGTERM', 'SIGQUIT'].includes(ending.signal);
