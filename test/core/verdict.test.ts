import { expect } from 'chai';
import { type Evidence, noEvidence, observe, WARM_UP_MS } from '../../src/core/evidence.ts';
import { type Counters, NO_SUMS, type Sums } from '../../src/core/figures.ts';
import { bucketOf } from '../../src/core/latency.ts';
import { FALSE_ALARMS, type Verdict, verdictOn } from '../../src/core/verdict.ts';
import {
  type Behaviour,
  canary,
  lognormal,
  mix,
  type Outcome,
  randomFrom,
  type Shape,
  type Traffic,
} from './traffic.ts';

/** How many reloads are tried in each of the simulations: 10 000 take half an hour and need `--timeout 0`. */
const RELOADS = Number(process.env.VERDICT_RELOADS ?? 100);

const answers = (of: number, bad: Partial<Counters> = {}, latencyMs?: number): Sums => {
  const latency = [...NO_SUMS.latency];
  if (latencyMs !== undefined) latency[bucketOf(latencyMs)] = of;
  return { counters: { ...NO_SUMS.counters, answers2xx: of - (bad.answers5xx ?? 0), ...bad }, latency };
};

/** The verdict after the same stretch so many times, the first of them a second after ready. */
function after(
  times: number,
  old: Sums | null,
  fresh: Sums,
  { firstAgeMs = 1000, evidence = noEvidence() } = {},
): Evidence {
  let seen: Evidence = evidence;
  for (let time = 0; time < times; time++)
    seen = observe(seen, { old, fresh, ageMs: firstAgeMs + time * 1000 });
  return seen;
}
const answersOf = (verdict: Verdict) => (verdict.verdict === 'bad' ? verdict.fresh.of : 0);
const verdictAfter = (...of: Parameters<typeof after>): Verdict => verdictOn(after(...of));

const WARM = { firstAgeMs: WARM_UP_MS };

describe('verdict › what is compared', () => {
  it('a generation of which nothing was asked is told apart from a good one', () => {
    expect(verdictOn(noEvidence())).to.deep.equal({ verdict: 'nothing asked' });
    expect(verdictAfter(60, answers(50, { answers5xx: 50 }), NO_SUMS)).to.deep.equal({
      verdict: 'nothing asked',
    });
    expect(verdictAfter(60, answers(50), answers(2))).to.deep.equal({ verdict: 'good', asked: 120 });
  });

  it('more answers of 5xx than the old generation has are bad, and both are told in numbers', () => {
    expect(verdictAfter(5, answers(40), answers(10, { answers5xx: 4 }))).to.deep.equal({
      verdict: 'bad',
      criterion: '5xx',
      old: { bad: 0, of: 200 },
      fresh: { bad: 20, of: 50 },
    });
  });

  it('so are more requests that failed in the app, and more that were refused with 408', () => {
    expect(verdictAfter(6, answers(40), answers(10, { failed: 4 }))).to.include({ criterion: 'failed' });
    expect(verdictAfter(6, answers(40), answers(10, { refused408: 4 }))).to.include({ criterion: '408' });
  });

  it('a median latency twice as long is bad, and told with the number of answers', () => {
    expect(verdictAfter(20, answers(30, {}, 10), answers(10, {}, 20), WARM)).to.deep.equal({
      verdict: 'bad',
      criterion: 'latency',
      old: { medianMs: 9, of: 570 },
      fresh: { medianMs: 18, of: 190 },
    });
  });

  it('fewer bad answers than the old generation has, or shorter latencies, are good', () => {
    const [old, fresh] = [answers(40, { answers5xx: 20 }, 20), answers(40, { answers5xx: 0 }, 10)];
    expect(verdictAfter(60, old, fresh)).to.deep.equal({ verdict: 'good', asked: 2400 });
  });

  it('a criterion has its part in the one false alarm in 1000, and all of them have no more than that', () => {
    expect(Object.values(FALSE_ALARMS).reduce((sum, part) => sum + part, 0)).to.be.closeTo(0.001, 1e-12);
  });
});

