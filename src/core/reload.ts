// A reload from its beginning to its end: its canary, its settling, what it keeps for a rollback, and both ways back.

import { live, serves, type Worker } from './fleet.ts';
import type { Fault } from './notices.ts';
import { type WorkerShare, workersIn } from './share.ts';
import type { Turn } from './turn.ts';

/** How many workers the canary of a reload is. */
export const canarySize = (canary: WorkerShare, wanted: number): number =>
  Math.min(wanted, workersIn(canary, wanted));

/** Lets the others follow when the first new workers have served for their time. */
export function watchCanary(turn: Turn): void {
  const { fleet, now, ready } = turn;
  const { reload, settings } = fleet;
  if (!reload?.canary) return;
  const workers = canarySize(settings.canary, fleet.wanted);
  const whole = ready.filter((w) => w.generation >= reload.to).length >= workers;
  const { until } = reload.canary;
  if (!whole) reload.canary = { until: undefined };
  else if (until === undefined) {
    reload.canary = { until: now + settings.canaryMs };
    turn.log({ notice: 'canary', generation: reload.to, workers, forMs: settings.canaryMs });
  } else if (now >= until) {
    reload.canary = undefined;
    turn.log({ notice: 'canary passed', generation: reload.to, asked: reload.asked });
  }
}

/** Begins a reload: all workers there are belong to an old generation now. */
export function beginReload(turn: Turn, force: boolean): void {
  const { fleet, now } = turn;
  fleet.reloadAgain = undefined;
  fleet.rollback = undefined;
  drainStandby(turn);
  fleet.newestGeneration += 1;
  fleet.reload = {
    from: fleet.generation,
    to: fleet.newestGeneration,
    since: now,
    force,
    canary: fleet.settings.canaryMs > 0 ? { until: undefined } : undefined,
    settlesAt: undefined,
    asked: undefined,
  };
  fleet.generation = fleet.newestGeneration;
  for (const slot of Object.values(fleet.slots)) if (!slot.heldNotice) slot.respawnAt = now;
  turn.log({ notice: 'reloading', generation: fleet.generation });
}

/** Ends the reload when the whole new generation serves and has settled; the replaced workers drain for good. */
export function settleReload(turn: Turn): void {
  const { fleet, now, ready } = turn;
  const { reload } = fleet;
  if (!reload) return;
  const served = ready.length === fleet.wanted && ready.every((w) => w.generation >= reload.to);
  const whole = served && !reload.canary;
  reload.settlesAt = whole ? (reload.settlesAt ?? now + fleet.settings.settleMs) : undefined;
  if (reload.settlesAt === undefined || now < reload.settlesAt) return;
  fleet.reload = undefined;
  keepPrevious(turn, reload.from);
  turn.log({
    notice: 'reloaded',
    generation: reload.to,
    tookMs: now - reload.since,
    asked: reload.asked,
  });
  turn.effects.push({ do: 'reloaded', generation: reload.to });
}

/** What a reload has replaced goes, or stands by for a rollback. */
function keepPrevious(turn: Turn, generation: number): void {
  const { fleet, now, effects } = turn;
  const { keepMs, drainMs } = fleet.settings;
  if (keepMs === 0) {
    drainStandby(turn);
    return;
  }
  const standby = fleet.workers.filter(({ stage }) => stage.name === 'standby');
  fleet.previous = { generation, until: now + keepMs };
  for (const { id } of standby) effects.push({ do: 'sleep', id, graceMs: drainMs });
  turn.log({ notice: 'kept', generation, workers: standby.length, forMs: keepMs });
}

/** When nobody may roll back any more, those that stand by go; when none of them is left, nobody may. */
export function dismissPrevious(turn: Turn): void {
  const { previous, workers } = turn.fleet;
  if (!previous) return;
  const isLeft = workers.some(({ stage }) => stage.name === 'standby');
  if (!isLeft || turn.now >= previous.until) drainStandby(turn);
}

function drainStandby(turn: Turn): void {
  turn.fleet.previous = undefined;
  for (const w of turn.fleet.workers) if (w.stage.name === 'standby') turn.drain(w, 'replaced');
}

/** Puts the generation that stands by back into the rotation; as each comes back, the newer one of its slot goes. */
export function beginRollback(turn: Turn, to: number): void {
  const { fleet, now } = turn;
  turn.log({ notice: 'rolling back', from: fleet.generation, to });
  fleet.previous = undefined;
  fleet.rollback = { to, since: now };
  bringBack(turn, to, 'rolled back');
}

/** Ends the rollback when all that stood by are back, and none that they replace is left. */
export function settleRollback(turn: Turn): void {
  const { fleet, now } = turn;
  const { rollback, workers } = fleet;
  if (!rollback) return;
  const isUnderWay = (w: Worker): boolean =>
    w.stage.name === 'rejoining' || (serves(w) && w.replace?.why === 'rolled back');
  if (workers.some(isUnderWay)) return;
  fleet.rollback = undefined;
  turn.log({ notice: 'rolled back', generation: rollback.to, tookMs: now - rollback.since });
  turn.effects.push({ do: 'rolled back', generation: rollback.to });
}

/** Takes the reload back: what it forked goes, what it replaced comes back into the rotation. */
export function abandonReload(turn: Turn, fault: Fault): void {
  const { fleet } = turn;
  const { reload } = fleet;
  if (!reload) return;
  fleet.reload = undefined;
  turn.log({ notice: 'abandoned', generation: reload.to, fault });
  turn.effects.push({ do: 'abandoned', generation: reload.to, fault });
  bringBack(turn, reload.from, 'reload abandoned');
}

/** Has the workers that stand by rejoin, as generation `to`; newer ones of their slots go, each when its elder is back. */
function bringBack(turn: Turn, to: number, why: 'reload abandoned' | 'rolled back'): void {
  const { fleet, now } = turn;
  fleet.generation = to;
  for (const w of fleet.workers) {
    if (w.stage.name !== 'standby') continue;
    w.stage = { name: 'rejoining', by: now + turn.bootMs };
    turn.effects.push({ do: 'rejoin', id: w.id });
  }
  for (const w of fleet.workers.filter(({ generation }) => generation > to)) {
    const elder = fleet.workers.some((o) => o.slot === w.slot && live(o) && o.generation < w.generation);
    const isUseless = elder || why === 'reload abandoned';
    if (w.stage.name === 'booting' && isUseless) turn.kill(w, { why: 'not wanted' });
    else if (serves(w) && elder) w.replace ??= { why, by: Infinity };
  }
}
