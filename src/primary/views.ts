// What can be seen of the fleet: keeps the books over what workers say, and puts together what is asked for.

import type { AppMetricsSum } from '../control/app-metrics.ts';
import { type Identity, statusOf } from '../control/fleet-status.ts';
import { Judge } from '../control/judge.ts';
import { Ledger } from '../control/ledger.ts';
import type { RequestInFlight, Top } from '../control/status.ts';
import type { Views } from '../control/views.ts';
import { surplus } from '../core/balance.ts';
import { type Gauges, type OwnProcess, type Stats, since } from '../core/figures.ts';
import { type Effect, type Fleet, serves } from '../core/fleet.ts';
import type { Notice } from '../core/notices.ts';
import type { Answer, Question } from '../core/protocol.ts';
import { nameOf } from '../core/turn.ts';
import type { Verdict } from '../core/verdict.ts';
import { Questions } from './questions.ts';
import type { Forked } from './workers.ts';

/** The longest requests in flight are told, so many of them. */
const MOST_TOLD = 100;
const MIB = 1_048_576;

/** What the books are kept on. */
export interface Seen {
  readonly fleet: () => Fleet;
  /** The generation that a reload under way brings; undefined = there is none. */
  readonly reloadsTo: () => number | undefined;
  readonly now: () => number;
  readonly elapsed: () => number;
  readonly identity: () => Identity;
  readonly own: () => OwnProcess & { readonly logLinesDropped: number };
  readonly residentBytes: () => number;
  readonly ask: (id: number, question: Question) => void;
  readonly after: (ms: number, run: () => void) => () => void;
  readonly log: (notice: Notice) => void;
  /** Takes what the traffic of a new generation says of it so far. */
  readonly judged: (generation: number, verdict: Verdict) => void;
}

/** Those that stay where they are until they end are no part of the balance. */
const movable = ({ connections, longLived }: Gauges): number => connections - longLived;

/** The books, and the views on them. */
export class Books {
  readonly #seen: Seen;
  readonly #ledger: Ledger;
  readonly #questions: Questions;
  #judge: Judge | undefined;
  /** The connections that a worker keeps on average. */
  #mean = Infinity;
  /** Made by the first metrics that are asked for, or that a worker leaves behind. */
  #appMetrics: Promise<AppMetricsSum> | undefined;
  /** Workers whose app was said to be unwell. */
  readonly #unwell = new Set<number>();
  /** The text that is being made: who asks meanwhile gets it too. */
  readonly #texts = new Map<boolean, Promise<string>>();

  constructor(seen: Seen) {
    this.#seen = seen;
    this.#ledger = new Ledger(seen.elapsed());
    this.#questions = new Questions(seen.ask, seen.after);
  }

  /** Returns how many of the worker's connections are to move to others. */
  beat({ id, slot, generation }: Forked, stats: Stats): number {
    const unwell = this.#ledger.worker(id)?.stats.unwell ?? null;
    const { before, now } = this.#ledger.beat(id, slot, stats, this.#seen.elapsed());
    if (stats.unwell !== unwell) this.#sayHealth(id, stats.unwell);
    const judge = this.#judgeOfReload();
    if (judge) judge.add(generation, since(before, now));
    return surplus(movable(stats.gauges), this.#mean);
  }

  /** The judge of the reload under way; none while there is none. */
  #judgeOfReload(): Judge | undefined {
    const generation = this.#seen.reloadsTo();
    if (generation === undefined) this.#judge = undefined;
    else if (this.#judge?.generation !== generation)
      this.#judge = new Judge(generation, this.#ledger.lastMinutes);
    return this.#judge;
  }

  /** A reason that only changes is not said again: it may have a number in it that does so every time. */
  #sayHealth(id: number, reason: string | null): void {
    const worker = this.#seen.fleet().workers.find((w) => w.id === id);
    if (!worker || (reason !== null && this.#unwell.has(id))) return;
    const of = nameOf(worker);
    if (reason === null) this.#unwell.delete(id);
    else this.#unwell.add(id);
    this.#seen.log(reason === null ? { notice: 'well again', of } : { notice: 'unwell', of, reason });
  }

  /** What a worker has answered, or left behind. */
  answer(id: number, answer: Answer): void {
    // Should the sums not come, because the release has been removed that they are a file of, each scrape says so.
    if (answer.question === 'metrics')
      this.#sum().then(
        (sum) => sum.take(id, answer.answer),
        () => {},
      );
    this.#questions.answered(id, answer);
  }

  /** The share of time that a worker's event loop was busy when it last beat, 0 to 1. */
  utilization(id: number): number {
    return this.#ledger.worker(id)?.stats.gauges.loopUtilization ?? 0;
  }

  /** A worker's figures as it said them last. */
  figures(id: number): Gauges | undefined {
    return this.#ledger.worker(id)?.stats.gauges;
  }

  /** A worker has gone, and all that it has said was heard. */
  gone(id: number): void {
    this.#ledger.forget(id);
    this.#unwell.delete(id);
    this.#questions.gone(id);
    this.#appMetrics?.then(
      (sum) => sum.forget(id),
      () => {},
    );
  }