describe('verdict › what is too little', () => {
  it('two bad answers are, whatever the old generation answers', () => {
    let seen = after(10, answers(1000), answers(1));
    seen = after(2, answers(1000), answers(1, { answers5xx: 1 }), { evidence: seen });
    expect(verdictOn(seen)).to.include({ verdict: 'good' });
  });

  it('one stretch is, and two are, however many bad answers there were', () => {
    const [old, fresh] = [answers(100_000), answers(100_000, { answers5xx: 100_000 })];
    const verdicts = [1, 2, 3].map((stretches) => verdictAfter(stretches, old, fresh).verdict);
    expect(verdicts).to.deep.equal(['good', 'good', 'bad']);
  });

  it('half a percentage point more is, in millions of requests', () => {
    const [old, fresh] = [answers(100_000), answers(100_000, { answers5xx: 500 })];
    expect(verdictAfter(100, old, fresh)).to.deep.equal({ verdict: 'good', asked: 10_000_000 });
  });

  it('a latency a quarter longer is, and one of less than 1 ms more', () => {
    expect(verdictAfter(300, answers(300, {}, 100), answers(300, {}, 125), WARM)).to.include({
      verdict: 'good',
    });
    expect(verdictAfter(300, answers(300, {}, 0.2), answers(300, {}, 0.8), WARM)).to.include({
      verdict: 'good',
    });
  });

  it('slowness of two answers in five is: the median is what counts', () => {
    const fresh = [...answers(60, {}, 100).latency];
    fresh[bucketOf(500)] = 40;
    const slower = { ...answers(100), latency: fresh };
    expect(verdictAfter(300, answers(100, {}, 100), slower, WARM)).to.include({ verdict: 'good' });
  });

  it('a stall of some seconds is: slowness must last', () => {
    let seen = after(10, answers(100, {}, 10), answers(100, {}, 10));
    seen = after(7, answers(100, {}, 10), answers(100, {}, 500), { ...WARM, evidence: seen });
    seen = after(60, answers(100, {}, 10), answers(100, {}, 10), { ...WARM, evidence: seen });
    expect(verdictOn(seen)).to.include({ verdict: 'good' });
  });

  it('answers are put together until both sides have some, so that little traffic is judged at last', () => {
    let seen = noEvidence();
    for (let time = 0; time < 40; time++) {
      const turn = time % 4;
      const old = turn === 0 ? answers(3) : NO_SUMS;
      const fresh = turn === 2 ? answers(1, { answers5xx: 1 }) : NO_SUMS;
      seen = observe(seen, { old, fresh, ageMs: time * 1000 });
    }
    expect(verdictOn(seen)).to.deep.include({ criterion: '5xx', fresh: { bad: 10, of: 10 } });
  });
});

describe('verdict › what changes in the middle', () => {
  it('an outage that hits both sides alike takes nothing back, nor does its end', () => {
    const down = answers(20, { answers5xx: 18, failed: 18 }, 900);
    let seen = after(20, answers(20, {}, 10), answers(20, {}, 10));
    seen = after(30, down, down, { ...WARM, evidence: seen });
    seen = after(30, answers(20, {}, 10), answers(20, {}, 10), { ...WARM, evidence: seen });
    expect(verdictOn(seen)).to.include({ verdict: 'good' });
  });

  it('an outage whose start and end are seen one beat earlier on the new side takes nothing back', () => {
    const [up, down] = [answers(500), answers(500, { answers5xx: 500 })];
    let seen = noEvidence();
    for (let outage = 0; outage < 50; outage++) {
      seen = after(1, up, down, { evidence: seen });
      seen = after(5, down, down, { evidence: seen });
      seen = after(1, down, up, { evidence: seen });
      seen = after(5, up, up, { evidence: seen });
      expect(verdictOn(seen)).to.include({ verdict: 'good' });
    }
  });

  it('a release that turns bad after ten good minutes is taken back by what it answers since', () => {
    const [old, good] = [answers(2000, {}, 10), answers(200, {}, 10)];
    const minutes = after(600, old, good, WARM);
    const failing = verdictOn(
      after(20, old, answers(200, { answers5xx: 20 }, 10), { ...WARM, evidence: minutes }),
    );
    const slow = verdictOn(after(30, old, answers(200, {}, 50), { ...WARM, evidence: minutes }));
    expect(failing).to.include({ criterion: '5xx' });
    expect(slow).to.include({ criterion: 'latency' });
    // Of the 120 000 good answers before, those of the last minute count at the most.
    expect(answersOf(failing)).to.be.within(4000, 16_000);
    expect(answersOf(slow)).to.be.within(6000, 18_000);
  });

  it('cold code may be slow for its first seconds, in however many workers one after the other', () => {
    let seen = noEvidence();
    for (let worker = 0; worker < 30; worker++) {
      seen = after(4, answers(100, {}, 10), answers(100, {}, 30), { evidence: seen });
      seen = after(2, answers(100, {}, 10), answers(100, {}, 10), { ...WARM, evidence: seen });
    }
    expect(verdictOn(seen)).to.include({ verdict: 'good' });
  });
});

