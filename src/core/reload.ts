// A reload from its beginning to its end: its canary, its settling, what it keeps for a rollback, and both ways back.

import { canServe, type Fleet, live, type Reload, serves, type Worker } from './fleet.ts';
import type { Fault } from './notices.ts';
import type { Before, Wish } from './settings.ts';
import { type WorkerShare, workersIn } from './share.ts';
import type { Turn } from './turn.ts';

type Previous = NonNullable<Fleet['previous']>;

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
    grow(turn);
  }
}

/** Whether there is a generation to replace: one that has served, or in development one that has not booted. */
export const mayReload = ({ started, dev, workers }: Fleet): boolean =>
  started || (dev && workers.length === 0);

/** Begins a reload: all workers there are belong to an old generation now. One that brings errors is over at once. */
export function beginReload(turn: Turn, { force, renewal }: Wish): void {
  const { fleet, now } = turn;
  fleet.reloadAgain = undefined;
  fleet.newestGeneration += 1;
  if (renewal && 'errors' in renewal) {
    sayAbandoned(turn, fleet.newestGeneration, { fault: 'environment', errors: renewal.errors });
    return;
  }
  fleet.rollback = undefined;
  drainStandby(turn);
  const { settings, wanted } = fleet;
  if (renewal) fleet.settings = renewal.settings;
  // The number of workers is that of `scale` until the environment asks for another than it did.
  const becomes = fleet.settings.workers === settings.workers ? wanted : fleet.settings.workers;
  fleet.reload = {
    from: fleet.generation,
    to: fleet.newestGeneration,
    since: now,
    force,
    before: { settings, wanted, becomes },
    canary: fleet.settings.canaryMs > 0 ? { until: undefined } : undefined,
    settlesAt: undefined,
    asked: undefined,
  };
  fleet.generation = fleet.newestGeneration;
  for (const [number, { heldNotice }] of Object.entries(fleet.slots))
    if (!heldNotice) turn.slot(Number(number)).respawnAt = now;
  turn.log({ notice: 'reloading', generation: fleet.generation });
  if (!fleet.reload.canary) grow(turn);
}

/** More workers come with the others, fewer stay until the new generation has proved itself. */
function grow(turn: Turn): void {
  const { reload, wanted } = turn.fleet;
  if (reload && wanted === reload.before.wanted) turn.scale(Math.max(wanted, reload.before.becomes));
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
  keepPrevious(turn, reload);
  if (fleet.wanted === reload.before.wanted) turn.scale(reload.before.becomes);
  turn.log({
    notice: 'reloaded',
    generation: reload.to,
    tookMs: now - reload.since,
    asked: reload.asked,
  });
  turn.effects.push({ do: 'reloaded', generation: reload.to });
}

/** What a reload has replaced goes, or stands by for a rollback. */
function keepPrevious(turn: Turn, { from: generation, before }: Reload): void {
  const { fleet, now, effects } = turn;
  const { keepMs, drainMs } = fleet.settings;
  if (keepMs === 0) {
    drainStandby(turn);
    return;
  }
  const standby = fleet.workers.filter(({ stage }) => stage.name === 'standby');
  fleet.previous = { generation, until: now + keepMs, before };
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
export function beginRollback(turn: Turn, { generation: to, before }: Previous): void {
  const { fleet, now } = turn;
  turn.log({ notice: 'rolling back', from: fleet.generation, to });
  fleet.previous = undefined;
  fleet.rollback = { to, since: now };
  restore(turn, before);
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
  sayAbandoned(turn, reload.to, fault);
  restore(turn, reload.before);
  bringBack(turn, reload.from, 'reload abandoned');
}

function sayAbandoned(turn: Turn, generation: number, fault: Fault): void {
  const nothingServes = !turn.fleet.workers.some((w) => w.generation < generation && canServe(w));
  turn.log({ notice: 'abandoned', generation, fault, ...(nothingServes && { nothingServes }) });
  turn.effects.push({ do: 'abandoned', generation, fault });
}

/** Puts back in force what was so before the reload. */
function restore(turn: Turn, { settings, wanted, becomes }: Before): void {
  const { fleet } = turn;
  fleet.settings = settings;
  if (fleet.wanted === becomes) turn.scale(wanted);
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
