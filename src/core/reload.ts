// The policy's rolling reload: begun, over when the new generation has settled, or abandoned as if it had never been.

import { SETTLE_MS } from './deadlines.ts';
import { live } from './fleet.ts';
import * as messages from './messages.ts';
import { NOT_WANTED, type Turn } from './turn.ts';

/** Begins a reload: all workers there are belong to an old generation now. */
export function beginReload(turn: Turn): void {
  const { fleet, now } = turn;
  fleet.reloadAgain = false;
  fleet.newestGeneration += 1;
  fleet.reload = { from: fleet.generation, to: fleet.newestGeneration, since: now, settlesAt: undefined };
  fleet.generation = fleet.newestGeneration;
  for (const slot of Object.values(fleet.slots)) if (!slot.unsaid) slot.respawnAt = now;
  turn.log(messages.reloading(fleet.generation));
}

/** Ends the reload when the whole new generation serves and has settled; the replaced workers drain for good. */
export function settleReload(turn: Turn): void {
  const { fleet, now } = turn;
  const { reload } = fleet;
  if (!reload) return;
  const serving = fleet.workers.filter((w) => w.stage === 'ready');
  const whole = serving.length === fleet.wanted && serving.every((w) => w.generation >= reload.to);
  reload.settlesAt = whole ? (reload.settlesAt ?? now + SETTLE_MS) : undefined;
  if (reload.settlesAt === undefined || now < reload.settlesAt) return;
  fleet.reload = undefined;
  for (const w of fleet.workers) if (w.stage === 'standby') turn.drain(w, 'replaced');
  turn.log(messages.reloaded(reload.to, now - reload.since));
  turn.effects.push({ do: 'reloaded', generation: reload.to });
}

/** Rolls back: what the reload forked goes, what it replaced comes back into the rotation. */
export function abandon(turn: Turn, reason: string, stack?: string): void {
  const { fleet, now } = turn;
  const { reload } = fleet;
  if (!reload) return;
  fleet.reload = undefined;
  fleet.generation = reload.from;
  turn.log(messages.abandoned(reload.to, reason, stack));
  turn.effects.push({ do: 'abandoned', generation: reload.to, reason });
  for (const w of fleet.workers) {
    if (w.stage === 'standby') {
      w.stage = 'booting';
      w.deadline = now + turn.bootMs;
      turn.effects.push({ do: 'rejoin', id: w.id });
    }
  }
  for (const w of fleet.workers) {
    if (w.generation !== reload.to) continue;
    const hasElder = fleet.workers.some((o) => o.slot === w.slot && live(o) && o.generation < reload.to);
    if (w.stage === 'booting') turn.kill(w, NOT_WANTED);
    else if (w.stage === 'ready' && hasElder) w.replace ??= { why: 'reload abandoned', by: Infinity };
  }
}