  show(effect: Effect): void {
    this.#ledger.show(effect);
  }

  happened(notice: Notice): void {
    this.#ledger.happened(notice, this.#seen.elapsed());
  }

  /** Adds a point to the history and looks at a reload's traffic; to be called every second. */
  look(): void {
    const now = this.#seen.now();
    this.#ledger.sample(this.#seen.elapsed(), this.#seen.residentBytes() / MIB);
    const judge = this.#judgeOfReload();
    this.#mean = this.#meanOf(this.#seen.fleet());
    if (judge) this.#seen.judged(judge.generation, judge.look(this.#seen.fleet(), now));
  }

  /** The connections that a worker keeps on average; Infinity where workers come and go, which moves enough of them. */
  #meanOf({ workers, reload, upgrade, stop }: Fleet): number {
    if (reload || upgrade || stop) return Infinity;
    const serving = workers.filter(serves).map(({ id }) => this.figures(id));
    const sum = serving.reduce((so, gauges) => so + (gauges ? movable(gauges) : 0), 0);
    return serving.length > 1 ? sum / serving.length : Infinity;
  }

  readonly views: Views = {
    status: () => {
      const own = this.#seen.own();
      const { logLinesDropped, residentBytes } = own;
      const { fleet, now, elapsed, identity } = this.#seen;
      const figures = { logLinesDropped, rssMiB: residentBytes / MIB };
      return statusOf(fleet(), now(), identity(), this.#ledger, figures, elapsed());
    },
    history: () => this.#ledger.history(),
    metrics: (openMetrics) => {
      const text = this.#texts.get(openMetrics) ?? this.#metrics(openMetrics);
      this.#texts.set(openMetrics, text);
      return text;
    },
    top: () => this.#top(),
  };

  async #metrics(openMetrics: boolean): Promise<string> {
    try {
      await this.#questions.ask('metrics', this.#ready());
      const [{ ownFamilies }, sum] = await Promise.all([import('../control/metrics.ts'), this.#sum()]);
      const { total } = this.#ledger;
      const own = this.#seen.own();
      const families = ownFamilies({
        status: this.views.status(),
        total,
        slots: this.#ledger.slots(),
        restarts: this.#restarts(),
        own,
      });
      return await sum.textWith(families, openMetrics);
    } finally {
      this.#texts.delete(openMetrics);
    }
  }

  #restarts(): Map<number, number> {
    const slots = Object.entries(this.#seen.fleet().slots);
    return new Map(slots.map(([slot, { restarts }]) => [Number(slot), restarts]));
  }

  #sum(): Promise<AppMetricsSum> {
    this.#appMetrics ??= import('../control/app-metrics.ts').then(({ newAppMetricsSum }) =>
      newAppMetricsSum((problem) => this.#seen.log({ notice: 'bad app metrics', reason: problem })),
    );
    return this.#appMetrics;
  }

  async #top(): Promise<Top> {
    const ids = this.#ready();
    const answers = await this.#questions.ask('held', ids);
    const { workers } = this.#seen.fleet();
    const requests: RequestInFlight[] = [];
    let total = 0;
    for (const { id, slot: worker, generation, pid } of workers) {
      const held = answers.get(id);
      total += held?.total ?? 0;
      for (const { ms, method, target, client } of held?.requests ?? [])
        requests.push({ worker, generation, pid, age: ms / 1000, method, target, client });
    }
    const silent = workers.filter(({ id }) => ids.includes(id) && !answers.has(id));
    return {
      total,
      requests: requests.toSorted((a, b) => b.age - a.age).slice(0, MOST_TOLD),
      silent: silent.map(({ slot: worker, pid }) => ({ worker, pid })),
    };
  }

  /** Who may hold requests: all that have served, those that drain included. */
  #ready(): number[] {
    const { workers } = this.#seen.fleet();
    return workers.filter((w) => serves(w) || w.readyAt !== undefined).map(({ id }) => id);
  }
}
