// How many log lines were dropped lately, told from their total at each status. Pure.

/** Lately is so long. */
export const DROPPED_MINUTES = 5;

/** The totals of the last minutes. */
export class Dropped {
  readonly #seen: { readonly at: number; readonly total: number }[] = [];

  /** Takes the total at a time in seconds of any clock; returns how much of it was dropped lately. */
  lately(total: number, at: number): number {
    // Another primary counts anew.
    if (total < (this.#seen.at(-1)?.total ?? 0)) this.#seen.length = 0;
    this.#seen.push({ at, total });
    while ((this.#seen[0]?.at ?? at) < at - DROPPED_MINUTES * 60) this.#seen.shift();
    return total - (this.#seen[0]?.total ?? total);
  }
}
