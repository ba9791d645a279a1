// The rules of the fleet, each checked after every step. They keep books of their own and trust no field they can derive.

import { CRASH_LOOP_BOOTS, KILL_MARGIN_MS, LEAVE_MS, OWN_SIGNAL_MS } from '../../src/core/deadlines.ts';
import {
  type Effect,
  type Event,
  type Fleet,
  inDoubt,
  isHeld,
  live,
  type Worker,
} from '../../src/core/fleet.ts';
import { isMemory, type ReplaceReason } from '../../src/core/notices.ts';
import { step } from '../../src/core/policy.ts';
import { wakeAt } from '../../src/core/reconcile.ts';
import { workersIn } from '../../src/core/share.ts';
import { isSucceeded } from '../../src/core/upgrade.ts';

/** Timers come late: a deadline counts as missed only after this. */
const SLACK_MS = 10;
/** The longest backoff with its jitter, or the wait for a signal of our own. */
const LONGEST_RESPAWN_MS = 18_000;
/** Wakes at one moment after which a policy that still wants to be woken at once is a busy loop. */
const IDLE_WAKES = 3;

export interface Step {
  readonly before: Fleet;
  readonly event: Event;
  readonly now: number;
  readonly after: Fleet;
  readonly effects: readonly Effect[];
}

const countsAsFailure = (why: ReplaceReason): boolean => inDoubt(why) || isMemory(why);
const isOut = (w: Worker): boolean => w.stage.name === 'standby' || w.stage.name === 'draining';
const serves = (w: Worker): boolean => w.stage.name === 'ready' && !w.killed;
const byId = (fleet: Fleet, id: number): Worker | undefined => fleet.workers.find((w) => w.id === id);

function rule(name: string, holds: boolean): asserts holds {
  if (!holds) throw new Error(`broken rule: ${name}`);
}

/** Whether it takes a reload back that had begun; one with an environment that cannot be read does not begin. */
const takesBack = (e: Effect): boolean => e.do === 'abandoned' && e.fault.fault !== 'environment';

/** The fewest workers wanted within the step: what asks for fewer, or takes a reload back, may be followed by a reload that asks for more. */
function leastWanted({ before, event, after, effects }: Step): number {
  const scaled = event.type === 'scale' ? event.workers : Infinity;
  const restored = effects.some(takesBack) ? (before.reload?.before.wanted ?? Infinity) : Infinity;
  return Math.min(after.wanted, scaled, restored);
}

/** Checks one fleet's steps, in order. */
export class Rules {
  readonly #forked = new Set<number>();
  readonly #killed = new Set<number>();
  /** Booting workers killed because nobody wants them any more. */
  readonly #unwanted = new Set<number>();
  readonly #bootBy = new Map<number, number>();
  readonly #drainBy = new Map<number, number>();
  readonly #heardAt = new Map<number, number>();
  /** Workers out of the rotation on account of a reload. */
  readonly #replaced = new Set<number>();
  /** Workers of an abandoned reload that serve until those they replaced are back. */
  readonly #rolledBack = new Set<number>();
  /** Until when a slot waits for the signal of our own. */
  readonly #notBefore = new Map<number, number>();
  readonly #toldToLeave = new Map<number, number>();
  #leaving = false;
  /** Largest `wanted` since the fleet was last without reload and drain. */
  #widest = 0;
  #stopBy: number | undefined;
  #owed = false;
  #vain = 0;
  #said = { serving: false, exit: false };

  check(s: Step): void {
    // That a snapshot is wanted of it comes from elsewhere.
    if ('id' in s.event && s.event.type !== 'hold' && byId(s.before, s.event.id))
      this.#heardAt.set(s.event.id, s.now);
    this.#afterTheEnd(s);
    this.#names(s);
    this.#deadlines(s);
    this.#kills(s);
    this.#undone(s);
    this.#signals(s);
    this.#forks(s);
    this.#rotation(s);
    this.#reloads(s);
    this.#rollBack(s);
    this.#boots(s);
    this.#stops(s);
    this.#upgrades(s);
    this.#wakes(s);
  }

