// The kernel's count of processes that it has killed for memory, watched: whether it explains a death.

/** The count of one cgroup, and that of the whole machine. */
export interface OomCount {
  /** Which cgroup it is of: counts of different ones say nothing together. */
  readonly of: string;
  readonly kills: number;
  /** Undefined = it cannot be read. */
  readonly machineKills?: number | undefined;
}

/**
 * Counts are taken so far apart at least, ms: one that is older than this is from before a death that is heard of now.
 * Reading them costs a quarter of a millisecond, which no fleet at rest should spend every second.
 */
const APART_MS = 5000;

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
   * A process was killed, and the count is `now`: whether the kernel did it for memory; undefined = nobody knows, as
   * where a process of another cgroup was killed, which might be one that was moved there. Each of its kills explains
   * one death.
   */
  explains(now: OomCount | undefined): boolean | undefined {
    const before = this.#before;
    if (!before || before.of !== now?.of) return undefined;
    if (now.kills <= before.kills) return isMore(now.machineKills, before.machineKills) ? undefined : false;
    this.#before = withOneMore(before);
    if (this.#latest && this.#latest.kills < this.#before.kills) this.#latest = this.#before;
    return true;
  }
}

const isMore = (now: number | undefined, before: number | undefined): boolean =>
  now !== undefined && before !== undefined && now > before;

const withOneMore = ({ of, kills, machineKills }: OomCount): OomCount => ({
  of,
  kills: kills + 1,
  machineKills: machineKills === undefined ? undefined : machineKills + 1,
});
