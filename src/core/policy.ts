// The policy: which workers to fork, drain and kill, as one pure function of what is, what happened, and the time.
// It knows no process and no clock. What happened is noted here; what follows from it is worked out in reconcile.ts.

import { PROVEN_AFTER_MS } from './backoff.ts';
import { LEAD_AGAIN_MS, SAME_SIGNAL_MS } from './deadlines.ts';
import { cutShortBy, OK } from './exit-codes.ts';
import { hasExited, hasLeft, isNew, poisoned } from './exited.ts';
import {
  type Effect,
  type Event,
  type Fleet,
  inDoubt,
  isHeld,
  live,
  serves,
  type Worker,
  type WorkerEvent,
} from './fleet.ts';
import { isMemory } from './notices.ts';
import { beginStop, reconcile, stopAtOnce } from './reconcile.ts';
import { abandonReload, beginReload, beginRollback, mayReload } from './reload.ts';
import type { Wish } from './settings.ts';
import { nameOf, Turn } from './turn.ts';
import { abandonUpgrade, beginUpgrade, dismiss, successorServes } from './upgrade.ts';

/** One step: what happened at `now` (ms), the fleet after it, and what is to be done. `fleet` is left as it was. */
export function step(fleet: Fleet, event: Event, now: number): { fleet: Fleet; effects: Effect[] } {
  if (fleet.stop?.phase.name === 'over') return { fleet, effects: [] };
  // Heartbeats are the most frequent event by far and change a number each: nothing else is copied or looked at.
  if (event.type === 'heard') return { fleet: heard(fleet, event.at), effects: [] };
  const turn = new Turn(fleet, now);
  note(turn, event);
  reconcile(turn);
  return { fleet: turn.fleet, effects: turn.effects };
}

const heard = (fleet: Fleet, at: ReadonlyMap<number, number>): Fleet => ({
  ...fleet,
  workers: fleet.workers.map((w) => ({ ...w, heardAt: Math.max(w.heardAt, at.get(w.id) ?? 0) })),
});

function note(turn: Turn, event: Exclude<Event, { type: 'heard' }>): void {
  switch (event.type) {
    case 'wake':
      return;
    case 'reload':
      askedToReload(turn, { force: event.force ?? false, renewal: event.renewal }, event.saved);
      return;
    case 'rollback':
      askedToRollBack(turn);
      return;
    case 'judged':
      wasJudged(turn, event);
      return;
    case 'scale':
      askedToScale(turn, event.workers);
      return;
    case 'stop':
      askedToStop(turn, event);
      return;
    case 'upgrade':
      beginUpgrade(turn, event.node);
      return;
    case 'successor serves':
      successorServes(turn, event.pid, event.program);
      return;
    case 'dismissed':
      dismiss(turn);
      return;
    case 'successor gone':
      abandonUpgrade(turn, event.reason);
      return;
    case 'predecessor gone':
      turn.fleet.leadAt = turn.now;
      turn.fleet.relieves = false;
      return;
    default: {
      const worker = turn.fleet.workers.find((w) => w.id === event.id);
      if (worker) noteOf(turn, worker, event);
    }
  }
}

function noteOf(turn: Turn, w: Worker, event: WorkerEvent): void {
  // Only the primary can say this of it.
  if (event.type !== 'hold') w.heardAt = turn.now;
  switch (event.type) {
    case 'hello':
      return;
    case 'forked':
      w.pid = event.pid;
      return;
    case 'ready':
      w.leads = event.leads ?? false;
      becameReady(turn, w);
      return;
    case 'failed':
      w.failure = event.failure;
      return;
    case 'yielded':
      leadsNoMore(turn, w, event.failed);
      return;
    case 'left':
      hasLeft(turn, w);
      return;
    case 'replace':
      askedForReplacement(turn, w, event);
      return;
    case 'hold':
      hold(turn, w);
      return;
    case 'release':
      release(turn, w);
      return;
    case 'exit':
      hasExited(turn, w, event.ending);
      return;
    default:
      event satisfies never;
  }
}

function askedToReload(turn: Turn, wish: Wish, saved = false): void {
  const { fleet } = turn;
  if (fleet.stop || isRefused(turn, 'reload') || (saved && bootsAnew(turn, wish))) return;
  if (fleet.reload || !mayReload(fleet)) fleet.reloadAgain = wish;
  else beginReload(turn, wish);
}

/** Has what boots from files that are out of date boot anew; whether there was such, and nothing else is to be done. */
function bootsAnew(turn: Turn, { renewal }: Wish): boolean {
  const { fleet } = turn;
  const booting = fleet.workers.filter(({ stage }) => stage.name === 'booting');
  const isPossible = booting.every(({ killed }) => !killed || killed.why === 'not wanted');
  if (booting.length === 0 || !isPossible || (renewal && 'errors' in renewal)) return false;
  if (renewal) fleet.settings = renewal.settings;
  if (fleet.reload) fleet.reload = { ...fleet.reload, since: turn.now };
  for (const w of booting.filter(({ killed }) => !killed)) {
    turn.log({ notice: 'boots anew', of: nameOf(w) });
    turn.kill(w, { why: 'not wanted' });
  }
  return true;
}

function askedToRollBack(turn: Turn): void {
  const { previous, reload, stop } = turn.fleet;
  if (previous && !reload && !stop && !isRefused(turn, 'rollback')) beginRollback(turn, previous);
}

