// A small world around the policy: processes that boot, fail, hang, drain and die, in a time of their own.

import type { Ending } from '../../src/core/ending.ts';
import { type Effect, type Event, type Fleet, newFleet, type Worker } from '../../src/core/fleet.ts';
import { step } from '../../src/core/policy.ts';
import { wakeAt } from '../../src/core/reconcile.ts';
import type { Renewal, Settings } from '../../src/core/settings.ts';
import { lineOf } from '../../src/log/wording.ts';
import { Rules, type Step } from './rules.ts';

/** The run loop looks at the clock at least so often, as the primary's does. */
const TICK_MS = 1000;
/** A timer comes so late at most. */
const LATE_MS = 3;
const TRACE = 40;

/** What a newly forked worker runs: mended code, or one of several broken ones. */
export type Code = 'good' | 'slow' | 'broken' | 'mute' | 'late' | 'brittle';

interface Process {
  readonly id: number;
  alive: boolean;
  served: boolean;
  hung: boolean;
  asked: boolean;
  dying: boolean;
  /** Whether its app leads. */
  leads: boolean;
}

/** Things that happen to a fleet from outside; `pick` chooses the worker, the number or the code. */
export const DEEDS = [
  'reload',
  'forced reload',
  'renewal',
  'bad verdict',
  'rollback',
  'scale',
  'crash',
  'term',
  'group term',
  'fatal error',
  'disconnected',
  'exit called',
  'recycle',
  'snapshot',
  'hang',
  'deploy',
  'mend',
  'exhaust',
  'stray message',
  'upgrade',
  'stop',
  'wait',
] as const;
export type Deed = (typeof DEEDS)[number];

/** Why a worker is recycled. */
const RECYCLES = ['MAX_REQUESTS', 'MAX_MEMORY', 'memory share', 'heap limit'] as const;
const CODES: readonly Code[] = ['good', 'slow', 'broken', 'mute', 'late', 'brittle'];
/** Forks that fail in a row: one, a few, and for as long as nobody raises the limit. */
const EXHAUSTION = [0, 1, 3, Infinity];
const CANNOT_FORK = 'EMFILE, too many open files';
const BAD = {
  verdict: 'bad',
  criterion: '5xx',
  old: { bad: 0, of: 100 },
  fresh: { bad: 50, of: 100 },
} as const;
const PROGRAM = { version: '2', node: 'v99.0.0' };
const GONE = { type: 'successor gone', reason: 'it ended' } as const;
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/** Mulberry32: numbers from 0 to 1 by a seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A fleet, its processes and its clock; every step is checked against the rules. */
export class World {
  fleet: Fleet;
  now = 1000;
  /** Events taken so far, wakes apart. */
  events = 0;
  exitCode: number | undefined;
  readonly #rules: Rules;
  readonly #seen: (step: Step) => void;
  readonly #random: () => number;
  readonly #processes = new Map<number, Process>();
  readonly #trace: string[] = [];
  #queue: { readonly at: number; readonly run: () => void }[] = [];
  #lastStep = 0;
  #code: Code = 'good';
  /** So many of the next forks fail. */
  #failingForks = 0;
  #faults = true;

  /** @param seen is told of every step */
  constructor(workers: number, settings: Settings, seed: number, seen: (step: Step) => void = () => {}) {
    this.#seen = seen;
    this.fleet = newFleet({ ...settings, workers }, seed);
    this.#rules = new Rules();
    this.#random = random(seed);
    this.#take({ type: 'wake' });
  }

