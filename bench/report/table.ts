// Results as tables of text: for the terminal, for Markdown, and cell by cell for the page. Pure.

import { against, figure, rowOf } from '../figures.ts';
import {
  type Comparison,
  type Described,
  METRICS,
  type MetricName,
  type Result,
  type Row,
} from '../result.ts';
import { bound, judge, TARGETS, worded } from '../targets.ts';

/** A table, its first column the names; a row may be one remark behind its name. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const NONE = '-';

/** A comparison as a table: versions where they are known, figures, ratios to the baseline with their least and greatest round. */
export function tableOf(comparison: Comparison, subjects: readonly Described[] = []): Table {
  const { metrics, ratios, rows, baseline } = comparison;
  const base = baseline === undefined ? undefined : rowOf(comparison, baseline);
  const versions = rows.map((row) => versionOf(row, subjects));
  const known = versions.some((version) => version !== undefined);
  const head = [
    'subject',
    ...(known ? ['version'] : []),
    ...metrics.map((name) => METRICS[name].label),
    ...ratios.map((name) => `${METRICS[name].label} ×`),
  ];
  const cells = rows.map((row, i) => {
    const [name = '', ...rest] = cellsOf(row, metrics, ratios, base);
    return known && row.note === undefined ? [name, versions[i] ?? NONE, ...rest] : [name, ...rest];
  });
  return { head, rows: cells };
}

/** The version of what a row measures: its subject's, which the row may name with more behind it. */
export const versionOf = ({ subject }: Row, subjects: readonly Described[]): string | undefined =>
  subjects.find(({ name }) => subject === name || subject.startsWith(`${name}, `))?.version;

function cellsOf(
  row: Row,
  metrics: readonly MetricName[],
  ratios: readonly MetricName[],
  base: Row | undefined,
): string[] {
  if (row.note !== undefined) return [row.subject, row.note];
  return [
    row.subject,
    ...metrics.map((name) => shown(figure(row, name), METRICS[name].digits)),
    ...ratios.map((name) => {
      const spread = base && against(row, base, name, 'ratio');
      if (!spread) return NONE;
      const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => value.toFixed(2));
      return row === base ? `${median}` : `${median} (${min}–${max})`;
    }),
  ];
}

/** A number with its digits, thousands apart; a dash when there is none. */
export function shown(value: number | undefined, digits: number): string {
  if (value === undefined) return NONE;
  const [whole = '', rest] = value.toFixed(digits).split('.');
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, ' ') : whole;
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

/** The targets with what became of them. */
export function targetTable(results: readonly Result[]): Table {
  return {
    head: ['target', 'bound', 'result'],
    rows: TARGETS.map((target) => [target.says, bound(target), worded(judge(target, results), target)]),
  };
}

/** A table for the terminal: columns aligned, numbers to the right. */
export function terminalTable({ head, rows }: Table): string {
  const whole = rows.filter((row) => row.length === head.length);
  const widths = head.map((name, i) =>
    Math.max(name.length, ...(i === 0 ? rows : whole).map((row) => row[i]?.length ?? 0)),
  );
  const right = head.map((_, i) => i > 0 && whole.every((row) => /^[\d-]/.test(row[i] ?? '')));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const note = ([name = '', remark = '']: readonly string[]): string =>
    `${name.padEnd(widths[0] ?? 0)}  ${remark}`;
  return [line(head), ...rows.map((row) => (row.length === head.length ? line(row) : note(row)))].join('\n');
}

/** A table for Markdown. */
export function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const filled = rows.map((row) => [...row, ...Array(head.length - row.length).fill('')]);
  return [line(head), `|${'---|'.repeat(head.length)}`, ...filled.map(line)].join('\n');
}
