// The heart of the policy: compares the workers there are with the workers wanted, and does what is missing.

import { KILL_MARGIN_MS, LEAVE_MS } from './deadlines.ts';
import { OK } from './exit-codes.ts';
import { type Fleet, inDoubt, isHeld, live, type Stop, serves, type Worker } from './fleet.ts';
import { isSame, shareOut } from './memory-share.ts';
import type { KillReason } from './notices.ts';
import {
  beginReload,
  canarySize,
  dismissPrevious,
  mayReload,
  settleReload,
  settleRollback,
  watchCanary,
} from './reload.ts';
import { workersIn } from './share.ts';
import type { Turn } from './turn.ts';
import { isSucceeded, leave, watchUpgrade } from './upgrade.ts';

/** Does what is missing between the fleet as it is and as it should be. */
export function reconcile(turn: Turn): void {
  killOverdue(turn);
  if (turn.fleet.stop) {
    passLead(turn);
    proceedStop(turn, turn.fleet.stop);
    return;
  }
  explainHung(turn);
  logHeldNotices(turn);
  watchUpgrade(turn);
  if (isSucceeded(turn.fleet)) {
    leave(turn);
    passLead(turn);
    return;
  }
  drainUnwanted(turn);
  retireFull(turn);
  retireReplaced(turn);
  announceStart(turn);
  watchCanary(turn);
  settleReload(turn);
  dismissPrevious(turn);
  settleRollback(turn);
  const { reload, reloadAgain } = turn.fleet;
  if (mayReload(turn.fleet) && reloadAgain && !reload) beginReload(turn, reloadAgain);
  // A reload that is over may have brought a smaller fleet.
  drainUnwanted(turn);
  shareMemory(turn);
  forkMissing(turn);
  passLead(turn);
}

/** When the policy wants to be woken next, ms; Infinity = only by an event. */
export function wakeAt(fleet: Fleet): number {
  const { stop, reload, workers, slots } = fleet;
  const times = workers.map(overdueAt);
  if (stop) times.push('until' in stop.phase ? stop.phase.until : Infinity);
  else {
    for (const w of workers) times.push(hungAt(w), serves(w) ? (w.replace?.by ?? Infinity) : Infinity);
    for (const { heldNotice, respawnAt } of Object.values(slots)) if (heldNotice) times.push(respawnAt);
    if (!isSucceeded(fleet)) for (const slot of missingSlots(fleet)) times.push(slots[slot]?.respawnAt ?? 0);
    times.push(
      fleet.upgrade?.stage === 'booting' ? fleet.upgrade.by : Infinity,
      reload?.settlesAt ?? Infinity,
      reload?.canary?.until ?? Infinity,
      fleet.previous?.until ?? Infinity,
    );
    if (!fleet.lead && nextLeader(fleet)) times.push(fleet.leadAt);
  }
  return Math.min(Infinity, ...times);
}

/** When the worker has been in its stage for too long, ms; one that hung is killed when that is explained, or then. */
const overdueAt = ({ stage, killed }: Worker): number =>
  !('by' in stage) || (killed && killed.why !== 'hung') ? Infinity : stage.by;

/** When the worker counts as hung, ms. */
const hungAt = (w: Worker): number =>
  w.hangMs === 0 || w.readyAt === undefined || w.killed || isHeld(w) ? Infinity : w.heardAt + w.hangMs;

function killOverdue(turn: Turn): void {
  const withinMs = turn.bootMs;
  const reasons: Record<string, KillReason> = {
    booting: { why: 'not ready', withinMs },
    rejoining: { why: 'not back', withinMs },
  };
  for (const w of turn.fleet.workers) {
    if (turn.now >= overdueAt(w)) turn.kill(w, reasons[w.stage.name] ?? { why: 'not drained' });
  }
}

function explainHung(turn: Turn): void {
  for (const w of turn.fleet.workers) {
    if (turn.now < hungAt(w)) continue;
    w.killed = { why: 'hung' };
    turn.effects.push({ do: 'explain', id: w.id, silentMs: turn.now - w.heardAt });
  }
}

/** Our own signal has not come: a stop signal that reached a worker was meant for it alone, and is answered now. */
function logHeldNotices(turn: Turn): void {
  for (const [number, { heldNotice, respawnAt }] of Object.entries(turn.fleet.slots)) {
    if (!heldNotice || turn.now < respawnAt) continue;
    turn.log(heldNotice);
    turn.slot(Number(number)).heldNotice = undefined;
  }
}

