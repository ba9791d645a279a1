// The heart of the policy: compares the workers there are with the workers wanted, and does what is missing.

import { hangsAt, live, type Worker } from './fleet.ts';
import { beginReload, settleReload } from './reload.ts';
import { proceedStop } from './stop.ts';
import { NOT_WANTED, type Turn } from './turn.ts';

/** Compares what is with what is wanted, and does what is missing. */
export function reconcile(turn: Turn): void {
  const { fleet } = turn;
  expire(turn);
  if (fleet.stop) proceedStop(turn, fleet.stop);
  else {
    sayUnsaid(turn);
    keepSlots(turn);
    announce(turn);
    settleReload(turn);
    if (fleet.started && fleet.reloadAgain && !fleet.reload) beginReload(turn);
    surge(turn);
  }
}

function expire(turn: Turn): void {
  const { fleet, now } = turn;
  for (const w of fleet.workers) {
    if (now >= w.deadline) {
      turn.kill(
        w,
        w.stage === 'booting' ? `was not ready within ${turn.bootMs / 1000} s` : 'not drained in time',
      );
    }
    const silentMs = now - w.heardAt;
    if (!fleet.stop && now >= hangsAt(w, fleet.settings)) {
      w.killed = 'hung';
      turn.effects.push({ do: 'hung', id: w.id, silentMs });
    }
  }
}

/** Our own signal has not come: a stop signal that reached a worker was meant for it alone, and is answered now. */
function sayUnsaid(turn: Turn): void {
  for (const slot of Object.values(turn.fleet.slots)) {
    if (!slot.unsaid || turn.now < slot.respawnAt) continue;
    turn.log(slot.unsaid);
    slot.unsaid = undefined;
  }
}

/** Each wanted slot has one live worker: fork where it has none, retire the older where it has two. */
function keepSlots(turn: Turn): void {
  const { fleet, now } = turn;
  for (let slot = 0; slot < fleet.wanted; slot++) {
    const here = fleet.workers.filter((w) => w.slot === slot && live(w));
    const ready = here.filter((w) => w.stage === 'ready');
    const old = ready.find((w) => w.replace) ?? ready.find((w) => turn.stale(w));
    if (here.length === 0 && now >= turn.slot(slot).respawnAt) turn.fork(slot);
    if (old && ready.length > 1) turn.retire(old);
    for (const w of ready) if (w.stage === 'ready' && now >= (w.replace?.by ?? Infinity)) turn.retire(w);
  }
  for (const w of fleet.workers) {
    if (w.slot < fleet.wanted) continue;
    if (w.stage === 'booting' && w.readyAt === undefined) turn.kill(w, NOT_WANTED);
    else if (w.stage !== 'draining') turn.drain(w, 'scaled down');
  }
  // A slot that was just vacated for good is forked in this same turn.
  for (let slot = 0; slot < fleet.wanted; slot++) {
    if (now >= turn.slot(slot).respawnAt && !fleet.workers.some((w) => w.slot === slot && live(w)))
      turn.fork(slot);
  }
}

/** Says when the first generation serves. */
function announce(turn: Turn): void {
  const { fleet } = turn;
  if (fleet.started || fleet.workers.filter((w) => w.stage === 'ready').length !== fleet.wanted) return;
  fleet.started = true;
  turn.effects.push({ do: 'serving' });
}

/** Replaces one stale worker: a newer one boots beside it; never two at once, nor more out of rotation than wanted. */
function surge(turn: Turn): void {
  const { fleet, now } = turn;
  const alive = fleet.workers.filter(live);
  if (!fleet.started || alive.length !== fleet.wanted || alive.some((w) => w.stage === 'booting')) return;
  // The limit is the reload's and the recycling's; one that must go at its deadline is replaced all the same.
  const crowded = fleet.workers.length - alive.length >= fleet.wanted;
  const due = (w: Worker): boolean => (crowded ? (w.replace?.by ?? Infinity) < Infinity : turn.stale(w));
  const old = alive.find((w) => due(w) && now >= turn.slot(w.slot).respawnAt);
  if (old) turn.fork(old.slot);
}
