// The arithmetic of results: medians, ratios round by round, percentiles. Pure.

import { type Comparison, METRICS, type MetricName, type Row } from './result.ts';

/** The middle value, or the mean of the middle two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The value below which a share of all lies, 0 to 1; NaN of nothing. Expects them sorted. */
export const percentile = (sorted: readonly number[] | Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

/** A row's figure: its rounds' median, sum or maximum; undefined when it was not measured. */
export function figure(row: Row, metric: MetricName): number | undefined {
  const values = row.rounds[metric];
  if (values === undefined || values.length === 0) return undefined;
  const { of } = METRICS[metric];
  if (of === 'sum') return values.reduce((sum, value) => sum + value, 0);
  return of === 'max' ? Math.max(...values) : median(values);
}

/** A ratio with the least and the greatest of its rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The median over the rounds of one row's figure against another's of the same round. */
export function against(
  row: Row,
  base: Row,
  metric: MetricName,
  how: 'ratio' | 'difference',
): Spread | undefined {
  const theirs = base.rounds[metric] ?? [];
  const values = (row.rounds[metric] ?? []).flatMap((value, i) => {
    const other = theirs[i];
    if (other === undefined) return [];
    return how === 'ratio' ? value / other : value - other;
  });
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The row of a subject. */
export const rowOf = ({ rows }: Comparison, subject: string): Row | undefined =>
  rows.find((row) => row.subject === subject);