/**
 * One whose heap is nearly full may have to wait for its replacement, as heaps have filled up fast: it would take what
 * it holds with it. It goes before that, while another serves.
 */
function retireFull(turn: Turn): void {
  for (const w of turn.ready) {
    const waits = turn.now < turn.respawnAt(w.slot);
    if (!w.isFull || !w.replace || !waits || turn.ready.length === 1) continue;
    w.replace = { ...w.replace, by: turn.now };
    turn.retire(w);
  }
}

/** One that was told to go goes when its time is up; of two that are left ready in one slot then the older. */
function retireReplaced(turn: Turn): void {
  for (const w of turn.ready) if (turn.now >= (w.replace?.by ?? Infinity)) turn.retire(w);
  const { ready } = turn;
  const seen = new Set<number>();
  for (const { slot } of ready) {
    if (!seen.has(slot)) seen.add(slot);
    else {
      const both = ready.filter((w) => w.slot === slot);
      const old = both.find((w) => w.replace) ?? both.find((w) => w.generation < turn.fleet.generation);
      if (old) turn.retire(old);
    }
  }
}

function drainUnwanted(turn: Turn): void {
  for (const w of turn.fleet.workers) {
    if (w.slot < turn.fleet.wanted || w.stage.name === 'draining') continue;
    if (w.stage.name !== 'booting') turn.drain(w, 'scaled down');
    else if (!w.killed) turn.kill(w, { why: 'not wanted' });
  }
}

function announceStart({ fleet, ready, effects }: Turn): void {
  if (fleet.started || ready.length !== fleet.wanted) return;
  fleet.started = true;
  effects.push({ do: 'announce' });
}

/** Shares the memory out for the workers that are forked from now on, and says so where that has changed. */
function shareMemory(turn: Turn): void {
  const { fleet } = turn;
  const { memory, surge } = fleet.settings;
  const sharing = memory && shareOut(memory, fleet.wanted, surge);
  if (isSame(sharing, fleet.sharing)) return;
  fleet.sharing = sharing;
  if (sharing) turn.log({ notice: 'memory shared out', sharing });
}

function forkMissing(turn: Turn): void {
  for (const slot of missingSlots(turn.fleet)) if (turn.now >= turn.respawnAt(slot)) turn.fork(slot);
}

/** The slots to be forked into, at once or after their backoff: those without a live worker; if there are none, stale ones. */
function missingSlots(fleet: Fleet): number[] {
  const alive = fleet.workers.filter(live);
  const taken = new Set(alive.map((w) => w.slot));
  const empty: number[] = [];
  for (let slot = 0; slot < fleet.wanted; slot++) if (!taken.has(slot)) empty.push(slot);
  if (empty.length > 0) return empty;
  if (!fleet.started || alive.length !== fleet.wanted || !alive.every(serves)) return [];
  // Workers are recycled one at a time, and by a reload as many as it replaces at a time; none while as many as wanted are
  // out of the rotation already. That limit is the reload's and the recycling's: one that was told to go, or is in doubt,
  // is replaced all the same.
  // Those that stand by for a rollback are no burden of a reload, nor is one whose heap is written.
  const kept = fleet.previous ? fleet.workers.filter(({ stage }) => stage.name === 'standby').length : 0;
  const held = fleet.workers.filter(isHeld).length;
  const free = fleet.wanted - (fleet.workers.length - alive.length - kept - held);
  const room = roomOfReload(fleet, alive);
  const stale = (w: Worker): boolean =>
    (w.generation < fleet.generation && room > 0) || w.replace !== undefined;
  const urgent = ({ replace }: Worker): boolean => replace?.why === 'TERM' || inDoubt(replace?.why);
  const due = alive.filter(free > 0 ? stale : urgent);
  const respawnAt = ({ slot }: Worker): number => fleet.slots[slot]?.respawnAt ?? 0;
  const next = due.toSorted((a, b) => respawnAt(a) - respawnAt(b));
  return next.slice(0, Math.max(1, Math.min(room, free))).map(({ slot }) => slot);
}

