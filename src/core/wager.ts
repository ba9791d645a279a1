// A sequential test of whether one side's share of bad requests is larger than the other's, which may be looked at after
// every stretch of time. It knows nothing of what makes a request bad.
//
// The test is a gambler who starts with 1 and, after each stretch, is paid for how well his bets foretold it. The odds are
// such that he gains nothing on average as long as both sides are alike in each stretch, whatever they are alike in, however
// often that changes, and however many requests each side had. Such a gambler ever reaches `x` with a probability of at most
// 1 / x (Ville's inequality), be there ten looks or a hundred thousand. So who calls the sides different when he holds 1000
// is wrong at most once in 1000 times. Why the odds are fair is told at `gain`.

/** How many requests there were, and how many of them were bad. */
export interface Share {
  readonly bad: number;
  readonly of: number;
}

/** What a bet says: such a share of the old side's requests are bad, such a larger one of the fresh side's; 0 to 1. */
export interface Bet {
  readonly old: number;
  readonly fresh: number;
  /** The part of the gambler's money that goes on this bet; those of all bets together are 1. */
  readonly stake: number;
}

/** How a question is bet on. */
export interface Wager {
  readonly bets: readonly Bet[];
  /** A stretch multiplies a bet by at most so much, whatever was in it: one stretch alone convinces nobody. */
  readonly mostPerStretch: number;
  /** A stretch speaks for at most so many fresh requests, as those of the same moment are slow together. */
  readonly requestsPerStretch: number;
}

/** The gambler after some stretches. */
export interface Purse {
  readonly stretches: number;
  /** What each bet is worth now. */
  readonly worth: readonly number[];
  /** What was in play since the evidence began anew. */
  readonly played: number;
}

export const FULL_PURSE: Purse = { stretches: 0, worth: [], played: 0 };

/** What the gambler holds in his bets: 1000 is evidence that fools us once in 1000 times. */
export const worthOf = (purse: Purse): number => purse.worth.reduce((sum, worth) => sum + worth, 0);

/**
 * The part of the first money that is laid on the bets before the `n`th stretch, from 1: four fifths at once, and the last
 * fifth little by little. Had it all been laid at once, a release that is good for minutes would have lost it all, and could
 * turn bad without anybody ever noticing.
 */
export const laidBefore = (n: number): number => (n === 1 ? 0.8 : 0.2 / (n * (n - 1)));

/** Both sides' share of bad requests in the same stretch. */
export interface Shares {
  readonly old: Share;
  readonly fresh: Share;
}

/**
 * The purse after one more stretch. Where "bad" has several meanings, there are shares for each of them, always in the same
 * order, and each has an equal part of the money. `anew` says that three quarters of what was in play before are lost: what
 * was seen before is no evidence any more.
 */
export function bet(
  { bets, mostPerStretch, requestsPerStretch }: Wager,
  purse: Purse,
  meanings: readonly Shares[],
): { readonly purse: Purse; readonly anew: boolean } {
  const stretches = purse.stretches + 1;
  const laid = laidBefore(stretches);
  const left = worthOf(purse);
  const anew = left < purse.played / 4;
  const worth = meanings.flatMap(({ old, fresh }, meaning) =>
    bets.map((one, index) => {
      const held = (purse.worth[meaning * bets.length + index] ?? 0) + (laid * one.stake) / meanings.length;
      const weight = Math.min(1, requestsPerStretch / fresh.of);
      return held * Math.min(mostPerStretch, Math.exp(weight * gain(one, old, fresh)));
    }),
  );
  return { purse: { stretches, worth, played: (anew ? left : purse.played) + laid }, anew };
}

/**
 * The logarithm of what a bet is multiplied by: how much likelier the stretch is if the bet is right than if both sides had
 * the same share, which is then the mean of the bet's two, weighted by their requests.
 *
 * Why nothing is gained on average where both sides have the same share `p` of bad requests: a request of a side is
 * multiplied by `p · side / mean + (1 − p) · (1 − side) / (1 − mean)` on average. The mean of this over all requests is
 * `p + 1 − p = 1`, and numbers whose mean is 1 have a product of at most 1. To take a part of the gain only, or at most so
 * much, makes it smaller on average and never larger. (Turner, Ly and Grünwald, "Generic E-Variables for Exact Sequential
 * k-Sample Tests", 2021.)
 */
export function gain(one: Pick<Bet, 'old' | 'fresh'>, old: Share, fresh: Share): number {
  const mean = (one.old * old.of + one.fresh * fresh.of) / (old.of + fresh.of);
  return (
    fresh.bad * Math.log(one.fresh / mean) +
    (fresh.of - fresh.bad) * Math.log((1 - one.fresh) / (1 - mean)) +
    old.bad * Math.log(one.old / mean) +
    (old.of - old.bad) * Math.log((1 - one.old) / (1 - mean))
  );
}
