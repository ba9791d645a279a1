// The policy: which workers to fork, drain and kill, as one pure function of what is, what happened, and the time.
// It reconciles: every step compares the workers there are with the workers wanted. It knows no process and no clock.

import { backoffMs, PROVEN_AFTER_MS } from './backoff.ts';
import { CANNOT_SERVE, cutShortBy, OK } from './exit-codes.ts';
import {
  type Effect,
  type Event,
  type Fleet,
  hangsAt,
  live,
  type Slot,
  type Stop,
  type Worker,
} from './fleet.ts';
import * as messages from './messages.ts';

/** A second stop signal sooner than this is the first one, delivered twice (to the group, children first). */
export const SAME_SIGNAL_MS = 1000;
/** In a stop all workers leave the rotation before any lingers; one that does not answer is waited for so long. */
export const LEAVE_MS = 250;
/** A reload is over when its last worker has been ready for so long; a crash before that abandons it. */
export const SETTLE_MS = 1000;
/** A new worker that exits sooner than this after it was ready counts against its reload. */
export const EARLY_CRASH_MS = 5000;
/** A worker killed by a stop signal before it was ready waits so long for the primary's own signal. */
export const OWN_SIGNAL_MS = 500;
/** So many boots in a row that did not get ready, with no worker serving, are a crash loop. */
export const CRASH_LOOP_BOOTS = 8;
const NOT_WANTED = 'not wanted any more';
/** A drain is cut by the worker itself; the kill comes so much later. */
export const KILL_MARGIN_MS = 500;

/** One step: what happened at `now` (ms), the fleet after it, and what is to be done. `fleet` is left as it was. */
export function step(fleet: Fleet, event: Event, now: number): { fleet: Fleet; effects: Effect[] } {
  const next = structuredClone(fleet);
  const turn = new Turn(next, now);
  turn.take(event);
  turn.reconcile();
  return { fleet: next, effects: turn.effects };
}

/** One turn of the policy over a fleet it may change. */
class Turn {
  readonly effects: Effect[] = [];
  readonly fleet: Fleet;
  readonly now: number;

  constructor(fleet: Fleet, now: number) {
    this.fleet = fleet;
    this.now = now;
  }

  take(event: Event): void {
    const { fleet, now } = this;
    if ('id' in event) {
      const worker = fleet.workers.find((w) => w.id === event.id);
      if (worker) this.hear(worker, event);
      return;
    }
    switch (event.type) {
      case 'wake':
        return;
      case 'reload':
        if (fleet.stop) return;
        if (fleet.reload || !fleet.started) fleet.reloadAgain = true;
        else this.beginReload();
        return;
      case 'scale':
        if (fleet.stop || event.workers === fleet.wanted) return;
        this.log(messages.scaled(fleet.wanted, event.workers));
        fleet.wanted = event.workers;
        return;
      case 'stop':
        if (!fleet.stop) {
          if (event.what) this.log(messages.received(event.what));
          this.beginStop(event.exitCode ?? OK);
        } else if (event.signal && now - fleet.stop.at > SAME_SIGNAL_MS) {
          this.log(messages.cutShort(event.signal));
          this.giveUp(cutShortBy(event.signal), `a second ${event.signal}`);
        }
    }
  }

  private hear(w: Worker, event: Extract<Event, { id: number }>): void {
    const { fleet, now } = this;
    w.heardAt = now;
    switch (event.type) {
      case 'forked':
        w.pid = event.pid;
        return;
      case 'ready':
        if (w.stage !== 'booting') return;
        w.stage = 'ready';
        w.deadline = Infinity;
        w.readyAt ??= now;
        fleet.bootsInVain = 0;
        this.log(messages.ready(w, now - w.forkedAt));
        return;
      case 'failed':
        w.failure = event.failure;
        return;
      case 'left':
        w.left = true;
        return;
      case 'replace':
        if (w.replace || fleet.stop) return;
        w.replace = { why: event.why, by: event.why.startsWith('MAX') ? Infinity : now + this.bootMs };
        if (event.why === 'fatal error') this.countFailure(w);
        if (live(w)) this.log(messages.replacing(w, event.why));
        return;
      case 'exit':
        fleet.workers = fleet.workers.filter((other) => other !== w);
        this.reap(w, event.code, event.signal);
        return;
      case 'hello':
      case 'beat':
    }
  }