  /** Lets `ms` pass. */
  pass(ms: number): void {
    const until = this.now + ms;
    while (this.#turn(until));
    this.now = until;
  }

  /** Lets time pass until `condition` holds, `ms` at most; whether it did. */
  until(condition: () => boolean, ms: number): boolean {
    const until = this.now + ms;
    while (!condition()) if (!this.#turn(until)) return false;
    return true;
  }

  do(deed: Deed, pick: number): void {
    const victim = this.#pick(pick);
    switch (deed) {
      case 'wait':
        return;
      case 'reload':
        this.#take({ type: 'reload' });
        return;
      case 'forced reload':
        this.#take({ type: 'reload', force: true });
        return;
      case 'renewal':
        this.#take({ type: 'reload', renewal: this.#renewal(pick) });
        return;
      case 'bad verdict':
        // On the reload under way, or on one that is over.
        this.#take({
          type: 'judged',
          generation: this.fleet.newestGeneration - (pick % 3 === 0 ? 1 : 0),
          verdict: BAD,
        });
        return;
      case 'rollback':
        this.#take({ type: 'rollback' });
        return;
      case 'scale':
        this.#take({ type: 'scale', workers: 1 + (pick % 5) });
        return;
      case 'upgrade':
        this.#take({ type: 'upgrade' });
        return;
      case 'stop':
        this.stop(pick);
        return;
      case 'deploy':
        this.#code = CODES[pick % CODES.length] ?? 'good';
        return;
      case 'mend':
        this.#code = 'good';
        return;
      case 'exhaust':
        this.#failingForks = EXHAUSTION[pick % EXHAUSTION.length] ?? 1;
        return;
      case 'stray message':
        this.#take({ type: 'left', id: 1 + (pick % this.fleet.nextId) });
        return;
      case 'crash':
        if (victim) this.#exit(victim, pick % 3 === 0 ? { signal: 'SIGKILL' } : { code: pick % 2 });
        return;
      case 'term':
        if (!victim) return;
        if (!victim.served && pick % 2 === 0)
          this.#exit(victim, { signal: STOP_SIGNALS[pick % 3] ?? 'SIGTERM' });
        else this.#ask(victim, 'TERM');
        return;
      case 'group term':
        this.#signalGroup(pick);
        return;
      case 'fatal error':
      case 'disconnected':
      case 'exit called':
      case 'recycle':
        if (victim?.served)
          this.#ask(victim, deed === 'recycle' ? (RECYCLES[pick % RECYCLES.length] ?? 'TERM') : deed);
        return;
      case 'snapshot':
        if (victim?.served) this.#take({ type: 'hold', id: victim.id });
        return;
      case 'hang':
        // One that hangs unheard of for good is nobody's to notice where both limits are off.
        if (victim?.served && this.fleet.settings.bootMs + this.#hangMsOf(victim) > 0) victim.hung = true;
    }
  }

  stop(pick: number): void {
    const signal = STOP_SIGNALS[pick % 3] ?? 'SIGTERM';
    if (pick % 7 === 0) this.#take({ type: 'stop', what: 'stop' });
    else this.#take({ type: 'stop', signal, what: signal });
  }

  /** TERM reaches every process, this one's primary last: the workers' messages and exits arrive before it. */
  #signalGroup(pick: number): void {
    for (const p of [...this.#processes.values()].filter((p) => !p.hung)) {
      if (p.served || this.#random() < 0.5) this.#later(p, this.#ms(50), () => this.#ask(p, 'TERM'));
      else this.#later(p, this.#ms(50), () => this.#exit(p, { signal: 'SIGTERM' }));
    }
    this.#at(this.now + 50 + this.#ms(400), () => {
      if (this.exitCode === undefined) this.stop(3 * pick);
    });
  }

  /** From now on nothing goes wrong any more; what already has runs its course. */
  calm(): void {
    this.#faults = false;
    this.#failingForks = 0;
    this.#code = 'good';
  }

  /** Wanted workers ready, none of a generation gone by, and nothing else. */
  get atRest(): boolean {
    const { workers, wanted, generation, reload, reloadAgain } = this.fleet;
    const whole =
      workers.length === wanted &&
      workers.every((w) => w.stage.name === 'ready' && w.generation >= generation);
    return (
      whole &&
      this.fleet.lead !== undefined &&
      !reload &&
      !reloadAgain &&
      workers.every((w) => !w.replace && !w.killed)
    );
  }

