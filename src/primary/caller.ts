// The process that started this primary from code: it is told what happens, its questions are answered, and its end is a stop.

import type { Commands, Report } from '../control/server.ts';
import { type Question, questionIn, sealed, type ToCaller } from '../core/caller.ts';
import { parseWorkerCount } from '../core/config.ts';
import { FLUSH_MS } from '../core/deadlines.ts';
import type { Notice } from '../core/notices.ts';
import { eventOf } from '../log/events.ts';
import { describeThrown } from '../log/thrown.ts';
import { lineOf } from '../log/wording.ts';

/**
 * So many messages may be on their way, unread. A caller that blocks its own event loop reads none: further notices are left
 * out then and counted, so that they do not pile up here.
 */
export const MOST_UNREAD = 500;

/** The channel to the caller. */
export interface Line {
  /** Sends; `sent` is called when it has gone out, or cannot. */
  readonly send: (message: Record<string, unknown>, sent: () => void) => void;
}

/** This process's own channel. */
export const ownLine: Line = {
  send: (message, sent) => {
    // A caller that goes at this moment is no error of ours: hence the callback.
    if (process.connected) process.send?.(message, undefined, undefined, sent);
    else sent();
  },
};

/** Tells the caller why there will be no fleet; resolves when that is out. */
export const refuseCaller = (reason: string): Promise<void> =>
  new Promise((resolve) => ownLine.send(sealed({ type: 'refused', reason }), resolve));

/** What a caller makes the primary do. */
export interface Obeys {
  readonly commands: Commands;
  /** The caller asked for a stop before there was anything to command, or has gone. */
  readonly stop: (what: string) => void;
}

export class Caller {
  readonly #line: Line;
  #unread = 0;
  #missed = 0;
  #obeys: Obeys | undefined;
  /** What came before there was anybody to obey. */
  readonly #early: Question[] = [];
  #hasGone = false;
  #drained: (() => void)[] = [];

  constructor(line: Line = ownLine) {
    this.#line = line;
  }

  /** Listens to this process's channel. */
  static attached(): Caller {
    const caller = new Caller();
    process.on('message', (raw) => caller.take(raw));
    process.on('disconnect', () => caller.gone());
    if (!process.connected) caller.gone();
    return caller;
  }

  /** From now on questions are answered; those that came before come first. */
  obey(obeys: Obeys): void {
    this.#obeys = obeys;
    for (const question of this.#early.splice(0)) this.#answer(question, obeys);
    if (this.#hasGone) obeys.stop('disconnect');
  }

  /** Takes what came over the channel; what is no question of the caller's is ignored. */
  take(raw: unknown): void {
    const question = questionIn(raw);
    if (!question) return;
    if (this.#obeys) this.#answer(question, this.#obeys);
    else this.#early.push(question);
  }

  /** The caller has gone: nobody is left who could stop this fleet, so it stops now. */
  gone(): void {
    this.#hasGone = true;
    this.#obeys?.stop('disconnect');
  }

  /** Tells it of a notice, or, while it does not read, only counts it. */
  told(notice: Notice): void {
    if (notice.notice === 'listening') this.#say({ type: 'serves', port: notice.port });
    if (this.#unread >= MOST_UNREAD) {
      this.#missed += 1;
      return;
    }
    const { level, text } = lineOf(notice);
    this.#say({ type: 'told', level, text, event: eventOf(notice) });
  }

  /** Resolves when all that was said has gone out, or the caller has not read it within the time that a log's reader has. */
  flushed(): Promise<void> {
    if (this.#unread === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      setTimeout(resolve, FLUSH_MS);
    });
  }

  #say(message: ToCaller): void {
    if (this.#hasGone) return;
    this.#unread += 1;
    this.#line.send(sealed(message), () => this.#sent());
  }

  #sent(): void {
    this.#unread -= 1;
    if (this.#unread > 0) return;
    const notices = this.#missed;
    this.#missed = 0;
    if (notices > 0) this.#say({ type: 'missed', notices });
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #answer(question: Question, { commands }: Obeys): void {
    const { id } = question;
    const answer = (ok: boolean, result: unknown): void => this.#say({ type: 'answer', id, ok, result });
    const report: Report = (progress) => {
      if ('ok' in progress) answer(progress.ok, progress.result);
    };
    try {
      switch (question.ask) {
        case 'status':
          answer(true, commands.status());
          return;
        case 'reload':
          commands.reload(question.force, report);
          return;
        case 'rollback':
          commands.rollback(report);
          return;
        case 'scale': {
          const workers = parseWorkerCount(String(question.workers));
          if (workers === undefined) answer(false, `expected a number of workers, got ${question.workers}`);
          else commands.scale(workers, report);
          return;
        }
        case 'stop':
          commands.stop(report);
          return;
        default:
          question satisfies never;
      }
    } catch (error) {
      answer(false, describeThrown(error).message);
    }
  }
}
