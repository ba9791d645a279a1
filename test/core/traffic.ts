// Traffic drawn at random, of two generations side by side, and what the verdict on it is. Seeded: the same every time.

import { noEvidence, observe, WARM_UP_MS } from '../../src/core/evidence.ts';
import { NO_SUMS, type Sums } from '../../src/core/figures.ts';
import { LATENCY_BOUNDS_MS } from '../../src/core/latency.ts';
import { type Verdict, verdictOn } from '../../src/core/verdict.ts';

/** A number from 0 to 1, the next at each call. */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** How many requests come where `mean` are expected. */
export function poisson(random: Random, mean: number): number {
  if (mean > 100) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  let count = -1;
  for (let left = Math.exp(mean); left > 1 || count < 0; count++) left *= 1 - random();
  return count;
}

/** How many of `of` requests are hit, each with the same probability. */
export function binomial(random: Random, of: number, probability: number): number {
  if (of === 0 || probability <= 0) return 0;
  if (probability >= 1) return of;
  if (probability > 0.5) return of - binomial(random, of, 1 - probability);
  const mean = of * probability;
  if (mean > 50) {
    const drawn = Math.round(mean + Math.sqrt(mean * (1 - probability)) * normal(random));
    return Math.min(of, Math.max(0, drawn));
  }
  // From one hit to the next as many requests pass as a geometric distribution says.
  let hits = -1;
  for (let at = 0; at <= of; hits++) at += 1 + Math.floor(Math.log(1 - random()) / Math.log1p(-probability));
  return hits;
}

/** The share of requests in each bucket of the histogram. */
export type Shape = readonly number[];

/** Latencies around a median, ms, whose logarithm is normally distributed. */
export function lognormal(medianMs: number, sigma: number): Shape {
  const below = LATENCY_BOUNDS_MS.map((bound) => normalShare(Math.log(bound / medianMs) / sigma));
  return [...below, 1].map((share, bucket) => share - (bucket === 0 ? 0 : (below[bucket - 1] ?? 0)));
}

export const mix = (a: Shape, shareOfA: number, b: Shape): Shape =>
  a.map((share, bucket) => share * shareOfA + (b[bucket] ?? 0) * (1 - shareOfA));

/** The share of a normal distribution below `z` (Abramowitz and Stegun 26.2.17). */
function normalShare(z: number): number {
  if (z < 0) return 1 - normalShare(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}

function histogram(random: Random, of: number, shape: Shape): number[] {
  let [left, share] = [of, 1];
  return shape.map((part) => {
    const drawn = left === 0 || part <= 0 ? 0 : binomial(random, left, part / share);
    left -= drawn;
    share -= part;
    return drawn;
  });
}

/** How a generation behaves in a stretch. */
export interface Behaviour {
  /** How many requests it is expected to get. */
  readonly requests: number;
  /** The probabilities of each criterion. */
  readonly bad?: number;
  readonly failed?: number;
  readonly refused?: number;
  readonly latency?: Shape;
}

/** What a generation answered in a stretch. */
export function answered(
  random: Random,
  { requests, bad = 0, failed = 0, refused = 0, latency }: Behaviour,
): Sums {
  const of = poisson(random, requests);
  const answers5xx = binomial(random, of, bad);
  return {
    counters: {
      ...NO_SUMS.counters,
      answers2xx: of - answers5xx,
      answers5xx,
      failed: binomial(random, of, failed),
      refused408: binomial(random, of, refused),
    },
    latency: latency === undefined ? NO_SUMS.latency : histogram(random, of, latency),
  };
}

/** How both generations behave in the stretch that ends so many seconds after the new one got ready. */
export type Traffic = (
  second: number,
  random: Random,
) => { readonly old: Behaviour; readonly fresh: Behaviour };

export interface Outcome {
  readonly verdict: Verdict;
  /** How many requests the new generation had answered, and how many of them after its warm-up. */
  readonly asked: number;
  readonly askedWarm: number;
  /** In how many seconds. */
  readonly looks: number;
}

/** Looks after every second until the generation is taken back, or the canary has lasted its time. */
export function canary(random: Random, traffic: Traffic, seconds: number): Outcome {
  let evidence = noEvidence();
  let askedCold = 0;
  for (let looks = 1; ; looks++) {
    const { old, fresh } = traffic(looks, random);
    const ageMs = looks * 1000;
    evidence = observe(evidence, { old: answered(random, old), fresh: answered(random, fresh), ageMs });
    if (ageMs < WARM_UP_MS) askedCold = evidence.asked;
    const verdict = verdictOn(evidence);
    if (verdict.verdict === 'bad' || looks === seconds) {
      return { verdict, asked: evidence.asked, askedWarm: evidence.asked - askedCold, looks };
    }
  }
}