  get processes(): number {
    return [...this.#processes.values()].filter((p) => p.alive).length;
  }

  get story(): string {
    const worker = (w: Worker): string =>
      `${w.id}: slot ${w.slot}, generation ${w.generation}, ${JSON.stringify(w.stage)}` +
      `${w.killed ? `, killed (${w.killed.why})` : ''}${w.replace ? `, to be replaced (${w.replace.why})` : ''}`;
    const { workers, ...rest } = this.fleet;
    return [...this.#trace, ...workers.map(worker), JSON.stringify(rest)].join('\n');
  }

  /** Runs what comes next, unless that is after `until`. */
  #turn(until: number): boolean {
    const next = this.#queue[0];
    const due = Math.max(this.now, Math.min(wakeAt(this.fleet), this.#lastStep + TICK_MS));
    const wake = due + (due > this.now ? Math.floor(this.#random() * (LATE_MS + 1)) : 0);
    if (this.exitCode !== undefined && !next) return false;
    if (next && (next.at <= wake || this.exitCode !== undefined)) {
      if (next.at > until) return false;
      this.#queue.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
      return true;
    }
    if (wake > until) return false;
    this.now = wake;
    this.#take({ type: 'wake' });
    return true;
  }

  #take(first: Event): void {
    const events = [first];
    for (let event = events.shift(); event; event = events.shift()) {
      if (event.type !== 'wake') this.events++;
      const before = deepFreeze(this.fleet);
      const { fleet, effects } = step(before, deepFreeze(event), this.now);
      this.#note(event, effects);
      this.fleet = fleet;
      try {
        const taken = { before, event, now: this.now, after: fleet, effects };
        this.#rules.check(taken);
        this.#seen(taken);
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : error}\n${this.story}`);
      }
      for (const effect of effects) {
        this.#perform(effect);
        if (effect.do === 'fork') events.push({ type: 'forked', id: effect.id, pid: 100 + effect.id });
      }
    }
    this.#lastStep = this.now;
  }

  #note(event: Event, effects: readonly Effect[]): void {
    const told = effects.map((e) =>
      e.do === 'log'
        ? `"${lineOf(e.notice).text}"`
        : `${e.do} ${'id' in e ? e.id : ''}${e.do === 'fork' ? ` slot ${e.slot}` : ''}`,
    );
    if (event.type === 'heard' || (event.type === 'wake' && told.length === 0)) return;
    this.#trace.push(`${this.now} ${JSON.stringify(event)} → ${told.join(', ') || 'nothing'}`);
    if (this.#trace.length > TRACE) this.#trace.shift();
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'fork':
        this.#boot(effect.id);
        return;
      case 'exit':
        this.exitCode ??= effect.code;
        return;
      case 'leave':
        this.#with(effect.id, (p) =>
          this.#later(p, this.#ms(400), () => this.#take({ type: 'left', id: p.id })),
        );
        return;
      case 'rejoin':
        this.#with(effect.id, (p) => {
          if (this.#chance(0.1)) this.#later(p, this.#ms(200), () => this.#exit(p, { code: 1 }));
          else this.#later(p, this.#ms(300), () => this.#take({ type: 'ready', id: p.id, leads: true }));
        });
        return;
      case 'lead':
        this.#with(effect.id, (p) => this.#lead(p));
        return;
      case 'yield':
        this.#with(effect.id, (p) => this.#yield(p));
        return;
      case 'drain':
        this.#with(effect.id, (p) => this.#drain(p, effect.graceMs));
        return;
      case 'snapshot':
        // Whatever becomes of the process, it is let go.
        this.#at(this.now + this.#ms(9000), () => this.#take({ type: 'release', id: effect.id }));
        return;
      case 'kill':
        this.#kill(effect.id, 30);
        return;
      case 'explain':
        this.#kill(effect.id, 2000);
        return;
      case 'boot successor':
        this.#bootSuccessor();
        return;
      case 'succeed':
        // It becomes its successor, or cannot.
        if (this.#faults && this.#random() < 0.5)
          this.#at(this.now + this.#ms(500), () => this.#losesSuccessor());
        else this.exitCode ??= 0;
        return;
      default: // for others than processes
    }
  }

  /** A primary that is no more hears nothing. */
  #losesSuccessor(): void {
    if (this.exitCode === undefined) this.#take(GONE);
  }

  /** It serves after a while, or does not, or says nothing at all; one that serves may go all the same, also too late. */
  #bootSuccessor(): void {
    const fate = this.#random();
    const after = this.now + 100 + this.#ms(3000);
    if (fate < 0.7)
      this.#at(after, () => this.#take({ type: 'successor serves', pid: 4711, program: PROGRAM }));
    if (this.#faults && fate > 0.5 && fate < 0.9)
      this.#at(after + this.#ms(2000), () => this.#losesSuccessor());
  }

  #boot(id: number): void {
    const p: Process = {
      id,
      alive: true,
      served: false,
      hung: false,
      asked: false,
      dying: false,
      leads: false,
    };
    this.#processes.set(id, p);
    const { bootMs } = this.fleet.settings;
    const ready = (ms: number): void => this.#later(p, ms, () => this.#ready(p));
    if (this.#failingForks > 0) {
      this.#failingForks -= 1;
      this.#later(p, this.#ms(2), () => this.#exit(p, { cannotFork: CANNOT_FORK }));
      return;
    }
    switch (this.#code) {
      case 'good':
        ready(1 + this.#ms(100));
        return;
      case 'slow':
        ready(this.#ms(Math.min(2500, bootMs || 2500)));
        return;
      case 'late':
        ready((bootMs || 1000) - 10 + this.#ms(40));
        return;
      case 'brittle':
        ready(this.#ms(100));
        this.#later(p, 100 + this.#ms(6000), () => this.#exit(p, { code: 1 }));
        return;
      case 'mute':
        if (bootMs > 0) return;
        break;
      default: // 'broken', and one that is mute where nobody would notice
    }
    this.#later(p, this.#ms(200), () => {
      if (this.#chance(0.6)) this.#take({ type: 'failed', id, failure: { reason: 'the app throws' } });
      this.#later(p, this.#ms(5), () => this.#exit(p, { code: 1 }));
    });
  }

  #ready(p: Process): void {
    p.served = true;
    this.#take({ type: 'ready', id: p.id, leads: true });
    if (this.#hangMsOf(p) > 0) this.#beat(p);
  }

  #hangMsOf({ id }: Process): number {
    return this.fleet.workers.find((w) => w.id === id)?.hangMs ?? 0;
  }

  /** Another environment, or one that cannot be read. */
  #renewal(pick: number): Renewal {
    if (pick % 4 === 0) return { errors: ['PORT: expected another'] };
    const { settings } = this.fleet;
    return {
      settings: {
        ...settings,
        workers: 1 + (pick % 5),
        bootMs: settings.bootMs && (pick % 2 === 0 ? 3000 : 2000),
        drainMs: pick % 3 === 0 ? 1000 : 4000,
        settleMs: pick % 2 === 0 ? 500 : 2000,
        canaryMs: pick % 3 === 0 ? 700 : 0,
        hangMs: settings.hangMs && (pick % 2 === 0 ? 900 : 2400),
      },
    };
  }

  #beat(p: Process): void {
    this.#later(p, this.#hangMsOf(p) / 3, () => {
      this.#take({ type: 'heard', at: new Map([[p.id, this.now]]) });
      this.#beat(p);
    });
  }

  /** One leads at a time, as far as processes go: not two, whatever the policy believes. */
  #lead(p: Process): void {
    const other = [...this.#processes.values()].find(({ leads }) => leads);
    if (other) throw new Error(`${other.id} leads, and ${p.id} is asked to\n${this.story}`);
    p.leads = true;
    if (!this.#chance(0.1)) return;
    this.#later(p, this.#ms(300), () => {
      if (!p.leads) return;
      p.leads = false;
      this.#take({ type: 'yielded', id: p.id, failed: true });
    });
  }

  /** Hands over in a while, or not before it ends. */
  #yield(p: Process): void {
    if (!p.leads || this.#chance(0.2)) return;
    this.#later(p, this.#ms(500), () => {
      if (!p.leads) return;
      p.leads = false;
      this.#take({ type: 'yielded', id: p.id, failed: false });
    });
  }

  /** Ends within its grace, at once or at the last moment, or is stuck and ends never. */
  #drain(p: Process, graceMs: number): void {
    if (this.#chance(0.15)) p.hung = true; // draining it is killed, whatever the limits
    const ms = !p.served || this.#random() < 0.5 ? this.#ms(60) : this.#random() * graceMs;
    this.#later(p, Math.min(ms, graceMs), () => this.#exit(p, { code: this.#chance(0.1) ? 1 : 0 }));
  }

  #ask(p: Process, why: Extract<Event, { type: 'replace' }>['why']): void {
    if (!p.asked) this.#take({ type: 'replace', id: p.id, why });
    p.asked = true;
  }

  #kill(id: number, withinMs: number): void {
    const p = this.#processes.get(id);
    if (!p?.alive) return;
    p.dying = true;
    this.#at(this.now + this.#ms(withinMs), () => this.#exit(p, { signal: 'SIGKILL' }));
  }

  #exit(p: Process, ending: Ending): void {
    if (!p.alive) return;
    p.alive = false;
    this.#processes.delete(p.id);
    this.#take({ type: 'exit', id: p.id, ending });
  }

  #pick(pick: number): Process | undefined {
    const alive = [...this.#processes.values()].filter((p) => p.alive && !p.hung);
    return alive[pick % Math.max(1, alive.length)];
  }

  #with(id: number, act: (p: Process) => void): void {
    const p = this.#processes.get(id);
    if (p?.alive) act(p);
  }

  /** What the process does in `ms`, unless it hangs or is gone by then. */
  #later(p: Process, ms: number, run: () => void): void {
    this.#at(this.now + ms, () => {
      if (p.alive && !p.hung) run();
    });
  }

  #at(at: number, run: () => void): void {
    const index = this.#queue.findIndex((other) => other.at > at);
    if (index === -1) this.#queue.push({ at, run });
    else this.#queue.splice(index, 0, { at, run });
  }

  #ms(most: number): number {
    return Math.round(this.#random() * most);
  }

  #chance(of: number): boolean {
    return this.#faults && this.#random() < of;
  }
}

/** Freezes all of it, so that a step that changes what it was given throws. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
