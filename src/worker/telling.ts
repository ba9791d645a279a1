// What a worker tells of itself: its beat with its figures, whether its app is well, and what it answers when it is asked.

import type { Stats } from '../core/figures.ts';
import type { Assignment, FromWorker, Question } from '../core/protocol.ts';
import type { Extras } from '../http/app-module.ts';
import type { Service } from '../http/service.ts';
import { heldNow, metricsNow } from './answers.ts';
import { Beat, type Beating } from './beat.ts';
import { AppHealth } from './health.ts';

/** At the end the app's metrics are waited for so long. */
const METRICS_MS = 200;

/** One worker's word. */
export class Telling {
  readonly #send: (message: FromWorker) => void;
  readonly #extras: () => Extras;
  readonly #health: AppHealth;
  #service: Service | undefined;
  #beat: Beat | undefined;

  /** @param extras the app's exports, which may come after its server listens */
  constructor(send: (message: FromWorker) => void, extras: () => Extras) {
    this.#send = send;
    this.#extras = extras;
    this.#health = new AppHealth(
      () => extras().healthy,
      () => this.#beat?.say(),
    );
  }

  /** Asks the app whether it is well, before anybody counts on it. */
  askHealth(): Promise<void> {
    return this.#health.begin();
  }

  /** Beats at once and from now on. */
  beat(
    { config, share }: Assignment,
    service: Service,
    others: Pick<Beating, 'replace' | 'logLinesDropped'>,
  ): void {
    this.#service = service;
    const beating = {
      ...others,
      beat: (stats: Stats) => this.#pulse({ type: 'beat', stats }),
      alive: () => this.#pulse({ type: 'alive' }),
      unwell: () => this.#health.unwell,
    };
    this.#beat = new Beat(config, service, beating, share);
  }

  /** The app's `healthy` may be there by now: each beat looks for it, as long as it is not asked yet. */
  #pulse(message: FromWorker): void {
    this.#send(message);
    void this.#health.look();
  }

  /** Answers the primary; before it serves there is nothing to say. */
  async answer(question: Question): Promise<void> {
    if (!this.#service) return;
    if (question === 'held') this.#send({ type: 'answer', question, answer: heldNow(this.#service) });
    else await this.#sayMetrics(this.#extras().metrics ?? (() => ''));
  }

  /** Nothing that this worker has counted shall be missing in the sums when it has gone. */
  async lastFigures(withinMs: number): Promise<void> {
    const { metrics } = this.#extras();
    const late = new Promise((resolve) => setTimeout(resolve, Math.min(METRICS_MS, withinMs)).unref());
    if (metrics) await Promise.race([this.#sayMetrics(metrics), late]);
    this.#beat?.say();
  }

  async #sayMetrics(metrics: () => unknown): Promise<void> {
    this.#send({ type: 'answer', question: 'metrics', answer: await metricsNow(metrics) });
  }
}
