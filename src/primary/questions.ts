// Asks workers, all at once, and waits for their answers for a bounded time.

import type { Answer, Answers, Question } from '../core/protocol.ts';

/** A worker that takes longer than this is not waited for: it hangs, or is busy. */
const ANSWER_MS = 500;

interface Round<Q extends Question> {
  readonly waitsFor: Set<number>;
  readonly answers: Map<number, Answers[Q]>;
  readonly end: () => void;
  readonly ended: Promise<ReadonlyMap<number, Answers[Q]>>;
}

/** The questions that are under way, at most one of a kind: who asks meanwhile is answered with it. */
export class Questions {
  readonly #send: (id: number, question: Question) => void;
  readonly #after: (ms: number, run: () => void) => () => void;
  readonly #rounds: { [Q in Question]?: Round<Q> } = {};

  constructor(
    send: (id: number, question: Question) => void,
    after: (ms: number, run: () => void) => () => void,
  ) {
    this.#send = send;
    this.#after = after;
  }

  /** Asks the workers with these ids; resolves with what those said that answered in time. */
  ask<Q extends Question>(question: Q, ids: readonly number[]): Promise<ReadonlyMap<number, Answers[Q]>> {
    const rounds = this.#rounds as { [K in Q]?: Round<K> };
    rounds[question] ??= this.#begin(question, ids);
    return rounds[question].ended;
  }

  answered(id: number, { question, answer }: Answer): void {
    const round = this.#rounds[question] as Round<Question> | undefined;
    if (!round?.waitsFor.delete(id)) return;
    round.answers.set(id, answer);
    if (round.waitsFor.size === 0) round.end();
  }

  /** A worker has gone: nobody waits for it. */
  gone(id: number): void {
    for (const round of Object.values(this.#rounds)) {
      if (round.waitsFor.delete(id) && round.waitsFor.size === 0) round.end();
    }
  }

  #begin<Q extends Question>(question: Q, ids: readonly number[]): Round<Q> {
    let resolve: (answers: ReadonlyMap<number, Answers[Q]>) => void = () => {};
    const ended = new Promise<ReadonlyMap<number, Answers[Q]>>((resolved) => {
      resolve = resolved;
    });
    const answers = new Map<number, Answers[Q]>();
    let cancel = (): void => {};
    const end = (): void => {
      cancel();
      delete this.#rounds[question];
      resolve(answers);
    };
    cancel = this.#after(ANSWER_MS, end);
    for (const id of ids) this.#send(id, question);
    if (ids.length === 0) this.#after(0, end);
    return { waitsFor: new Set(ids), answers, end, ended };
  }
}
