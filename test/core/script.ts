// A fleet driven by hand: time passes when told to, workers say what the test says, effects come back as short sentences.

import type { Ending } from '../../src/core/ending.ts';
import { type Effect, type Event, type Fleet, newFleet, type Worker } from '../../src/core/fleet.ts';
import { step } from '../../src/core/policy.ts';
import { checkReading } from '../../src/core/reading.ts';
import { wakeAt } from '../../src/core/reconcile.ts';
import type { Settings } from '../../src/core/settings.ts';
import { lineOf, outcomeText } from '../../src/log/wording.ts';

export const SETTINGS: Settings = {
  reading: checkReading({}, []).reading,
  workers: 2,
  bootMs: 30_000,
  drainMs: 75_000,
  stopDelayMs: 0,
  stopMs: 8000,
  hangMs: 0,
  settleMs: 1000,
  canaryMs: 0,
  canary: { workers: 1 },
  surge: { workers: 1 },
  keepMs: 0,
  memory: undefined,
};

/** `fork 3 in slot 0 as generation 2`, `drain 1 for replace within 75000` … */
function sentence(effect: Effect): string | undefined {
  switch (effect.do) {
    case 'log':
    case 'ended':
      return undefined;
    case 'fork':
      return `fork ${effect.id} in slot ${effect.slot} as generation ${effect.generation}`;
    case 'drain':
      return `drain ${effect.id} for ${effect.why} within ${effect.graceMs}`;
    case 'leave':
    case 'stopping':
      return `${effect.do} ${effect.id}${effect.linger ? ' lingering' : ''}`;
    case 'explain':
      return `explain ${effect.id} after ${effect.silentMs}`;
    case 'abandoned':
      return outcomeText({ outcome: 'abandoned', fault: effect.fault }).replace('reload ', '');
    case 'exit':
      return `exit ${effect.code}`;
    case 'announce':
    case 'reloaded':
      return effect.do;
    case 'rolled back':
      return `${effect.do} ${effect.generation}`;
    default:
      return 'id' in effect ? `${effect.do} ${effect.id}` : effect.do;
  }
}

/** One fleet and its time; worker `id` has pid `100 + id`. */
export class Script {
  fleet: Fleet;
  now = 0;
  /** Texts logged so far. */
  readonly log: string[] = [];
  /** What each end of a worker counts as: `0 crashed`. */
  readonly ended: string[] = [];

  constructor(workers: number, settings: Partial<Settings> = {}, seed = 1) {
    this.fleet = newFleet({ ...SETTINGS, workers, ...settings }, seed);
  }

  /** Takes one event now; returns what is to be done about it. */
  on(event: Event): string[] {
    const { fleet, effects } = step(this.fleet, event, this.now);
    this.fleet = fleet;
    const done: string[] = [];
    for (const effect of effects) {
      const said = sentence(effect);
      if (said !== undefined) done.push(said);
      if (effect.do === 'log') this.log.push(lineOf(effect.notice).text);
      if (effect.do === 'ended') this.ended.push(`${effect.of.worker} ${effect.reason}`);
    }
    for (const effect of effects) {
      if (effect.do === 'fork')
        done.push(...this.on({ type: 'forked', id: effect.id, pid: 100 + effect.id }));
    }
    return done;
  }

  begin(): string[] {
    return this.on({ type: 'wake' });
  }

  ready(...ids: number[]): string[] {
    return ids.flatMap((id) => this.on({ type: 'ready', id }));
  }

  /** Workers beat, just now. */
  beats(...ids: number[]): void {
    this.on({ type: 'heard', at: new Map(ids.map((id) => [id, this.now])) });
  }

  left(...ids: number[]): string[] {
    return ids.flatMap((id) => this.on({ type: 'left', id }));
  }

  fails(id: number, reason: string): string[] {
    return [...this.on({ type: 'failed', id, failure: { reason } }), ...this.exits(id, { code: 1 })];
  }

  exits(id: number, how: Ending): string[] {
    return this.on({ type: 'exit', id, ending: how });
  }

  /** Lets time pass, waking whenever the policy wants to be woken. */
  pass(ms: number): string[] {
    const until = this.now + ms;
    const done: string[] = [];
    for (let at = wakeAt(this.fleet); at <= until; at = wakeAt(this.fleet)) {
      if (at < this.now) throw new Error(`expected wakeAt from ${this.now} on, got ${at}`);
      this.now = at;
      done.push(...this.on({ type: 'wake' }));
    }
    this.now = until;
    return done;
  }

  worker(id: number): Worker {
    const found = this.fleet.workers.find((w) => w.id === id);
    if (!found) throw new Error(`expected a worker ${id}, got ${this.fleet.workers.map((w) => w.id)}`);
    return found;
  }

  /** `1 ready, 2 booting` … */
  get stages(): string {
    return this.fleet.workers.map((w) => `${w.id} ${w.stage.name}`).join(', ');
  }
}

/** A fleet of `workers` of which all serve. */
export function serving(workers: number, settings: Partial<Settings> = {}): Script {
  const script = new Script(workers, settings);
  script.begin();
  for (let id = 1; id <= workers; id++) script.ready(id);
  return script;
}
