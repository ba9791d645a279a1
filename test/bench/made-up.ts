// Results of every question, made up: all that the targets look at, a peer that is absent, a figure that is not there.

import { QUESTIONS } from '../../bench/questions.ts';
import type { Comparison, MetricName, Result, Row } from '../../bench/result.ts';
import { TARGETS } from '../../bench/targets.ts';

/** A small table: one subject without a figure, one that is absent. */
export const comparison: Comparison = {
  title: 'one process',
  metrics: ['requestsPerSecond', 'p99Ms'],
  baseline: 'bare',
  ratios: ['requestsPerSecond'],
  plot: 'requestsPerSecond',
  rows: [
    { subject: 'bare', rounds: { requestsPerSecond: [20_000, 10_000, 30_000], p99Ms: [1.5] } },
    { subject: 'hello-server', rounds: { requestsPerSecond: [22_000, 12_000, 30_000] } },
    { subject: 'nginx', rounds: {}, note: 'not on the PATH: nginx' },
  ],
};

/** One result per question; the rounds of every figure are the same three. */
export const madeUp = (): Result[] => QUESTIONS.map(({ name, asks, how }) => ({ ...of(name), asks, how }));

/** The result of one question, with nothing but its data. */
function of(question: string): Result {
  const titles = new Set(
    TARGETS.flatMap((target) => (target.question === question ? target.comparison : [])),
  );
  const named = [...titles].map((title) => table(question, title));
  return {
    question,
    asks: question,
    how: '',
    date: '2026-11-23T12:00:00.000Z',
    node: 'v20.20.2',
    quick: false,
    machine: { cpu: 'A <CPU>', cores: 2, memoryGiB: 4, kernel: 'Linux 6.1' },
    subjects: [{ name: 'hello-server, 1 worker', version: '1.0.0', settings: "r.end('x') & more" }],
    comparisons: named.length > 0 ? named : [table(question, 'a table')],
    failures: [],
  };
}

function table(question: string, title: string): Comparison {
  const targets = TARGETS.filter((each) => each.question === question && each.comparison === title);
  const metrics: MetricName[] = [...new Set(targets.map(({ metric }) => metric))];
  if (metrics.length === 0) metrics.push('lost');
  const subjects = targets.flatMap(({ subject, against }) => (against ? [against, subject] : [subject]));
  const rows = [...new Set([...subjects, 'hello-server, 9 workers'])].map((subject) => row(subject, metrics));
  return {
    title,
    metrics: [...metrics, 'workerMiB'],
    baseline: rows[0]?.subject ?? '',
    ratios: metrics,
    plot: metrics[0] ?? 'lost',
    rows: [...rows, { subject: 'nobody', rounds: {}, note: 'not on the PATH: nobody' }],
  };
}

const row = (subject: string, metrics: readonly MetricName[]): Row => ({
  subject,
  rounds: Object.fromEntries(metrics.map((metric) => [metric, [11.5, 10, 13]])),
});
