// Gathers what both generations of a reload answer, and has the verdict on it.

import { type Evidence, noEvidence, observe } from '../core/evidence.ts';
import { NO_SUMS, plus, type Sums } from '../core/figures.ts';
import { type Fleet, serves } from '../core/fleet.ts';
import { type Verdict, verdictOn } from '../core/verdict.ts';

/** One reload's traffic. */
export class Judge {
  /** The generation that the reload brings. */
  readonly generation: number;
  #evidence: Evidence;
  #old = NO_SUMS;
  #fresh = NO_SUMS;

  /** @param before what the old generation answered in the minutes before */
  constructor(generation: number, before: Sums) {
    this.generation = generation;
    this.#evidence = noEvidence(before);
  }

  /** A worker of some generation has answered this since its last beat. */
  add(generation: number, answered: Sums): void {
    if (generation >= this.generation) this.#fresh = plus(this.#fresh, answered);
    else this.#old = plus(this.#old, answered);
  }

  /** The verdict now; to be asked for every second, `now` in ms of the policy's clock. */
  look({ workers }: Fleet, now: number): Verdict {
    const serving = workers.filter(serves);
    const isFresh = ({ generation }: { readonly generation: number }): boolean =>
      generation >= this.generation;
    const ages = serving.filter(isFresh).map((w) => now - (w.readyAt ?? now));
    const old = serving.every(isFresh) ? null : this.#old;
    this.#evidence = observe(this.#evidence, {
      old,
      fresh: this.#fresh,
      ageMs: ages.length > 0 ? Math.min(...ages) : 0,
    });
    this.#old = NO_SUMS;
    this.#fresh = NO_SUMS;
    return verdictOn(this.#evidence);
  }
}