  /** A worker's process has ended: was it asked to, did it not boot, or did it crash? */
  private reap(w: Worker, code: number | null, signal: string | null): void {
    const { fleet, now } = this;
    const how = messages.ending(code, signal);
    const uptime = now - w.forkedAt;
    const stopSignal = signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGQUIT';
    if (fleet.stop || w.stage === 'draining' || w.killed === NOT_WANTED) {
      const asked = code === 0 || w.killed !== undefined || stopSignal || w.readyAt === undefined;
      this.log(asked ? messages.gone(w, how, uptime) : messages.crashed(w, how, uptime, undefined));
      return;
    }
    const reason =
      w.failure?.reason ?? `worker ${w.slot} ${w.killed ?? `exited with ${how} before it was ready`}`;
    const slot = this.slot(w.slot);
    slot.restarts += 1;
    slot.lastExit = how;
    if (w.readyAt === undefined) {
      if (!w.killed && !w.failure && stopSignal) {
        this.log(messages.interrupted(w, how));
        slot.respawnAt = now + OWN_SIGNAL_MS;
      } else if (!fleet.started) {
        this.log(messages.cannotServe(reason, w.failure?.stack));
        this.giveUp(CANNOT_SERVE, 'the fleet cannot serve');
      } else if (fleet.reload?.to === w.generation) {
        this.abandon(reason, w.failure?.stack);
      } else {
        this.log(messages.bootFailed(w, reason, w.failure?.stack));
        this.effects.push({ do: 'boot failed', reason });
        this.countFailure(w);
        if (++fleet.bootsInVain >= CRASH_LOOP_BOOTS && !fleet.workers.some((o) => o.stage === 'ready')) {
          this.log(messages.crashLoop(fleet.bootsInVain));
          this.giveUp(CANNOT_SERVE, 'the fleet cannot serve');
        }
      }
      return;
    }
    const early = now - w.readyAt < EARLY_CRASH_MS;
    const delay = w.stage === 'standby' ? undefined : this.countFailure(w);
    if (!w.killed) this.log(messages.crashed(w, how, uptime, delay));
    if (fleet.reload?.to === w.generation && early) {
      this.abandon(`worker ${w.slot} of generation ${w.generation} crashed right after it was ready: ${how}`);
    }
  }

  /** Compares what is with what is wanted, and does what is missing. */
  reconcile(): void {
    this.expire();
    if (this.fleet.stop) this.proceedStop(this.fleet.stop);
    else {
      this.keepSlots();
      this.announce();
      this.surge();
    }
  }

  private expire(): void {
    const { fleet, now } = this;
    for (const w of fleet.workers) {
      if (now >= w.deadline) {
        this.kill(
          w,
          w.stage === 'booting' ? `was not ready within ${this.bootMs / 1000} s` : 'not drained in time',
        );
      }
      const silentMs = now - w.heardAt;
      if (!fleet.stop && now >= hangsAt(w, fleet.settings)) {
        w.killed = 'hung';
        this.effects.push({ do: 'hung', id: w.id, silentMs });
      }
    }
  }

  /** Each wanted slot has one live worker: fork where it has none, retire the older where it has two. */
  private keepSlots(): void {
    const { fleet, now } = this;
    for (let slot = 0; slot < fleet.wanted; slot++) {
      const here = fleet.workers.filter((w) => w.slot === slot && live(w));
      const ready = here.filter((w) => w.stage === 'ready');
      const old = ready.find((w) => w.replace) ?? ready.find((w) => this.stale(w));
      if (here.length === 0 && now >= this.slot(slot).respawnAt) this.fork(slot);
      if (old && ready.length > 1) this.retire(old);
      else if (old?.replace && now >= old.replace.by) this.retire(old);
    }
    for (const w of fleet.workers) {
      if (w.slot < fleet.wanted) continue;
      if (w.stage === 'ready') this.retire(w, 'scaled down');
      else if (w.stage === 'standby') this.drain(w, 'scaled down');
      else if (w.stage === 'booting') this.kill(w, NOT_WANTED);
    }
    // A slot that was just vacated for good is forked in this same turn.
    for (let slot = 0; slot < fleet.wanted; slot++) {
      if (now >= this.slot(slot).respawnAt && !fleet.workers.some((w) => w.slot === slot && live(w)))
        this.fork(slot);
    }
  }