/** A verdict on another generation than the one that is being brought comes too late. */
function wasJudged(turn: Turn, { generation, verdict }: Extract<Event, { type: 'judged' }>): void {
  const { reload } = turn.fleet;
  if (reload?.to !== generation) return;
  if (verdict.verdict !== 'bad') reload.asked = verdict.verdict === 'good' ? verdict.asked : 0;
  else if (!reload.force) abandonReload(turn, { fault: 'judged', from: reload.from, to: reload.to, verdict });
}

function askedToScale(turn: Turn, workers: number): void {
  if (!turn.fleet.stop && !isRefused(turn, 'scale')) turn.scale(workers);
}

/** The successor goes on with what the fleet was when the upgrade began: nothing of it changes meanwhile. */
function isRefused(turn: Turn, what: 'reload' | 'scale' | 'rollback'): boolean {
  if (turn.fleet.upgrade) turn.log({ notice: 'not during upgrade', what });
  return turn.fleet.upgrade !== undefined;
}

function askedToStop(turn: Turn, { signal, what, exitCode }: Extract<Event, { type: 'stop' }>): void {
  const { stop } = turn.fleet;
  if (!stop) {
    if (what) turn.log({ notice: 'received', what });
    beginStop(turn, exitCode ?? OK);
  } else if (signal && turn.now - stop.at > SAME_SIGNAL_MS) {
    turn.log({ notice: 'cut short', signal });
    stopAtOnce(turn, cutShortBy(signal), { why: 'second signal', signal });
  }
}

function becameReady(turn: Turn, w: Worker): void {
  if (w.killed || (w.stage.name !== 'booting' && w.stage.name !== 'rejoining')) return;
  w.stage = { name: 'ready' };
  w.readyAt ??= turn.now;
  turn.fleet.bootsInVain = 0;
  turn.log({ notice: 'ready', of: nameOf(w), afterMs: turn.now - w.forkedAt });
}

/** One whose lead has failed is not asked again at once, nor is another. */
function leadsNoMore({ fleet, now }: Turn, { id }: Worker, failed: boolean): void {
  if (fleet.lead?.id !== id) return;
  fleet.lead = undefined;
  if (failed) fleet.leadAt = now + LEAD_AGAIN_MS;
}

/** Only a worker's own TERM sets a time after which it drains without a replacement: it was told to go. */
function askedForReplacement(turn: Turn, w: Worker, event: Extract<Event, { type: 'replace' }>): void {
  const { why, doubt } = event;
  w.isFull ||= why === 'heap limit';
  if (w.replace || turn.fleet.stop) return;
  // A limit that the old generation kept to, and the new one does not, soon after its start.
  const leaks = isMemory(why) && turn.fleet.earlyRecycles === 0;
  w.replace = { why, by: why === 'TERM' ? turn.now + turn.bootMs : Infinity };
  w.doubt = doubt && { code: undefined, ...doubt };
  // Of several requests most have no part in an error that nobody caught.
  if (doubt?.cause.cause === 'fatal error' && doubt.holding.length === 1) poisoned(turn, doubt.holding);
  if (inDoubt(why)) turn.countFailure(w);
  if (!live(w)) return;
  if (why === 'TERM') turn.awaitOwnSignal(w, { notice: 'replacing', of: nameOf(w), why });
  else if (isMemory(why)) passedItsMemory(turn, w, event);
  else turn.log({ notice: 'replacing', of: nameOf(w), why });
  if (!(inDoubt(why) || leaks) || !isNew(turn, w)) return;
  const of = nameOf(w);
  abandonReload(
    turn,
    w.doubt?.cause.cause === 'exit called'
      ? { fault: 'crashed', of, ending: w.doubt }
      : { fault: 'in doubt', of, why },
  );
}

/** It is replaced first, as a worker is that asks for it. One is held at a time. */
function hold(turn: Turn, w: Worker): void {
  if (turn.fleet.stop || !serves(w) || turn.fleet.workers.some(({ snapshot }) => snapshot)) return;
  w.snapshot = true;
  if (w.replace) return;
  w.replace = { why: 'heap snapshot', by: Infinity };
  turn.log({ notice: 'replacing', of: nameOf(w), why: 'heap snapshot' });
}

/** What held it is over: it drains as it would have. One that is still to be replaced is so all the same. */
function release(turn: Turn, w: Worker): void {
  const wasHeld = isHeld(w);
  w.snapshot = false;
  if (wasHeld && !turn.fleet.stop) turn.drain(w, w.replace?.why ?? 'replaced');
}

/** A limit that fresh workers pass would replace one after another: that is slowed like a crash loop, and said once. */
function passedItsMemory(turn: Turn, w: Worker, { why, passed }: Extract<Event, { type: 'replace' }>): void {
  const { fleet, now } = turn;
  const uptimeMs = now - (w.readyAt ?? now);
  const early = uptimeMs < PROVEN_AFTER_MS;
  if (early) turn.countFailure(w);
  fleet.earlyRecycles = early ? fleet.earlyRecycles + 1 : 0;
  const of = nameOf(w);
  if (fleet.earlyRecycles < 2) turn.log({ notice: 'replacing', of, why, passed });
  else if (fleet.earlyRecycles === 2) turn.log({ notice: 'recycled early', of, why, passed, uptimeMs });
}
