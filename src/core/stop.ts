// The policy's stop: serve on for the delay, leave the rotation together, drain, and at the deadline kill.

import { KILL_MARGIN_MS, LEAVE_MS } from './deadlines.ts';
import { OK } from './exit-codes.ts';
import type { Stop } from './fleet.ts';
import * as messages from './messages.ts';
import type { Turn } from './turn.ts';

/** Begins a stop that ends with `exitCode`; one after an error has no delay. */
export function beginStop(turn: Turn, exitCode: number): void {
  const { fleet, now } = turn;
  fleet.reload = undefined;
  fleet.reloadAgain = false;
  fleet.stop = {
    at: now,
    exitCode,
    stage: 'delay',
    until: now + (exitCode === OK ? fleet.settings.stopDelayMs : 0),
    killAt: Infinity,
  };
  for (const w of fleet.workers) {
    w.deadline = Infinity;
    if (w.stage === 'booting') w.left = true;
    turn.effects.push({ do: 'stopping', id: w.id, linger: fleet.settings.stopDelayMs > 0 });
  }
}

/** The stop that waits for nothing: all are killed, and the primary goes when they have gone. */
export function giveUp(turn: Turn, exitCode: number, why: string): void {
  const { fleet, now } = turn;
  fleet.reload = undefined;
  fleet.stop = { at: now, exitCode, stage: 'draining', until: Infinity, killAt: now };
  for (const w of fleet.workers) turn.kill(w, why);
}

/** A stop's stages: serve on for the delay, all leave the rotation, only then all drain. */
export function proceedStop(turn: Turn, stop: Stop): void {
  const { fleet, now } = turn;
  if (stop.stage === 'delay' && now >= stop.until) {
    stop.stage = 'leaving';
    turn.effects.push({ do: 'let go' });
    stop.killAt = now + fleet.settings.stopMs;
    stop.until = Math.min(now + LEAVE_MS, stop.killAt);
    for (const w of fleet.workers) {
      w.left = w.stage !== 'ready';
      if (!w.left) turn.effects.push({ do: 'leave', id: w.id, linger: false });
    }
  }
  if (stop.stage === 'leaving' && (now >= stop.until || fleet.workers.every((w) => w.left))) {
    stop.stage = 'draining';
    stop.until = Infinity;
    const { stopMs } = fleet.settings;
    const left = Math.max(0, stop.killAt - now);
    for (const w of fleet.workers) {
      w.stage = 'draining';
      w.deadline = Math.max(now, stop.killAt);
      if (stopMs === 0) turn.kill(w, 'SHUTDOWN_TIMEOUT is 0');
      else {
        const graceMs = Math.max(0, left - Math.min(KILL_MARGIN_MS, stopMs / 10));
        turn.effects.push({ do: 'drain', id: w.id, why: 'stop', graceMs });
      }
    }
  }
  if (fleet.workers.length === 0 && stop.stage !== 'over') {
    stop.stage = 'over';
    stop.until = Infinity;
    if (stop.exitCode === OK) turn.log(messages.closed());
    turn.effects.push({ do: 'exit', code: stop.exitCode });
  }
}