describe('verdict › alone', () => {
  const before = answers(3000, { answers5xx: 29 }, 10);
  const alone = (times: number, fresh: Sums, of: Sums = before) =>
    verdictAfter(times, null, fresh, { ...WARM, evidence: noEvidence(of) });

  it('a generation that fails in half of its answers is bad where hardly any failed before', () => {
    expect(alone(5, answers(4, { answers5xx: 2 }))).to.deep.equal({
      verdict: 'bad',
      criterion: '5xx',
      old: { bad: 29, of: 3000 },
      fresh: { bad: 10, of: 20 },
    });
    expect(alone(5, answers(4, { failed: 2 }))).to.include({ criterion: 'failed' });
  });

  it('one is good that fails in fewer, or in 19 answers, or in four stretches, or where one in 100 failed before', () => {
    expect(alone(60, answers(10, { answers5xx: 4 }))).to.include({ verdict: 'good' });
    expect(alone(19, answers(1, { answers5xx: 1 }))).to.include({ verdict: 'good' });
    expect(alone(4, answers(100, { answers5xx: 100 }))).to.include({ verdict: 'good' });
    expect(alone(60, answers(10, { answers5xx: 10 }), answers(3000, { answers5xx: 30 }))).to.include({
      verdict: 'good',
    });
    expect(alone(60, answers(10, { answers5xx: 10 }), answers(19))).to.include({ verdict: 'good' });
    expect(alone(60, answers(10, { answers5xx: 10 }), NO_SUMS)).to.include({ verdict: 'good' });
  });

  it('neither latency nor 408 is judged', () => {
    expect(alone(60, answers(10, { refused408: 10 }, 5000))).to.deep.equal({ verdict: 'good', asked: 600 });
  });

  it('an old generation that still serves, and is asked nothing, does not make it alone', () => {
    const seen = after(60, NO_SUMS, answers(10, { answers5xx: 10 }), { evidence: noEvidence(before) });
    expect(verdictOn(seen)).to.include({ verdict: 'good' });
  });
});

/** Latencies as of an app of fast and slow routes. */
const routes = (times: number, fast = 0.7): Shape =>
  mix(lognormal(3 * times, 0.4), fast, lognormal(150 * times, 0.5));
const USUAL = lognormal(10, 0.6);
const SLOW = lognormal(30, 0.6);

const alike =
  (old: number, fresh: number, of: Omit<Behaviour, 'requests'>): Traffic =>
  () => ({ old: { ...of, requests: old }, fresh: { ...of, requests: fresh } });

/** Traffic in which both generations behave alike. */
const ALIKE: Readonly<Record<string, Traffic>> = {
  ...Object.fromEntries(
    [0, 0.001, 0.01, 0.1, 0.5, 1].flatMap((share) =>
      (
        [
          [10, 10],
          [27, 3],
          [3, 27],
        ] as const
      ).map(([old, fresh]) => [
        `${share * 100} % fail, ${old} : ${fresh}`,
        alike(old, fresh, { bad: share, failed: share, refused: share, latency: USUAL }),
      ]),
    ),
  ),
  'a request every few seconds': alike(0.3, 0.2, { bad: 0.3, failed: 0.1, refused: 0.1, latency: USUAL }),
  'thousands of requests a second': alike(9000, 3000, {
    bad: 0.02,
    failed: 0.01,
    refused: 0.001,
    latency: USUAL,
  }),
  'fast and slow routes': alike(10, 5, { bad: 0.01, latency: routes(1, 0.5) }),
  'latencies below a millisecond': alike(50, 20, { latency: lognormal(0.2, 0.8) }),
  'bursts of errors and slowness': (_, random) => {
    const burst = random() < 0.1;
    return alike(30, 10, {
      bad: burst ? 0.9 : 0.002,
      failed: burst ? 0.5 : 0,
      latency: burst ? SLOW : USUAL,
    })(0, random);
  },
  'another share of errors every second': (_, random) =>
    alike(20, 20, { bad: random() ** 4, latency: USUAL })(0, random),
  'an outage from second 20 to 40': (second, random) => {
    const down = second > 20 && second <= 40;
    return alike(20, 8, { bad: down ? 0.8 : 0, failed: down ? 0.7 : 0, latency: down ? SLOW : USUAL })(
      0,
      random,
    );
  },
  'a load that moves to the new side while errors grow': (second, random) =>
    alike(60 - second, second, { bad: second / 120, latency: lognormal(10 + second, 0.6) })(second, random),
  'pauses of either side, and cold code': (second, random) => ({
    old: { requests: 20, latency: random() < 0.1 ? SLOW : USUAL },
    fresh: { requests: 20, latency: second < 5 || random() < 0.1 ? SLOW : USUAL },
  }),
};

