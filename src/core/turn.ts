// One turn of the policy: the fleet it may change, the time, the effects so far, and the few things done to a worker.

import { backoffMs, PROVEN_AFTER_MS } from './backoff.ts';
import { KILL_MARGIN_MS, OWN_SIGNAL_MS } from './deadlines.ts';
import type { Effect, Fleet, Slot, Worker } from './fleet.ts';
import * as messages from './messages.ts';

/** Why a worker is killed that is no longer wanted; its end is then no failure. */
export const NOT_WANTED = 'not wanted any more';

/** One turn over a fleet that it may change. */
export class Turn {
  readonly effects: Effect[] = [];
  readonly fleet: Fleet;
  readonly now: number;

  constructor(fleet: Fleet, now: number) {
    this.fleet = fleet;
    this.now = now;
  }

  log(line: messages.Line): void {
    this.effects.push({ do: 'log', line });
  }

  fork(slot: number): void {
    const { fleet, now } = this;
    const { generation } = fleet;
    const id = fleet.nextId++;
    fleet.workers.push({
      id,
      pid: 0,
      slot,
      generation,
      forkedAt: now,
      stage: 'booting',
      readyAt: undefined,
      deadline: now + this.bootMs,
      replace: undefined,
      left: false,
      killed: undefined,
      failure: undefined,
      heardAt: now,
    });
    this.effects.push({ do: 'fork', id, slot, generation });
  }

  /** Takes a ready worker out of the rotation: in a reload for the time being, else for good. */
  retire(w: Worker, why = w.replace?.why ?? 'replaced'): void {
    if (!this.fleet.reload || w.generation >= this.fleet.reload.to || w.replace) {
      this.drain(w, why);
      return;
    }
    w.stage = 'standby';
    this.effects.push({ do: 'leave', id: w.id, linger: true });
  }

  drain(w: Worker, why: string): void {
    const { drainMs } = this.fleet.settings;
    w.stage = 'draining';
    w.deadline = this.now + drainMs + (drainMs === 0 ? 0 : KILL_MARGIN_MS);
    this.log(messages.draining(w, why));
    this.effects.push({ do: 'drain', id: w.id, why: 'replace', graceMs: drainMs });
  }

  kill(w: Worker, why: string): void {
    if (w.stage === 'draining' && !w.killed) this.log(messages.killed(w, why));
    w.killed ??= why;
    w.deadline = Infinity;
    this.effects.push({ do: 'kill', id: w.id });
  }

  /** Notes a failure of the worker's slot; returns the ms until its next fork. */
  countFailure(w: Worker): number {
    const slot = this.slot(w.slot);
    if (w.readyAt !== undefined && this.now - w.readyAt >= PROVEN_AFTER_MS) slot.failures = 0;
    const delay = backoffMs(slot.failures, this.random());
    slot.failures += 1;
    slot.respawnAt = this.now + delay;
    slot.unsaid = undefined;
    return delay;
  }

  /** A stop signal reached the worker: nothing is forked into its slot, nor `line` said, before our own had its time. */
  awaitOwnSignal(w: Worker, line: messages.Line): void {
    const slot = this.slot(w.slot);
    slot.respawnAt = this.now + OWN_SIGNAL_MS;
    slot.unsaid = line;
  }

  slot(slot: number): Slot {
    const { slots } = this.fleet;
    slots[slot] ??= { failures: 0, respawnAt: 0, unsaid: undefined, restarts: 0, lastExit: undefined };
    return slots[slot];
  }

  /** Whether the worker is to be replaced by a newer one. */
  stale(w: Worker): boolean {
    return w.generation < this.fleet.generation || w.replace !== undefined;
  }

  /** How long a boot may take, ms. */
  get bootMs(): number {
    return this.fleet.settings.bootMs || Infinity;
  }

  private random(): number {
    this.fleet.seed = (this.fleet.seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return this.fleet.seed / 2_147_483_648;
  }
}
