// The commands of the control socket as they run: each is told what happens, and ends with the event it waits for.

import type { Effect, Event, Fleet } from '../core/fleet.ts';
import type { Commands, Report } from './control.ts';

/** A command that waits for its end. `seen` says how it ended, or undefined as long as it has not. */
interface Operation {
  readonly report: Report;
  readonly seen: (effect: Effect | undefined, fleet: Fleet) => { ok: boolean; result: string } | undefined;
}

/** The part of the primary that commands need. */
export interface Fleetwright {
  readonly fleet: () => Fleet;
  readonly dispatch: (event: Event) => void;
  readonly status: Commands['status'];
}

const STOPPING = { ok: false, result: 'the fleet is stopping' };

/** The commands that are under way. */
export class Operations {
  readonly #running = new Set<Operation>();

  /** Shows an effect (undefined = the state alone has changed) to all commands under way. */
  show(effect: Effect | undefined, fleet: Fleet): void {
    for (const operation of this.#running) {
      if (effect?.do === 'log') operation.report({ text: effect.line.text });
      const end = operation.seen(effect, fleet);
      if (!end) continue;
      this.#running.delete(operation);
      operation.report(end);
    }
  }

  /** Ends all commands that still wait: the fleet has gone. */
  end(): void {
    for (const { report, seen } of this.#running)
      report(seen === stopped ? { ok: true, result: 'stopped' } : STOPPING);
    this.#running.clear();
  }

  commands({ fleet, dispatch, status }: Fleetwright): Commands {
    const run = (event: Event, operation: Operation): void => {
      if (fleet().stop && event.type !== 'stop') {
        operation.report(STOPPING);
        return;
      }
      this.#running.add(operation);
      dispatch(event);
      this.show(undefined, fleet());
    };
    return {
      status,
      reload: (report) => {
        const { reload, started, newestGeneration } = fleet();
        // A reload under way, or one that waits for the start, is followed by one more.
        const generation = newestGeneration + 1;
        if (reload || !started) report({ text: 'waiting for the reload or start under way' });
        run({ type: 'reload' }, { report, seen: (effect, now) => reloadEnded(generation, effect, now) });
      },
      scale: (workers, report) => {
        run({ type: 'scale', workers }, { report, seen: (effect, now) => scaleEnded(workers, effect, now) });
      },
      stop: (report) => run({ type: 'stop', what: 'stop' }, { report, seen: stopped }),
    };
  }
}

function reloadEnded(
  generation: number,
  effect: Effect | undefined,
  fleet: Fleet,
): ReturnType<Operation['seen']> {
  if (effect?.do === 'reloaded' && effect.generation === generation) {
    return { ok: true, result: `reloaded: generation ${generation} serves` };
  }
  if (effect?.do === 'abandoned' && effect.generation === generation) {
    return { ok: false, result: `reload abandoned: ${effect.reason}` };
  }
  return fleet.stop ? { ok: false, result: 'reload abandoned: the fleet is stopping' } : undefined;
}

function scaleEnded(
  workers: number,
  effect: Effect | undefined,
  fleet: Fleet,
): ReturnType<Operation['seen']> {
  if (fleet.stop) return STOPPING;
  if (fleet.wanted !== workers) return { ok: false, result: `scaled to ${fleet.wanted} workers meanwhile` };
  if (effect?.do === 'boot failed') return { ok: false, result: effect.reason };
  const ready = fleet.workers.filter((w) => w.stage === 'ready').length;
  return ready === workers
    ? { ok: true, result: `${workers} ${workers === 1 ? 'worker serves' : 'workers serve'}` }
    : undefined;
}

/** A stop ends with the fleet itself. */
const stopped = (): undefined => undefined;
