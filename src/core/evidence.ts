// What two generations of workers answered side by side, and how strongly it speaks against the new one.
// What follows from it is in verdict.ts; why it can be looked at as often as one likes is in wager.ts.

import { answersIn, type Counters, NO_SUMS, plus, type Sums } from './figures.ts';
import { bucketOf, LATENCY_BUCKETS, quantile } from './latency.ts';
import { bet, FULL_PURSE, type Purse, type Share, type Wager } from './wager.ts';

/** What is counted of the answers: server errors, requests in which the app threw or rejected, and those never sent whole. */
export const COUNTED = ['5xx', 'failed', '408'] as const;
export type Counted = (typeof COUNTED)[number];

const countIn: Readonly<Record<Counted, (counters: Counters) => number>> = {
  '5xx': (counters) => counters.answers5xx,
  failed: (counters) => counters.failed,
  '408': (counters) => counters.refused408,
};

/** What both generations answered in the same stretch of time, a second or so: what their counters grew by. */
export interface Stretch {
  /** Null where no worker of the old generation serves any more. */
  readonly old: Sums | null;
  readonly fresh: Sums;
  /** For how long the youngest of the new generation's workers had been ready when the stretch ended, ms. */
  readonly ageMs: number;
}

/** What is known of both generations so far. */
export interface Evidence {
  /** How many requests the new generation has answered. */
  readonly asked: number;
  readonly counted: Readonly<Record<Counted, Tally<Share>>>;
  readonly latency: Tally<Histogram>;
  /** The old generation's latency of late: it forgets. */
  readonly usual: Histogram;
  /** What was answered since the last stretch in which both generations answered, and in how many stretches. */
  readonly open: { readonly looks: number; readonly old: Sums; readonly fresh: Sums };
  /** What the new generation answered since it serves alone, and in how many stretches. */
  readonly alone: { readonly looks: number; readonly fresh: Sums };
  /** What the old generation answered in the minutes before. */
  readonly before: Sums;
}

/** The money won by bets against the new generation, and what was counted on both sides since the evidence began anew. */
export interface Tally<T> {
  readonly purse: Purse;
  readonly old: T;
  readonly fresh: T;
}

/** Answers by latency: see latency.ts. */
export type Histogram = readonly number[];

/**
 * Bets on the shares of bad answers, from one in 20 more upwards. Of small shares it matters only how many times larger one is
 * than the other, so that the first bet is as good for 0.01 % against 1 %.
 */
export const BAD_ANSWERS: Wager = {
  bets: [
    { old: 0.0005, fresh: 0.05, stake: 0.4 },
    { old: 0.01, fresh: 0.06, stake: 0.15 },
    { old: 0.05, fresh: 0.12, stake: 0.05 },
    { old: 0.1, fresh: 0.15, stake: 0.05 },
    { old: 0.3, fresh: 0.36, stake: 0.05 },
    { old: 0.5, fresh: 0.55, stake: 0.05 },
    { old: 0.8, fresh: 0.9, stake: 0.05 },
    { old: 0.1, fresh: 0.5, stake: 0.05 },
    { old: 0.01, fresh: 0.98, stake: 0.15 },
  ],
  // Two workers' figures are not of the same instant: one stretch may show the start of an outage on one side only, and a
  // burst of one client's errors is on one side, too. So it takes three stretches at the least, and as many bad answers: two
  // make 45 · 45 · 0.8 (see `laidBefore`) of what was 1, and a false alarm in 1667 is the most that any criterion may have.
  mostPerStretch: 45,
  requestsPerStretch: Number.POSITIVE_INFINITY,
};

/** Bets on the shares of slow answers. */
export const SLOW_ANSWERS: Wager = {
  bets: [
    { old: 0.05, fresh: 0.5, stake: 0.2 },
    { old: 0.35, fresh: 0.55, stake: 0.3 },
    { old: 0.3, fresh: 0.6, stake: 0.3 },
    { old: 0.4, fresh: 0.8, stake: 0.2 },
  ],
  // One pause of a worker makes all its requests of that moment slow. So it takes eight stretches at the least.
  mostPerStretch: 3,
  requestsPerStretch: 20,
};
/**
 * An answer is slow that took so many ms more than a quartile of the old generation's usual latency: less is noise. Each
 * quartile is asked for itself: where some routes are fast and others are slow, the median lies in between.
 */
const SLOW_FROM = [0.25, 0.5, 0.75];
export const SLOW_MIN_MS = 1;
/** Code is slow until it is compiled, and caches until they are full: before that age, latency is not compared, ms. */
export const WARM_UP_MS = 5000;
/** The part of the usual latency that is kept from one stretch to the next, and how many answers make it known. */
const USUAL_KEPT = 0.98;
const USUAL_MIN = 10;
/** Where traffic is scarce, stretches are put together until both sides have answered, but no more than so many. */
const MOST_OPEN_LOOKS = 10;