  /** Says when the first generation serves, and when a reload is over. */
  private announce(): void {
    const { fleet, now } = this;
    const serving = fleet.workers.filter((w) => w.stage === 'ready');
    const whole = serving.length === fleet.wanted;
    if (!fleet.started && whole) {
      fleet.started = true;
      this.effects.push({ do: 'serving' });
    }
    const { reload } = fleet;
    if (reload) {
      if (!whole || serving.some((w) => w.generation < reload.to)) reload.settlesAt = undefined;
      else reload.settlesAt ??= now + SETTLE_MS;
      if (reload.settlesAt !== undefined && now >= reload.settlesAt) {
        fleet.reload = undefined;
        for (const w of fleet.workers) if (w.stage === 'standby') this.drain(w, 'replaced');
        this.log(messages.reloaded(reload.to, now - reload.since));
        this.effects.push({ do: 'reloaded', generation: reload.to });
      }
    }
    if (fleet.started && fleet.reloadAgain && !fleet.reload) this.beginReload();
  }

  /** Replaces one stale worker: a newer one boots beside it; never two at once, nor more out of rotation than wanted. */
  private surge(): void {
    const { fleet, now } = this;
    const alive = fleet.workers.filter(live);
    if (!fleet.started || alive.length !== fleet.wanted || alive.some((w) => w.stage === 'booting')) return;
    if (fleet.workers.length - alive.length >= fleet.wanted) return;
    const old = alive.find((w) => this.stale(w) && now >= this.slot(w.slot).respawnAt);
    if (old) this.fork(old.slot);
  }

  private stale(w: Worker): boolean {
    return w.generation < this.fleet.generation || w.replace !== undefined;
  }

  private beginReload(): void {
    const { fleet, now } = this;
    fleet.reloadAgain = false;
    fleet.newestGeneration += 1;
    fleet.reload = { from: fleet.generation, to: fleet.newestGeneration, since: now, settlesAt: undefined };
    fleet.generation = fleet.newestGeneration;
    for (const slot of Object.values(fleet.slots)) slot.respawnAt = now;
    this.log(messages.reloading(fleet.generation));
  }

  /** Rolls back: what the reload forked goes, what it replaced comes back into the rotation. */
  private abandon(reason: string, stack?: string): void {
    const { fleet, now } = this;
    const { reload } = fleet;
    if (!reload) return;
    fleet.reload = undefined;
    fleet.generation = reload.from;
    this.log(messages.abandoned(reload.to, reason, stack));
    this.effects.push({ do: 'abandoned', generation: reload.to, reason });
    for (const w of fleet.workers) {
      if (w.stage === 'standby') {
        w.stage = 'booting';
        w.deadline = now + this.bootMs;
        this.effects.push({ do: 'rejoin', id: w.id });
      }
    }
    for (const w of fleet.workers) {
      if (w.generation !== reload.to) continue;
      const hasElder = fleet.workers.some((o) => o.slot === w.slot && live(o) && o.generation < reload.to);
      if (w.stage === 'booting') this.kill(w, NOT_WANTED);
      else if (w.stage === 'ready' && hasElder) w.replace ??= { why: 'reload abandoned', by: Infinity };
    }
  }

  /** Takes a ready worker out of the rotation: in a reload for the time being, else for good. */
  private retire(w: Worker, why = w.replace?.why ?? 'replaced'): void {
    if (!this.fleet.reload || w.generation >= this.fleet.reload.to || w.replace) {
      this.drain(w, why);
      return;
    }
    w.stage = 'standby';
    this.effects.push({ do: 'leave', id: w.id, linger: true });
  }

