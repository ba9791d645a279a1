// The kernel's count of processes that it has killed for memory, watched: whether it explains a death.

/** The count of one cgroup. */
export interface OomCount {
  /** Which cgroup it is of: counts of different ones say nothing together. */
  readonly of: string;
  readonly kills: number;
}

/** Counts are taken so far apart at least, ms: one that is older than this is from before a death that is heard of now. */
const APART_MS = 1000;

/** The counts so far. */
export class OomCounts {
  /** The latest, and the one before, which a death is held against: the latest may be from after the kill. */
  #latest: OomCount | undefined;
  #before: OomCount | undefined;
  #at = -Infinity;

  /** Whether another count is due at `now`, ms. */
  isDue(now: number): boolean {
    return now - this.#at >= APART_MS;
  }

  /** The count as it is at `now`, ms; undefined = it cannot be read. */
  note(count: OomCount | undefined, now: number): void {
    this.#before = this.#at === -Infinity ? count : this.#latest;
    this.#latest = count;
    this.#at = now;
  }

  /**
   * A process was killed, and the count is `now`: whether the kernel did it for memory; undefined = nobody knows. Each
   * of its kills explains one death.
   */
  explains(now: OomCount | undefined): boolean | undefined {
    const before = this.#before;
    if (!before || before.of !== now?.of) return undefined;
    if (now.kills <= before.kills) return false;
    const explained = { of: now.of, kills: before.kills + 1 };
    this.#before = explained;
    if (this.#latest && this.#latest.kills < explained.kills) this.#latest = explained;
    return true;
  }
}