const NO_LATENCY: Histogram = new Array<number>(LATENCY_BUCKETS).fill(0);
const NO_SHARE: Share = { bad: 0, of: 0 };
const NOTHING_COUNTED: Tally<Share> = { purse: FULL_PURSE, old: NO_SHARE, fresh: NO_SHARE };
const NONE_OPEN: Evidence['open'] = { looks: 0, old: NO_SUMS, fresh: NO_SUMS };
const NONE_ALONE: Evidence['alone'] = { looks: 0, fresh: NO_SUMS };

/** The evidence before the first stretch; `before` is what the old generation answered in the minutes before. */
export const noEvidence = (before: Sums = NO_SUMS): Evidence => ({
  asked: 0,
  counted: { '5xx': NOTHING_COUNTED, failed: NOTHING_COUNTED, '408': NOTHING_COUNTED },
  latency: { purse: FULL_PURSE, old: NO_LATENCY, fresh: NO_LATENCY },
  usual: NO_LATENCY,
  open: NONE_OPEN,
  alone: NONE_ALONE,
  before,
});

/** The evidence with one more stretch. */
export function observe(evidence: Evidence, { old, fresh, ageMs }: Stretch): Evidence {
  const asked = evidence.asked + answersIn(fresh);
  if (old === null) return { ...evidence, asked, open: NONE_OPEN, alone: aloneWith(evidence.alone, fresh) };
  const open = openWith(evidence.open, old, ageMs < WARM_UP_MS ? withoutLatency(fresh) : fresh);
  const usual = evidence.usual.map((count, bucket) => count * USUAL_KEPT + (old.latency[bucket] ?? 0));
  const known = { ...evidence, asked, usual, alone: NONE_ALONE };
  if (answersIn(open.old) === 0 || answersIn(open.fresh) === 0) {
    return { ...known, open: open.looks < MOST_OPEN_LOOKS ? open : NONE_OPEN };
  }
  const counted = (what: Counted): Tally<Share> =>
    withShares(evidence.counted[what], shareOf(what, open.old), shareOf(what, open.fresh));
  return {
    ...known,
    counted: { '5xx': counted('5xx'), failed: counted('failed'), '408': counted('408') },
    latency: withLatency(evidence.latency, evidence.usual, open.old.latency, open.fresh.latency),
    open: NONE_OPEN,
  };
}

const withoutLatency = ({ counters }: Sums): Sums => ({ counters, latency: NO_LATENCY });

const openWith = (open: Evidence['open'], old: Sums, fresh: Sums): Evidence['open'] =>
  open.looks === 0
    ? { looks: 1, old, fresh }
    : { looks: open.looks + 1, old: plus(open.old, old), fresh: plus(open.fresh, fresh) };

const aloneWith = (alone: Evidence['alone'], fresh: Sums): Evidence['alone'] =>
  answersIn(fresh) === 0 ? alone : { looks: alone.looks + 1, fresh: plus(alone.fresh, fresh) };

/** How many of the answers count as bad. */
export function shareOf(what: Counted, sums: Sums): Share {
  const of = answersIn(sums);
  return { bad: Math.min(countIn[what](sums.counters), of), of };
}

function withShares(tally: Tally<Share>, old: Share, fresh: Share): Tally<Share> {
  const { purse, anew } = bet(BAD_ANSWERS, tally.purse, [{ old, fresh }]);
  return anew ? { purse, old, fresh } : { purse, old: both(tally.old, old), fresh: both(tally.fresh, fresh) };
}

const both = (a: Share, b: Share): Share => ({ bad: a.bad + b.bad, of: a.of + b.of });

function withLatency(
  tally: Tally<Histogram>,
  usual: Histogram,
  old: Histogram,
  fresh: Histogram,
): Tally<Histogram> {
  if (countOf(usual) < USUAL_MIN || countOf(old) === 0 || countOf(fresh) === 0) return tally;
  const meanings = SLOW_FROM.map((share) => {
    // The bound comes from the stretches before: the answers themselves must have no say in what is slow.
    const quartile = quantile(usual, share) ?? 0;
    const bucket = bucketOf(quartile + SLOW_MIN_MS) + 1;
    return { old: slowFrom(bucket, old), fresh: slowFrom(bucket, fresh) };
  });
  const { purse, anew } = bet(SLOW_ANSWERS, tally.purse, meanings);
  return anew
    ? { purse, old, fresh }
    : { purse, old: added(tally.old, old), fresh: added(tally.fresh, fresh) };
}

const slowFrom = (bucket: number, histogram: Histogram): Share => ({
  bad: countOf(histogram.slice(bucket)),
  of: countOf(histogram),
});
const added = (a: Histogram, b: Histogram): Histogram => a.map((count, bucket) => count + (b[bucket] ?? 0));

/** How many answers a histogram has. */
export const countOf = (histogram: Histogram): number => histogram.reduce((sum, count) => sum + count, 0);