/** How many workers may be replaced at a time: one, by a reload its surge, and none while its canary serves alone. */
function roomOfReload(
  { reload, wanted, settings: { surge, canary } }: Fleet,
  alive: readonly Worker[],
): number {
  if (!reload) return 1;
  const most = workersIn(surge, wanted);
  if (!reload.canary) return most;
  const fresh = alive.filter((w) => w.generation >= reload.to).length;
  return Math.min(most, Math.max(0, canarySize(canary, wanted) - fresh));
}

/** One worker's app leads at a time: the next is asked when the one before has handed over, or its process is gone. */
function passLead({ fleet, now, effects }: Turn): void {
  const leader = fleet.workers.find(({ id }) => id === fleet.lead?.id);
  if (!leader) fleet.lead = undefined;
  else if (!fleet.lead?.yielding && (fleet.stop || !serves(leader))) {
    fleet.lead = { id: leader.id, yielding: true };
    effects.push({ do: 'yield', id: leader.id });
  }
  const next = nextLeader(fleet);
  if (fleet.lead || fleet.stop || !next || now < fleet.leadAt) return;
  fleet.lead = { id: next.id, yielding: false };
  effects.push({ do: 'lead', id: next.id });
}

/** Of the ready workers one of the newest generation, that is not about to be replaced if there is such a one. */
function nextLeader(fleet: Fleet): Worker | undefined {
  const rank = (w: Worker): number => (w.killed ? 2 : w.replace ? 1 : 0);
  const able = fleet.workers.filter((w) => serves(w) && w.leads);
  return able.toSorted((a, b) => rank(a) - rank(b) || b.generation - a.generation || a.slot - b.slot)[0];
}

/** Begins a stop that ends with `exitCode`; one after an error has no delay. */
export function beginStop({ fleet, now, effects }: Turn, exitCode: number): void {
  const { stopDelayMs } = fleet.settings;
  fleet.reload = undefined;
  fleet.reloadAgain = undefined;
  fleet.previous = undefined;
  fleet.rollback = undefined;
  fleet.upgrade = undefined;
  const until = now + (exitCode === OK ? stopDelayMs : 0);
  fleet.stop = { at: now, exitCode, phase: { name: 'delay', until } };
  for (const w of fleet.workers) {
    w.snapshot = false;
    effects.push({ do: 'stopping', id: w.id, linger: stopDelayMs > 0 });
  }
}

/** The stop that waits for nothing: all are killed, and the primary goes when they have gone. */
export function stopAtOnce(turn: Turn, exitCode: number, kill: KillReason): void {
  turn.fleet.reload = undefined;
  turn.fleet.previous = undefined;
  turn.fleet.rollback = undefined;
  turn.fleet.upgrade = undefined;
  turn.fleet.stop = { at: turn.now, exitCode, phase: { name: 'draining' } };
  for (const w of turn.fleet.workers) turn.kill(w, kill);
}

/** Goes through as many of the stop's phases as are over by now. */
function proceedStop(turn: Turn, stop: Stop): void {
  const { fleet, now, effects } = turn;
  const { stopMs } = fleet.settings;
  if (stop.phase.name === 'delay' && now >= stop.phase.until) {
    effects.push({ do: 'release socket' });
    const waitsFor = turn.ready.map(({ id }) => id);
    for (const id of waitsFor) effects.push({ do: 'leave', id, linger: false });
    const killAt = now + stopMs;
    stop.phase = { name: 'leaving', until: now + Math.min(LEAVE_MS, stopMs), killAt, waitsFor };
  }
  if (stop.phase.name === 'leaving' && (now >= stop.phase.until || stop.phase.waitsFor.length === 0)) {
    const by = Math.max(now, stop.phase.killAt);
    const graceMs = Math.max(0, by - now - Math.min(KILL_MARGIN_MS, stopMs / 10));
    for (const w of fleet.workers) {
      w.stage = { name: 'draining', by };
      if (stopMs === 0) turn.kill(w, { why: 'no grace' });
      else effects.push({ do: 'drain', id: w.id, why: 'stop', graceMs });
    }
    stop.phase = { name: 'draining' };
  }
  if (fleet.workers.length > 0) return;
  if (stop.exitCode === OK) turn.log({ notice: 'closed' });
  effects.push({ do: 'exit', code: stop.exitCode });
  stop.phase = { name: 'over' };
}