  private drain(w: Worker, why: string): void {
    const { drainMs } = this.fleet.settings;
    w.stage = 'draining';
    w.deadline = this.now + drainMs + (drainMs === 0 ? 0 : KILL_MARGIN_MS);
    this.log(messages.draining(w, why));
    this.effects.push({ do: 'drain', id: w.id, why: 'replace', graceMs: drainMs });
  }

  private beginStop(exitCode: number): void {
    const { fleet, now } = this;
    fleet.reload = undefined;
    fleet.reloadAgain = false;
    fleet.stop = {
      at: now,
      exitCode,
      stage: 'delay',
      until: now + (exitCode === OK ? fleet.settings.stopDelayMs : 0),
    };
    for (const w of fleet.workers) {
      w.deadline = Infinity;
      if (w.stage === 'booting') w.left = true;
      this.effects.push({ do: 'stopping', id: w.id, linger: fleet.settings.stopDelayMs > 0 });
    }
  }

  /** The stop that waits for nothing: all are killed, and the primary goes when they have gone. */
  private giveUp(exitCode: number, why: string): void {
    const { fleet, now } = this;
    fleet.reload = undefined;
    fleet.stop = { at: now, exitCode, stage: 'draining', until: Infinity };
    for (const w of fleet.workers) this.kill(w, why);
  }

  /** A stop's stages: serve on for the delay, all leave the rotation, only then all drain. */
  private proceedStop(stop: Stop): void {
    const { fleet, now } = this;
    if (stop.stage === 'delay' && now >= stop.until) {
      stop.stage = 'leaving';
      stop.until = now + LEAVE_MS;
      for (const w of fleet.workers) {
        if (w.stage === 'ready') this.effects.push({ do: 'leave', id: w.id, linger: false });
        else w.left = true;
      }
    }
    if (stop.stage === 'leaving' && (now >= stop.until || fleet.workers.every((w) => w.left))) {
      stop.stage = 'draining';
      stop.until = Infinity;
      const { stopMs } = fleet.settings;
      for (const w of fleet.workers) {
        w.stage = 'draining';
        w.deadline = now + stopMs;
        if (stopMs === 0) this.kill(w, 'SHUTDOWN_TIMEOUT is 0');
        else {
          const graceMs = stopMs - Math.min(KILL_MARGIN_MS, stopMs / 10);
          this.effects.push({ do: 'drain', id: w.id, why: 'stop', graceMs });
        }
      }
    }
    if (fleet.workers.length === 0) {
      if (stop.exitCode === OK) this.log(messages.closed());
      this.effects.push({ do: 'exit', code: stop.exitCode });
    }
  }

  private fork(slot: number): void {
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

  private kill(w: Worker, why: string): void {
    if (w.stage === 'draining' && !w.killed) this.log(messages.killed(w, why));
    w.killed ??= why;
    w.deadline = Infinity;
    this.effects.push({ do: 'kill', id: w.id });
  }

  /** Notes a failure of the worker's slot; returns the ms until its next fork. */
  private countFailure(w: Worker): number {
    const slot = this.slot(w.slot);
    if (w.readyAt !== undefined && this.now - w.readyAt >= PROVEN_AFTER_MS) slot.failures = 0;
    const delay = backoffMs(slot.failures, this.random());
    slot.failures += 1;
    slot.respawnAt = this.now + delay;
    return delay;
  }

  private slot(slot: number): Slot {
    const { slots } = this.fleet;
    slots[slot] ??= { failures: 0, respawnAt: 0, restarts: 0, lastExit: undefined };
    return slots[slot];
  }

  private get bootMs(): number {
    return this.fleet.settings.bootMs || Infinity;
  }

  private random(): number {
    this.fleet.seed = (this.fleet.seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return this.fleet.seed / 2_147_483_648;
  }

  private log(line: messages.Line): void {
    this.effects.push({ do: 'log', line });
  }
}