/** How many of the reloads are taken back. */
function takenBack(traffic: Traffic, seconds: number, reloads: number): number {
  const random = randomFrom(1000);
  let count = 0;
  for (let reload = 0; reload < reloads; reload++) {
    if (canary(random, traffic, seconds).verdict.verdict === 'bad') count += 1;
  }
  return count;
}

describe('verdict › of 1000 releases that behave as the old one does, at most one is taken back', () => {
  for (const [name, traffic] of Object.entries(ALIKE)) {
    it(name, () => {
      expect(takenBack(traffic, 60, RELOADS)).to.be.at.most(RELOADS / 1000);
    });
  }

  it('in an hour, looking every second', () => {
    const hours = Math.ceil(RELOADS / 50);
    const traffic = alike(6, 2, { bad: 0.02, failed: 0.02, refused: 0.001, latency: USUAL });
    expect(takenBack(traffic, 3600, hours)).to.be.at.most(hours / 1000);
  });
});

/** The share of bad releases that are caught where it counts. */
function caught(traffic: Traffic, seconds: number, inTime: (outcome: Outcome) => boolean): number {
  const random = randomFrom(95);
  const releases = Math.min(2000, 2 * RELOADS);
  let count = 0;
  for (let release = 0; release < releases; release++) {
    const outcome = canary(random, traffic, seconds);
    if (outcome.verdict.verdict === 'bad' && inTime(outcome)) count += 1;
  }
  return count / releases;
}

describe('verdict › a release is caught in 95 of 100 times', () => {
  // The old generation's share of 5xx, how many times more requests it gets, and what it takes of the new one's requests.
  const FIVE_POINTS = [
    [0, 9, 200],
    [0, 4, 250],
    [0, 1, 450],
    [0.01, 9, 500],
    [0.01, 1, 950],
    [0.1, 9, 2100],
    [0.3, 9, 4600],
    [0.5, 9, 5000],
  ] as const;
  for (const [share, times, requests] of FIVE_POINTS) {
    it(`that fails ${share * 100 + 5} % instead of ${share * 100} %, by ${requests} requests of its own and ${times} times as many of the old one's`, () => {
      const aSecond = requests / 40;
      const traffic: Traffic = () => ({
        old: { requests: aSecond * times, bad: share },
        fresh: { requests: aSecond, bad: share + 0.05 },
      });
      expect(caught(traffic, 60, ({ asked }) => asked <= requests)).to.be.at.least(0.95);
    });
  }

  for (const aSecond of [0.5, 1, 2, 20, 2000]) {
    it(`that fails in all of ${aSecond} requests a second, by ten of its own or in four seconds`, () => {
      const traffic: Traffic = () => ({
        old: { requests: aSecond * 3, bad: 0 },
        fresh: { requests: aSecond, bad: 1 },
      });
      expect(caught(traffic, 60, ({ asked, looks }) => asked <= 10 || looks <= 4)).to.be.at.least(0.95);
    });
  }

  const DOUBLED: readonly (readonly [string, Shape, Shape])[] = [
    ...[0.3, 0.6, 1].map((sigma) => [`spread ${sigma}`, lognormal(10, sigma), lognormal(20, sigma)] as const),
    ...[0.8, 0.6, 0.4].map(
      (fast) => [`${fast * 100} % of fast routes`, routes(1, fast), routes(2, fast)] as const,
    ),
  ];
  for (const [name, usual, doubled] of DOUBLED) {
    for (const aSecond of [2, 10, 100]) {
      it(`whose latency of ${name} doubles at ${aSecond} requests a second, by 500 of its own or in 25 seconds, once warm`, () => {
        const traffic: Traffic = () => ({
          old: { requests: aSecond, latency: usual },
          fresh: { requests: aSecond, latency: doubled },
        });
        const inTime = ({ askedWarm, looks }: Outcome) => askedWarm <= 500 || looks <= 30;
        expect(caught(traffic, Math.max(30, 550 / aSecond), inTime)).to.be.at.least(0.95);
      });
    }
  }

  it('whose latency doubles while each side pauses in one second of ten, in 40 seconds at 100 requests a second', () => {
    const traffic: Traffic = (_, random) => ({
      old: { requests: 100, latency: lognormal(random() < 0.1 ? 40 : 10, 0.6) },
      fresh: { requests: 100, latency: lognormal(random() < 0.1 ? 80 : 20, 0.6) },
    });
    expect(caught(traffic, 40, () => true)).to.be.at.least(0.95);
  });
});
