// The commands of the control socket as they run: each is told what happens, and ends with the effect it waits for.

import { type Effect, type Event, type Fleet, serves } from '../core/fleet.ts';
import type { Outcome } from '../core/notices.ts';
import type { Renewal } from '../core/settings.ts';
import { lineOf, outcomeText } from '../log/wording.ts';
import type { Commands, Report } from './server.ts';
import type { Views } from './views.ts';

/** Another process, or what this one becomes, says how it ended. */
interface Follow {
  readonly follow: number;
  readonly pid: number;
}

/** A command that waits for its end. `ending` says how it ended, or undefined as long as it has not. */
interface Operation {
  readonly report: Report;
  readonly ending: (effect: Effect | undefined, fleet: Fleet) => Outcome | Follow | undefined;
}

/** What commands need of the primary. */
export interface FleetAccess {
  readonly fleet: () => Fleet;
  readonly dispatch: (event: Event) => void;
  /** Reads the environment anew for a reload, and hands it over: at once where it cannot have changed. */
  readonly renew: (use: (renewal: Renewal | undefined) => void) => void;
  readonly profile: Commands['profile'];
  readonly heap: Commands['heap'];
  /** Whether an upgrade ends in this process, not in its successor's. */
  readonly relays: boolean;
  readonly views: Views;
}

/** The outcomes of a command that did what it was told. */
const DONE: ReadonlySet<Outcome['outcome']> = new Set(['reloaded', 'rolled back', 'scaled', 'stopped']);

const end = (report: Report, outcome: Outcome): void =>
  report({ ok: DONE.has(outcome.outcome), result: outcomeText(outcome) });

/** The commands that are under way. */
export class Operations {
  readonly #running = new Set<Operation>();

  /** Shows an effect (undefined = the state alone has changed) to all commands under way. */
  show(effect: Effect | undefined, fleet: Fleet): void {
    for (const operation of this.#running) {
      if (effect?.do === 'log') operation.report({ text: lineOf(effect.notice).text });
      const outcome = operation.ending(effect, fleet);
      if (!outcome) continue;
      this.#running.delete(operation);
      if ('follow' in outcome) operation.report(outcome);
      else end(operation.report, outcome);
    }
  }

  /** Ends all commands that still wait: the fleet has gone. */
  end(): void {
    for (const { report, ending } of this.#running)
      end(report, { outcome: ending === whenGone ? 'stopped' : 'stopping' });
    this.#running.clear();
  }

  commands({ fleet, dispatch, renew, profile, heap, relays, views }: FleetAccess): Commands {
    const run = (event: Event, operation: Operation): void => {
      if (fleet().stop && event.type !== 'stop') {
        end(operation.report, { outcome: 'stopping' });
        return;
      }
      if (fleet().upgrade && event.type !== 'stop') {
        end(operation.report, { outcome: 'upgrade under way' });
        return;
      }
      this.#running.add(operation);
      dispatch(event);
      this.show(undefined, fleet());
    };
    return {
      ...views,
      profile,
      heap,
      reload: (force, report) =>
        renew((renewal) => {
          const { reload, started, newestGeneration } = fleet();
          // A reload under way, or one that waits for the start, is followed by one more.
          const generation = newestGeneration + 1;
          if (reload || !started) report({ text: 'waiting for the reload or start under way' });
          run({ type: 'reload', force, renewal }, { report, ending: whenReloaded(generation) });
        }),
      upgrade: (node, report) => run({ type: 'upgrade', node }, { report, ending: whenSucceeded(relays) }),
      rollback: (report) => {
        const { previous, reload } = fleet();
        if (reload) end(report, { outcome: 'reload under way' });
        else if (!previous) end(report, { outcome: fleet().stop ? 'stopping' : 'nothing kept' });
        else run({ type: 'rollback' }, { report, ending: whenRolledBack(previous.generation) });
      },
      scale: (workers, report) => {
        run({ type: 'scale', workers }, { report, ending: whenScaled(workers) });
      },
      stop: (report) => run({ type: 'stop', what: 'stop' }, { report, ending: whenGone }),
    };
  }
}

const whenReloaded =
  (generation: number): Operation['ending'] =>
  (effect, fleet) => {
    if (effect?.do === 'reloaded' && effect.generation === generation)
      return { outcome: 'reloaded', generation };
    if (effect?.do === 'abandoned' && effect.generation === generation) {
      return { outcome: 'abandoned', fault: effect.fault };
    }
    return fleet.stop ? { outcome: 'reload cut by stop' } : undefined;
  };

const whenSucceeded =
  (relays: boolean): Operation['ending'] =>
  (effect, fleet) => {
    if (effect?.do === 'upgrade failed') {
      const { reason, begun } = effect;
      return { outcome: 'upgrade failed', reason, begun };
    }
    if (fleet.stop) return { outcome: 'stopping' };
    if (relays && effect?.do === 'succeed') return { follow: fleet.generation + 2, pid: process.pid };
    if (!relays && effect?.do === 'hand over') return { follow: fleet.generation + 1, pid: effect.pid };
    return undefined;
  };

const whenRolledBack =
  (generation: number): Operation['ending'] =>
  (effect, fleet) => {
    if (effect?.do === 'rolled back') return { outcome: 'rolled back', generation };
    return fleet.stop ? { outcome: 'stopping' } : fleet.reload ? { outcome: 'reload under way' } : undefined;
  };

const whenScaled =
  (workers: number): Operation['ending'] =>
  (effect, fleet) => {
    if (fleet.stop) return { outcome: 'stopping' };
    if (fleet.wanted !== workers) return { outcome: 'rescaled', workers: fleet.wanted };
    if (effect?.do === 'boot failed') return { outcome: 'boot failed', fault: effect.fault };
    return fleet.workers.filter(serves).length === workers ? { outcome: 'scaled', workers } : undefined;
  };

/** A stop ends with the fleet itself. */
const whenGone: Operation['ending'] = () => undefined;
