// What a service has counted so far. Counting an answer is on the hot path: it allocates nothing.

import type { Counters } from '../core/figures.ts';
import { bucketOf, LATENCY_BUCKETS } from '../core/latency.ts';
import type { Connection } from './connection.ts';

/** Counts that only grow. */
export class Counts {
  /** Answers by the first digit of their status; at 0 those of any other. */
  readonly #answers = new Float64Array(6);
  readonly #latency = new Float64Array(LATENCY_BUCKETS);
  #latencyMs = 0;
  readonly #refused = { 400: 0, 408: 0, 431: 0 };
  /** Bytes of the connections that have closed. */
  #received = 0;
  #sent = 0;
  /** Requests in which the app failed; and whose client left before its answer was whole. */
  failed = 0;
  left = 0;
  /** Listeners that ran longer than SLOW_TURN in one piece. */
  slowTurns = 0;
  /** Connections accepted, upgraded, and cut by a drain. */
  accepted = 0;
  upgraded = 0;
  cut = 0;

  /** An answer has ended, `ms` after its request had come; 0 where that is not known: it has no part in the histogram. */
  answered(status: number, ms: number): void {
    const digit = (status / 100) | 0;
    add(this.#answers, digit <= 5 ? digit : 0);
    if (ms === 0) return;
    add(this.#latency, bucketOf(ms));
    this.#latencyMs += ms;
  }

  /** An answer was ours, in the app's place. It counts as answered apart from that. */
  refused(status: number): void {
    if (status === 400 || status === 408 || status === 431) this.#refused[status] += 1;
  }

  /** A connection has closed. */
  closed(socket: Connection): void {
    this.#received += socket.bytesRead;
    this.#sent += socket.bytesWritten;
  }

  /** All answers. */
  get requests(): number {
    return this.#answers.reduce((sum, count) => sum + count);
  }

  get latency(): number[] {
    return [...this.#latency];
  }

  /** The counters of HTTP, with the bytes of the connections that are open. */
  read(open: Iterable<Connection>): HttpCounters {
    let received = this.#received;
    let sent = this.#sent;
    for (const { bytesRead, bytesWritten } of open) {
      received += bytesRead;
      sent += bytesWritten;
    }
    const [other = 0, informational = 0, ok = 0, moved = 0, refused = 0, failed = 0] = this.#answers;
    return {
      answers2xx: ok,
      answers3xx: moved,
      answers4xx: refused,
      answers5xx: failed,
      answersOther: other + informational,
      refused400: this.#refused[400],
      refused408: this.#refused[408],
      refused431: this.#refused[431],
      failed: this.failed,
      left: this.left,
      slowTurns: this.slowTurns,
      accepted: this.accepted,
      upgraded: this.upgraded,
      cut: this.cut,
      bytesReceived: received,
      bytesSent: sent,
      latencyMs: this.#latencyMs,
    };
  }
}

type HttpCounters = Omit<Counters, 'logLinesDropped' | 'gcMs' | 'cpuUserMs' | 'cpuSystemMs'>;

function add(counts: Float64Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}
