// The verdict on a new generation of workers, by its traffic and the old generation's in the same stretches of time. It is no
// judge of crashes, hangs and uncaught errors: those abandon a generation at once, and elsewhere.
//
// What it promises, measured by test/core/verdict.test.ts. Of 1000 releases that behave as the old one does at most one is
// taken back, whatever both do, for as long as one looks. In 95 of 100 times a bad release is taken back by so many requests
// of its own, by the share of answers that failed before, where the old generation has as many requests, four times or nine
// times as many; the last column is the least that any test could do that is wrong once in 1000 times and looks once, with the
// old generation's share known beforehand or, where that is none, with nine times as many requests:
//
//   fails instead of      as many   4 times   9 times   the least
//     5 %      0 %           450       250       200         130
//   5.1 %    0.1 %           520       290       240         125
//     6 %      1 %           950       520       480         250
//    15 %     10 %          3500      2200      2000         990
//    35 %     30 %          7500      4800      4200        1980
//    55 %     50 %          7800      4800      4400        2290
//   100 %      0 %            15        11        11           -
//
// Where a stretch has more than three requests, a release that fails in all of them takes three or four stretches. A median
// latency that doubles takes 500 requests from the fifth second on and as many of the old generation's, or 25 stretches where
// those have more.
//
// What it cannot know: whether requests of one side are bad together. A client that keeps to one connection and whose every
// request fails by its own fault is on one side for minutes, and where clients are few that looks like a bad release.
// Nor does it know a worker whose processor is slow, or whose caches take longer than five seconds to fill, from slow code.

import { COUNTED, type Counted, countOf, type Evidence, SLOW_MIN_MS, shareOf } from './evidence.ts';
import { quantile } from './latency.ts';
import { type Share, worthOf } from './wager.ts';

/** What may speak against a generation. */
export type Criterion = Counted | 'latency';

/** The median latency of so many answers. */
export interface Median {
  readonly medianMs: number;
  readonly of: number;
}

export type Verdict =
  | { readonly verdict: 'nothing asked' }
  | { readonly verdict: 'good'; readonly asked: number }
  | { readonly verdict: 'bad'; readonly criterion: Counted; readonly old: Share; readonly fresh: Share }
  | { readonly verdict: 'bad'; readonly criterion: 'latency'; readonly old: Median; readonly fresh: Median };

/**
 * How often a criterion may take back a generation that behaves just like the old one, whatever both do and however often one
 * looks: once in 1000 times all together. The status of an answer has the largest part, as most of what fails has one.
 */
export const FALSE_ALARMS: Readonly<Record<Criterion, number>> = {
  '5xx': 0.0006,
  failed: 0.0001,
  '408': 0.0001,
  latency: 0.0002,
};
/** A generation is not taken back for a smaller difference of the shares of bad answers: a hundredth. */
const MIN_DIFFERENCE = 0.01;
/** Nor as slow, unless its median is so many times the old one's, and SLOW_MIN_MS above it. */
const SLOWER_FACTOR = 1.5;
/**
 * Alone, a generation can only be compared with what the old one answered before, and an outage may have begun since. So it is
 * taken back for nothing but half of its answers being bad, and where fewer than one in a hundred were: each of so many, and
 * its own in so many stretches. Its latency is not judged, nor its 408, which is what clients do.
 */
const ALONE = { answers: 20, looks: 5, share: 0.5, shareBefore: 0.01 };

/** What the evidence says of the new generation now. */
export function verdictOn(evidence: Evidence): Verdict {
  if (evidence.asked === 0) return { verdict: 'nothing asked' };
  return (
    failing(evidence) ??
    slower(evidence) ??
    failingAlone(evidence) ?? { verdict: 'good', asked: evidence.asked }
  );
}

function failing({ counted }: Evidence): Verdict | undefined {
  for (const criterion of COUNTED) {
    const { purse, old, fresh } = counted[criterion];
    if (worthOf(purse) * FALSE_ALARMS[criterion] < 1) continue;
    if (fresh.bad / fresh.of - old.bad / old.of < MIN_DIFFERENCE) continue;
    return { verdict: 'bad', criterion, old, fresh };
  }
  return undefined;
}

function slower({ latency }: Evidence): Verdict | undefined {
  if (worthOf(latency.purse) * FALSE_ALARMS.latency < 1) return undefined;
  const old = medianOf(latency.old);
  const fresh = medianOf(latency.fresh);
  if (fresh.medianMs < Math.max(old.medianMs * SLOWER_FACTOR, old.medianMs + SLOW_MIN_MS)) return undefined;
  return { verdict: 'bad', criterion: 'latency', old, fresh };
}

const medianOf = (histogram: readonly number[]): Median => ({
  medianMs: quantile(histogram, 0.5) ?? 0,
  of: countOf(histogram),
});

function failingAlone({ before, alone }: Evidence): Verdict | undefined {
  if (alone.looks < ALONE.looks) return undefined;
  for (const criterion of ['5xx', 'failed'] as const) {
    const old = shareOf(criterion, before);
    const fresh = shareOf(criterion, alone.fresh);
    if (Math.min(old.of, fresh.of) < ALONE.answers) continue;
    if (fresh.bad < ALONE.share * fresh.of || old.bad >= ALONE.shareBefore * old.of) continue;
    return { verdict: 'bad', criterion, old, fresh };
  }
  return undefined;
}
