// The policy: which workers to fork, drain and kill, as one pure function of what is, what happened, and the time.
// It knows no process and no clock. What happened is noted here; what follows from it is worked out in reconcile.ts.

import { CRASH_LOOP_BOOTS, EARLY_CRASH_MS, SAME_SIGNAL_MS } from './deadlines.ts';
import { CANNOT_SERVE, cutShortBy, OK } from './exit-codes.ts';
import { type Effect, type Event, type Fleet, live, type Worker } from './fleet.ts';
import * as messages from './messages.ts';
import { reconcile } from './reconcile.ts';
import { abandon, beginReload } from './reload.ts';
import { beginStop, giveUp } from './stop.ts';
import { NOT_WANTED, Turn } from './turn.ts';

/** One step: what happened at `now` (ms), the fleet after it, and what is to be done. `fleet` is left as it was. */
export function step(fleet: Fleet, event: Event, now: number): { fleet: Fleet; effects: Effect[] } {
  if (fleet.stop?.stage === 'over') return { fleet, effects: [] };
  const next = structuredClone(fleet);
  const turn = new Turn(next, now);
  take(turn, event);
  reconcile(turn);
  return { fleet: next, effects: turn.effects };
}

function take(turn: Turn, event: Event): void {
  const { fleet, now } = turn;
  if ('id' in event) {
    const worker = fleet.workers.find((w) => w.id === event.id);
    if (worker) hear(turn, worker, event);
    return;
  }
  switch (event.type) {
    case 'wake':
      return;
    case 'reload':
      if (fleet.stop) return;
      if (fleet.reload || !fleet.started) fleet.reloadAgain = true;
      else beginReload(turn);
      return;
    case 'scale':
      if (fleet.stop || event.workers === fleet.wanted) return;
      turn.log(messages.scaled(fleet.wanted, event.workers));
      fleet.wanted = event.workers;
      return;
    case 'stop':
      if (!fleet.stop) {
        if (event.what) turn.log(messages.received(event.what));
        beginStop(turn, event.exitCode ?? OK);
      } else if (event.signal && now - fleet.stop.at > SAME_SIGNAL_MS) {
        turn.log(messages.cutShort(event.signal));
        giveUp(turn, cutShortBy(event.signal), `a second ${event.signal}`);
      }
  }
}

function hear(turn: Turn, w: Worker, event: Extract<Event, { id: number }>): void {
  const { fleet, now } = turn;
  w.heardAt = now;
  switch (event.type) {
    case 'forked':
      w.pid = event.pid;
      return;
    case 'ready':
      if (w.stage !== 'booting' || w.killed) return;
      w.stage = 'ready';
      w.deadline = Infinity;
      w.readyAt ??= now;
      fleet.bootsInVain = 0;
      turn.log(messages.ready(w, now - w.forkedAt));
      return;
    case 'failed':
      w.failure = event.failure;
      return;
    case 'left':
      w.left = true;
      return;
    case 'replace':
      if (w.replace || fleet.stop) return;
      w.replace = { why: event.why, by: event.why.startsWith('MAX') ? Infinity : now + turn.bootMs };
      if (event.why === 'fatal error') turn.countFailure(w);
      if (!live(w)) return;
      if (event.why === 'TERM') turn.awaitOwnSignal(w, messages.replacing(w, event.why));
      else turn.log(messages.replacing(w, event.why));
      return;
    case 'exit':
      fleet.workers = fleet.workers.filter((other) => other !== w);
      reap(turn, w, event.code, event.signal);
      return;
    case 'hello':
    case 'beat':
  }
}

/** A worker's process has ended: was it asked to, did it not boot, or did it crash? */
function reap(turn: Turn, w: Worker, code: number | null, signal: string | null): void {
  const { fleet, now } = turn;
  const how = messages.ending(code, signal);
  const uptime = now - w.forkedAt;
  const stopSignal = signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGQUIT';
  if (fleet.stop || w.stage === 'draining' || w.killed === NOT_WANTED) {
    const asked = code === 0 || w.killed !== undefined || stopSignal || w.readyAt === undefined;
    turn.log(asked ? messages.gone(w, how, uptime) : messages.crashed(w, how, uptime, undefined));
    return;
  }
  const reason =
    w.failure?.reason ?? `worker ${w.slot} ${w.killed ?? `exited with ${how} before it was ready`}`;
  const slot = turn.slot(w.slot);
  slot.restarts += 1;
  slot.lastExit = how;
  if (w.readyAt === undefined) {
    if (!w.killed && !w.failure && stopSignal) {
      turn.awaitOwnSignal(w, messages.interrupted(w, how));
    } else if (!fleet.started) {
      turn.log(messages.cannotServe(reason, w.failure?.stack));
      giveUp(turn, CANNOT_SERVE, 'the fleet cannot serve');
    } else if (fleet.reload?.to === w.generation) {
      abandon(turn, reason, w.failure?.stack);
    } else {
      turn.log(messages.bootFailed(w, reason, w.failure?.stack));
      turn.effects.push({ do: 'boot failed', reason });
      turn.countFailure(w);
      fleet.bootsInVain = fleet.workers.some((o) => o.stage === 'ready') ? 0 : fleet.bootsInVain + 1;
      if (fleet.bootsInVain >= CRASH_LOOP_BOOTS) {
        turn.log(messages.crashLoop(fleet.bootsInVain));
        giveUp(turn, CANNOT_SERVE, 'the fleet cannot serve');
      }
    }
    return;
  }
  const early = now - w.readyAt < EARLY_CRASH_MS;
  const delay = w.stage === 'standby' ? undefined : turn.countFailure(w);
  if (!w.killed) turn.log(messages.crashed(w, how, uptime, delay));
  if (fleet.reload?.to === w.generation && early) {
    abandon(turn, `worker ${w.slot} of generation ${w.generation} crashed right after it was ready: ${how}`);
  }
}
