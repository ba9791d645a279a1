// One turn of the policy: a copy of the fleet that may be changed, the effects so far, and the few things done to a worker.

import { backoffMs, PROVEN_AFTER_MS } from './backoff.ts';
import { EXITING_MS, KILL_MARGIN_MS, OWN_SIGNAL_MS } from './deadlines.ts';
import { type Effect, type Fleet, newSlot, type Slot, serves, type Worker } from './fleet.ts';
import type { KillReason, Notice, RetireReason, WorkerName } from './notices.ts';

/** The worker as a notice names it. */
export const nameOf = ({ slot, generation, pid }: Worker): WorkerName => ({ worker: slot, generation, pid });

/** One turn over a fleet of its own. */
export class Turn {
  readonly effects: Effect[] = [];
  readonly fleet: Fleet;
  readonly now: number;
  readonly #slots = new Map<number, Slot>();

  /** Copies the fleet as deep as it is changed: what hangs on a worker is replaced, never written to; slots: see below. */
  constructor(fleet: Fleet, now: number) {
    this.fleet = {
      ...fleet,
      reload: fleet.reload && { ...fleet.reload },
      stop: fleet.stop && { ...fleet.stop },
      workers: fleet.workers.map((w) => ({ ...w })),
      slots: { ...fleet.slots },
    };
    this.now = now;
  }

  log(notice: Notice): void {
    this.effects.push({ do: 'log', notice });
  }

  /** Wants so many workers from now on. */
  scale(workers: number): void {
    const { fleet } = this;
    if (workers === fleet.wanted) return;
    this.log({ notice: 'scaled', from: fleet.wanted, to: workers });
    fleet.wanted = workers;
  }

  fork(slot: number): void {
    const { fleet, now } = this;
    const {
      generation,
      sharing,
      settings: { hangMs, reading },
    } = fleet;
    const id = fleet.nextId++;
    const share = sharing?.fits ? sharing.share : undefined;
    // What is told of all slots, as how often each was restarted, is told of this one from now on.
    fleet.slots[slot] ??= newSlot();
    const stage = { name: 'booting', by: now + this.bootMs } as const;
    const unknown = {
      readyAt: undefined,
      replace: undefined,
      doubt: undefined,
      isFull: false,
      snapshot: false,
      killed: undefined,
      failure: undefined,
      leads: false,
    };
    fleet.workers.push({
      id,
      slot,
      generation,
      forkedAt: now,
      hangMs,
      share,
      heardAt: now,
      pid: 0,
      stage,
      ...unknown,
    });
    const armedMs = Math.max(0, (this.fleet.slots[slot]?.armedUntil ?? 0) - now);
    this.effects.push({ do: 'fork', id, slot, generation, reading, armedMs, share });
  }

  /** Takes a ready worker out of the rotation: in a reload for the time being, else for good. */
  retire(w: Worker): void {
    const { reload } = this.fleet;
    if (!reload || w.generation >= reload.to || w.replace) this.drain(w, w.replace?.why ?? 'replaced');
    else {
      w.stage = { name: 'standby' };
      this.effects.push({ do: 'leave', id: w.id, linger: true });
    }
  }

  /** Takes a worker out of the rotation for good: it finishes what is open, and goes; a snapshot of its heap comes before. */
  drain(w: Worker, why: RetireReason): void {
    if (w.snapshot) {
      w.stage = { name: 'draining', by: Infinity };
      this.effects.push({ do: 'leave', id: w.id, linger: true }, { do: 'snapshot', id: w.id });
      return;
    }
    const { settings } = this.fleet;
    // The app has ended for its part: what it holds is not waited for as long as otherwise.
    const drainMs = why === 'exit called' ? Math.min(settings.drainMs, EXITING_MS) : settings.drainMs;
    w.stage = { name: 'draining', by: this.now + drainMs + (drainMs === 0 ? 0 : KILL_MARGIN_MS) };
    this.log({ notice: 'draining', of: nameOf(w), why });
    this.effects.push({ do: 'drain', id: w.id, why: 'replace', graceMs: drainMs });
  }

  kill(w: Worker, kill: KillReason): void {
    const unexpected = w.stage.name === 'draining' || w.stage.name === 'rejoining';
    if (unexpected && !w.killed) this.log({ notice: 'killed', of: nameOf(w), kill });
    if (!w.killed || w.killed.why === 'hung') w.killed = kill;
    this.effects.push({ do: 'kill', id: w.id });
  }

  /** Notes a failure of the worker's slot; returns the ms until its next fork. */
  countFailure(w: Worker): number {
    const slot = this.slot(w.slot);
    if (w.readyAt !== undefined && this.now - w.readyAt >= PROVEN_AFTER_MS) slot.failures = 0;
    const delay = backoffMs(slot.failures, this.#random());
    slot.failures += 1;
    slot.respawnAt = this.now + delay;
    slot.heldNotice = undefined;
    return delay;
  }

  /** A stop signal reached the worker: its slot and the notice wait until our own signal has had its time. */
  awaitOwnSignal(w: Worker, notice: Notice): void {
    const slot = this.slot(w.slot);
    slot.respawnAt = this.now + OWN_SIGNAL_MS;
    slot.heldNotice = notice;
  }

  /** A slot that may be written to: few are in a turn, so each is copied only when it is asked for here. */
  slot(number: number): Slot {
    const { slots } = this.fleet;
    let slot = this.#slots.get(number);
    if (!slot) {
      slot = { ...(slots[number] ?? newSlot()) };
      this.#slots.set(number, slot);
      slots[number] = slot;
    }
    return slot;
  }

  /** When the slot may be forked into, ms. */
  respawnAt(slot: number): number {
    return this.fleet.slots[slot]?.respawnAt ?? 0;
  }

  get ready(): Worker[] {
    return this.fleet.workers.filter(serves);
  }

  /** How long a boot may take, ms. */
  get bootMs(): number {
    return this.fleet.settings.bootMs || Infinity;
  }

  #random(): number {
    this.fleet.seed = (this.fleet.seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return this.fleet.seed / 2_147_483_648;
  }
}