  #afterTheEnd({ after, effects }: Step): void {
    rule('after the exit nothing is done any more', !this.#said.exit || effects.length === 0);
    if (after.stop && after.workers.length === 0 && !this.#said.exit) {
      rule(
        'a stop exits as soon as all workers are gone',
        effects.filter((e) => e.do === 'exit').length === 1,
      );
    }
    if (effects.some((e) => e.do === 'exit')) {
      rule('exit only in a stop and without workers', after.stop !== undefined && after.workers.length === 0);
      this.#said.exit = true;
    }
  }

  #names({ before, after, effects }: Step): void {
    for (const effect of effects) {
      if (!('id' in effect)) continue;
      if (effect.do === 'fork') {
        rule(
          'a fork has an id of its own',
          !this.#forked.has(effect.id) && byId(after, effect.id) !== undefined,
        );
        this.#forked.add(effect.id);
      } else {
        rule(`effects name workers there are (${effect.do})`, byId(after, effect.id) !== undefined);
        rule('effects do not meet a worker before its fork', byId(before, effect.id) !== undefined);
      }
    }
  }

  /** Books what is due when, and looks whether the policy has kept to it. */
  #deadlines({ before, event, now, after, effects }: Step): void {
    const { bootMs, stopDelayMs, stopMs } = after.settings;
    // A reload that begins or ends in this step may have changed it.
    const known = [before.settings, before.reload?.before.settings, after.settings];
    const drainMs = known.map((settings) => settings?.drainMs);
    const bootBy = now + (bootMs || Infinity);
    if (!before.stop && after.stop) {
      const code = event.type === 'stop' ? (event.exitCode ?? 0) : 1;
      this.#stopBy = now + (code === 0 ? stopDelayMs : 0) + stopMs;
    }
    for (const effect of effects) {
      if (effect.do === 'fork') this.#heardAt.set(effect.id, now);
      if (effect.do === 'fork') this.#bootBy.set(effect.id, bootBy);
      if (effect.do === 'rejoin') {
        const stage = byId(after, effect.id)?.stage;
        // One that nobody wants any more drains at once.
        if (stage?.name !== 'rejoining') continue;
        const { by } = stage;
        const bootMs = [...known, before.previous?.before.settings].map((settings) => settings?.bootMs);
        rule('one that rejoins has BOOT_TIMEOUT', bootMs.includes(by === Infinity ? 0 : by - now));
        this.#bootBy.set(effect.id, by);
      }
      if (effect.do === 'drain' && effect.why === 'replace') {
        rule('a worker drains once', !this.#drainBy.has(effect.id));
        rule('the grace of a drain is DRAIN_TIMEOUT', drainMs.includes(effect.graceMs));
        this.#drainBy.set(effect.id, now + effect.graceMs + (effect.graceMs === 0 ? 0 : KILL_MARGIN_MS));
      }
      if (effect.do === 'drain' && this.#stopBy !== undefined) {
        const by = this.#stopBy + SLACK_MS;
        rule(
          'the grace of a stop ends within SHUTDOWN_TIMEOUT',
          effect.why === 'stop' && now + effect.graceMs <= by,
        );
      }
    }
    const ordered = new Set(effects.flatMap((e) => (e.do === 'kill' ? [e.id] : [])));
    for (const w of after.workers) {
      if (this.#killed.has(w.id) || ordered.has(w.id)) continue;
      const by = this.#stopBy ?? this.#drainBy.get(w.id);
      if (by === undefined) continue;
      rule('every draining worker is killed at its deadline', now <= by + SLACK_MS);
      rule('the policy wakes for a drain that ends', wakeAt(after) <= Math.max(now, by + SLACK_MS));
    }
  }

  #kills(step: Step): void {
    const { before, event, now, after, effects } = step;
    const least = leastWanted(step);
    for (const effect of effects) {
      if (effect.do !== 'kill' && effect.do !== 'explain') continue;
      const w = byId(after, effect.id);
      const was = byId(before, effect.id);
      if (!w || !was) continue;
      this.#killed.add(w.id);
      if (after.stop) continue;
      if (effect.do === 'explain') {
        const silentMs = now - (this.#heardAt.get(w.id) ?? now);
        rule('only a silent worker is hung', w.hangMs > 0 && silentMs >= w.hangMs);
        continue;
      }
      if (now >= (this.#drainBy.get(w.id) ?? Infinity)) continue;
      const boots = was.stage.name === 'booting' || was.stage.name === 'rejoining';
      if (boots && now >= (this.#bootBy.get(w.id) ?? Infinity)) continue;
      rule(
        'a worker that has served is killed only past a deadline, hung or in a stop',
        w.readyAt === undefined,
      );
      const dropped =
        isSucceeded(after) || w.slot >= least || effects.some(takesBack) || event.type === 'rollback';
      rule('a boot is cut only when nobody wants it any more', dropped);
      this.#unwanted.add(w.id);
    }
  }

  #undone({ before, event, after, effects }: Step): void {
    const begun = event.type === 'rollback' && before.previous !== undefined && after.rollback !== undefined;
    if (!begun && !effects.some(takesBack)) return;
    const to = begun ? (after.rollback?.to ?? 0) : (before.reload?.from ?? 0);
    for (const w of after.workers) if (w.generation > to) this.#rolledBack.add(w.id);
  }

  /** A stop signal that reached a worker may be meant for all: the slot waits, and nothing is said of it. */
  #signals({ before, event, now, after, effects }: Step): void {
    const w = 'id' in event ? byId(before, event.id) : undefined;
    if (w && !before.stop) {
      const asked = event.type === 'replace' && !w.replace && live(w);
      const ended = event.type === 'exit' && w.stage.name !== 'draining' && !this.#unwanted.has(w.id);
      const interrupted = ended && w.readyAt === undefined && !isBootFailure(w, event);
      if (interrupted || (asked && event.why === 'TERM')) this.#notBefore.set(w.slot, now + OWN_SIGNAL_MS);
      // A crash, a failed boot, a fatal error and too much memory have a delay of their own.
      else if (ended || (event.type === 'replace' && countsAsFailure(event.why)))
        this.#notBefore.delete(w.slot);
    }
    for (const effect of effects) {
      if (effect.do !== 'log') continue;
      const { notice } = effect;
      const answered =
        notice.notice === 'interrupted' || (notice.notice === 'replacing' && notice.why === 'TERM');
      if (!answered) continue;
      const waited = now >= (this.#notBefore.get(notice.of.worker) ?? 0);
      rule('a stop signal of a worker is answered when our own has not come', waited && !after.stop);
    }
  }

  #forks({ before, now, after, effects }: Step): void {
    const forks = effects.filter((e) => e.do === 'fork');
    if (forks.length === 0) return;
    const alive = after.workers.filter(live);
    // What a roll-back is about to undo, and what is dead already, is not counted.
    const counted = alive.filter((w) => !this.#killed.has(w.id) && !this.#rolledBack.has(w.id));
    // One that was told to go, or is in doubt, is replaced beside the others; a reload, as many at a time as it may.
    const surge = after.reload ? workersIn(after.settings.surge, after.wanted) : 1;
    // An empty slot is filled regardless: of a fleet that was scaled down meanwhile more may boot than its surge is now.
    const replaces = forks.some((fork) => alive.some((w) => w.slot === fork.slot && w.id !== fork.id));
    rule(
      'no fork takes booting + ready above wanted + surge',
      !replaces || counted.length <= after.wanted + surge,
    );
    for (const fork of forks) {
      rule('forks fill wanted slots', fork.slot < after.wanted);
      const serving = [after.generation, before.generation, before.reload?.from];
      rule('a fork is of the generation that is to serve', serving.includes(fork.generation));
      rule(
        'a slot whose worker got a stop signal waits for the signal of our own',
        now >= (this.#notBefore.get(fork.slot) ?? 0),
      );
      const beside = alive.filter((w) => w.slot === fork.slot && w.id !== fork.id);
      if (beside.length === 0) continue;
      rule(
        'a replacement boots beside one worker',
        beside.length === 1 && alive.length <= after.wanted + surge,
      );
      const booting = alive.filter((w) => ['booting', 'rejoining'].includes(w.stage.name));
      rule('no more replacements boot at a time than the surge', booting.length <= surge);
      rule(
        'replacements boot in one step',
        booting.every((w) => forks.some(({ id }) => id === w.id)),
      );
      const kept = (w: Worker): boolean => after.previous !== undefined && w.stage.name === 'standby';
      const out = after.workers.filter((w) => isOut(w) && !kept(w)).length;
      const urgent = beside.some((w) => w.replace?.why === 'TERM' || inDoubt(w.replace?.why));
      rule('a reload forks nothing while more than wanted still drain', urgent || out <= after.wanted);
    }
  }

  /** What serves elsewhere makes up for what leaves here. */
  #upgrades({ before, event, after, effects }: Step): void {
    const succeeded = isSucceeded(after);
    const forks = effects.some((e) => e.do === 'fork');
    rule('nothing is forked while a successor serves', !succeeded || !forks);
    const stays = after.workers.some((w) => w.stage.name !== 'draining' && !this.#killed.has(w.id));
    rule('all drain as soon as a successor serves', !succeeded || !stays);
    if (succeeded && !isSucceeded(before))
      rule('a fleet leaves for a successor alone', event.type === 'successor serves');
    for (const effect of effects) {
      if (effect.do === 'boot successor')
        rule(
          'an upgrade begins in a fleet at rest',
          before.started && !before.reload && !before.stop && !before.upgrade,
        );
      if (effect.do === 'succeed')
        rule('a primary goes when all its workers have', succeeded && after.workers.length === 0);
    }
    const { reload, wanted, generation } = after;
    if (before.upgrade && after.upgrade && event.type !== 'wake')
      rule(
        'nothing is changed during an upgrade',
        reload === undefined && wanted === before.wanted && generation === before.generation,
      );
  }

  /** Who leaves the rotation, and whether it is made up for. */
  #rotation(step: Step): void {
    const { before, event, now, after, effects } = step;
    if (isSucceeded(after)) return;
    const least = leastWanted(step);
    for (const was of before.workers) {
      const w = byId(after, was.id);
      if (!w) continue;
      rule(
        'a worker that was killed is not ready',
        was.stage.name === 'ready' || w.stage.name !== 'ready' || !this.#killed.has(w.id),
      );
      if (was.stage.name !== 'ready' || w.stage.name === 'ready') continue;
      rule('a ready worker boots no more', w.stage.name !== 'booting' && w.stage.name !== 'rejoining');
      if (after.stop || was.killed || w.slot >= least) continue;
      const own = w.replace !== undefined || w.generation >= (after.reload?.to ?? 0);
      const over = !before.reload || effects.some((e) => e.do === 'reloaded');
      rule('a reload drains nothing before it is over', w.stage.name === 'standby' || own || over);
      if (now >= (w.replace?.by ?? Infinity)) continue;
      rule(
        'a worker is replaced only when another of its slot is ready',
        after.workers.some((o) => o.slot === w.slot && o !== w && serves(o)),
      );
      if (!w.replace || w.replace.why === 'reload abandoned' || w.replace.why === 'rolled back')
        this.#replaced.add(w.id);
    }
    const count = (fleet: Fleet): number =>
      new Set(fleet.workers.filter((w) => serves(w) && w.slot < least).map((w) => w.slot)).size;
    if (count(after) < count(before) && !after.stop) {
      const exit = event.type === 'exit';
      const hung = after.workers.some((w) => w.killed && w.stage.name === 'ready');
      const overdue = after.workers.some(
        (w) => w.stage.name === 'draining' && now >= (w.replace?.by ?? Infinity),
      );
      rule('ready never falls on account of a reload', exit || hung || overdue || event.type === 'scale');
    }
    this.#pileUp(before, after);
  }

  #pileUp(before: Fleet, after: Fleet): void {
    if (after.reload || after.workers.some(isOut)) this.#widest = Math.max(this.#widest, after.wanted);
    else this.#widest = after.wanted;
    // One that was held for a snapshot of its heap is out on an account of its own.
    for (const { id } of after.workers.filter(isHeld)) this.#replaced.delete(id);
    const replaced = after.workers.filter((w) => isOut(w) && this.#replaced.has(w.id));
    const fresh = replaced.some((w) => byId(before, w.id)?.stage.name === 'ready');
    rule(
      'reloads never have more than wanted draining or standing by',
      !fresh || after.stop !== undefined || replaced.length <= this.#widest,
    );
  }

  #reloads(step: Step): void {
    const { before, event, now, after, effects } = step;
    const least = Math.min(before.wanted, leastWanted(step));
    const begun = after.newestGeneration - before.newestGeneration;
    const refused = effects.filter((e) => e.do === 'abandoned' && !takesBack(e)).length;
    const ended = effects.filter((e) => e.do === 'reloaded' || e.do === 'abandoned').length - refused;
    rule('one reload at a time', begun <= 1 && (begun === 0 || !before.reload || ended === 1));
    rule('only a reload ends', ended <= (before.reload ? 1 : 0));
    const refusedNow = before.stop !== undefined || before.upgrade !== undefined;
    const direct = event.type === 'reload' && !refusedNow && !before.reload && before.started;
    if (event.type === 'reload' && !refusedNow && !direct) this.#owed = true;
    if (direct)
      rule('a reload asked for begins', begun === 1 && (after.reload !== undefined || refused === 1));
    else if (begun === 1) {
      rule('a reload nobody asked for never begins', this.#owed);
      this.#owed = false;
    }
    if (after.stop) this.#owed = false;
    rule(
      'a reload asked for during another is not forgotten',
      !this.#owed || !after.started || after.reload !== undefined,
    );
    this.#canary(now, before, after, effects);
    const standby = after.workers.some((w) => w.stage.name === 'standby');
    rule(
      'standby is for the time of a reload, and for a rollback',
      !standby || after.reload !== undefined || after.previous !== undefined || after.stop !== undefined,
    );
    if (effects.some((e) => e.do === 'reloaded')) {
      const ready = after.workers.filter((w) => w.stage.name === 'ready');
      rule(
        'reloaded means that the new generation serves',
        ready.every((w) => w.generation >= (before.reload?.to ?? 0)),
      );
      rule('reloaded means that all serve', ready.length >= least);
    }
  }

  /** As long as the canary serves alone, nobody else of its generation is forked for the reload. */
  #canary(now: number, before: Fleet, after: Fleet, effects: readonly Effect[]): void {
    const { reload, settings } = after;
    const { canaryMs, settleMs } = before.settings;
    const took = now - (before.reload?.since ?? 0);
    const over = effects.some((e) => e.do === 'reloaded');
    rule(
      'a reload is not over before its canary and the time to settle',
      !over || took >= canaryMs + settleMs,
    );
    if (reload && before.reload?.to !== reload.to)
      rule(
        'a reload begins with its canary, where there is one',
        (reload.canary !== undefined) === settings.canaryMs > 0,
      );
    if (!reload?.canary) return;
    const size = Math.min(after.wanted, workersIn(settings.canary, after.wanted));
    const beside = effects.filter(
      (e) =>
        e.do === 'fork' &&
        after.workers.some((w) => w.slot === e.slot && live(w) && w.generation < reload.to && !w.replace),
    );
    const fresh = after.workers.filter((w) => live(w) && w.generation >= reload.to);
    rule('a canary is no larger than asked for', beside.length === 0 || fresh.length <= size);
  }

  #rollBack(step: Step): void {
    const { before, event, after, effects } = step;
    const { reload } = before;
    if (effects.some((e) => e.do === 'abandoned' && !takesBack(e))) {
      const asked = event.type === 'reload' && !before.stop && !before.reload && !before.upgrade;
      const same = after.settings === before.settings && after.wanted === before.wanted;
      rule('an environment that cannot be read changes nothing', !asked || (same && !after.reload));
    }
    if (effects.some(takesBack) && !after.reload)
      rule(
        'what an abandoned reload brought is not in force',
        after.settings === (reload?.before.settings ?? before.settings),
      );
    if (event.type === 'exit' && reload && !before.stop) {
      const w = byId(before, event.id);
      const crashed = w?.stage.name === 'ready';
      const failed = w !== undefined && isBootFailure(w, event) && !this.#unwanted.has(w.id);
      if (w?.generation === reload.to && (crashed || failed)) {
        rule('a generation that fails to boot is abandoned', effects.some(takesBack));
      }
    }
    for (const effect of effects) {
      if (effect.do !== 'rejoin') continue;
      rule('only standby workers rejoin', byId(before, effect.id)?.stage.name === 'standby');
      this.#replaced.delete(effect.id);
    }
    if (!effects.some(takesBack) || !reload) return;
    const old = after.reload ? after.reload.from : after.generation;
    rule('after an abandoned reload the old generation goes on', old === reload.from);
    for (const was of before.workers) {
      const w = byId(after, was.id);
      if (was.stage.name !== 'standby' || !w) continue;
      const back = effects.some((e) => e.do === 'rejoin' && e.id === was.id) && w.stage.name === 'rejoining';
      rule('what an abandoned reload replaced comes back', back || w.slot >= leastWanted(step));
    }
  }

  #boots(step: Step): void {
    const { before, event, after, effects } = step;
    if (effects.some((e) => e.do === 'announce')) {
      rule('serving is said once', !this.#said.serving);
      rule(
        'serving means that all serve',
        // A reload that waited for it may want more.
        after.workers.filter((w) => w.stage.name === 'ready').length >=
          Math.min(before.wanted, leastWanted(step)),
      );
      this.#said.serving = true;
    }
    if (event.type === 'ready' && byId(after, event.id)?.stage.name === 'ready') this.#vain = 0;
    if (event.type !== 'exit' || before.stop) return;
    const w = byId(before, event.id);
    if (!w) return;
    if (isBootFailure(w, event) && !this.#unwanted.has(w.id)) {
      const never = 'cannotFork' in event.ending;
      if (!before.started && !never)
        rule('a boot failure of the first generation ends with 1', after.stop?.exitCode === 1);
      else if (!before.started || before.reload?.to !== w.generation)
        this.#vain = before.workers.some((o) => o.stage.name === 'ready') ? 0 : this.#vain + 1;
    } else if (w.readyAt === undefined && !this.#unwanted.has(w.id)) {
      rule('an interrupted boot is no failure', !after.stop && !effects.some(takesBack));
    }
    if (after.stop && (before.started || 'cannotFork' in event.ending)) {
      rule('the primary gives up only in a crash loop', this.#vain >= CRASH_LOOP_BOOTS);
      rule(
        'the primary never gives up while a worker serves',
        !before.workers.some((o) => o.id !== w.id && serves(o)),
      );
    }
  }

  #stops({ before, event, now, after, effects }: Step): void {
    if (!after.stop) return;
    rule('a stop stays a stop', !before.stop || after.stop !== undefined);
    rule('stop wins over reload', after.reload === undefined);
    const undone = effects.some((e) =>
      ['fork', 'rejoin', 'reloaded', 'abandoned', 'announce'].includes(e.do),
    );
    rule('nothing is forked or brought back while stopping', !undone);
    if (event.type === 'left') this.#toldToLeave.delete(event.id);
    const told = effects.flatMap((e) => (e.do === 'leave' ? [e.id] : []));
    for (const id of told) this.#toldToLeave.set(id, now);
    const all = after.workers.every((w) => w.stage.name !== 'ready' || told.includes(w.id));
    rule('in a stop all that serve leave at once', told.length === 0 || all);
    if (told.length > 0) this.#leaving = true;
    if (!effects.some((e) => e.do === 'drain')) return;
    rule('in a stop all that serve leave before any drains', this.#leaving || !before.workers.some(serves));
    const patience = Math.min(LEAVE_MS, after.settings.stopMs);
    for (const w of after.workers) {
      const since = this.#toldToLeave.get(w.id);
      rule('in a stop all have left before any drains', since === undefined || now - since >= patience);
    }
  }

  #wakes({ event, now, after }: Step): void {
    // A beat is noted and no more: the wake that was due before it still is.
    if (event.type === 'heard') return;
    const at = wakeAt(after);
    rule(`the next wake is not in the past (${at})`, at >= now);
    let fleet = after;
    for (let wakes = 0; wakeAt(fleet) <= now; wakes++) {
      rule('waking at wakeAt is no busy loop', wakes < IDLE_WAKES);
      fleet = step(fleet, { type: 'wake' }, now).fleet;
    }
    if (after.stop || isSucceeded(after)) return;
    for (let slot = 0; slot < after.wanted; slot++) {
      const empty = !after.workers.some((w) => w.slot === slot && live(w));
      rule('an empty slot is filled in good time', !empty || at <= now + LONGEST_RESPAWN_MS);
    }
  }
}

/** It ended before it was ready, and not by a stop signal that may be meant for all. */
function isBootFailure(w: Worker, exit: Extract<Event, { type: 'exit' }>): boolean {
  const { ending } = exit;
  const signalled = 'signal' in ending && ['SIGINT', 'SIGTERM', 'SIGQUIT'].includes(ending.signal);
  return (
    w.stage.name === 'booting' &&
    w.readyAt === undefined &&
    (!signalled || w.failure !== undefined || w.killed !== undefined)
  );
}
