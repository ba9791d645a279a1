// What docs/benchmarks.md shows of the kept results: the tables that a reader asks for first, and the targets. Pure.

import type { Described, Machine, Result } from '../result.ts';
import { HEADLINE_MAJOR } from '../versions.ts';
import { PICTURE, picture } from './loss-picture.ts';
import { markdownTable, tableOf, targetTable } from './table.ts';

const [BEGIN, END] = ['<!-- bench -->', '<!-- /bench -->'];

/** The page, by its path from the repository's folder. */
export const MANUAL = 'docs/benchmarks.md';

/** The questions whose tables it has, in this order, with how many of each one's. */
const SHOWN: readonly (readonly [question: string, tables: number])[] = [
  ['reload', 1],
  ['apps', 3],
  ['keep-alive', 2],
  ['connections', 1],
  ['start-stop', 1],
  ['nodes', 4],
];

/** The page with its block written anew. */
export function withBlock(text: string, results: readonly Result[]): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`expected ${BEGIN} and ${END} in ${MANUAL}`);
  return `${text.slice(0, begin)}${BEGIN}\n${block(results)}\n${text.slice(end)}`;
}

function block(results: readonly Result[]): string {
  if (results.length === 0) return '\nNo results are kept yet.\n';
  const shown = SHOWN.flatMap(([name, count]) => {
    const result = results.find(({ question }) => question === name);
    return result === undefined ? [] : [{ result, count }];
  });
  const parts = [
    measuredOn(results),
    ...shown.map(({ result, count }) => section(result, count)),
    settings(shown.flatMap(({ result }) => result.subjects)),
    `### Targets\n\nEach is a comparison within one run.\n\n${markdownTable(targetTable(results))}`,
  ];
  return `\n${parts.join('\n\n')}\n`;
}

/** The machine and the Nodes, once: what most questions have in one sentence, and which differ. */
function measuredOn(results: readonly Result[]): string {
  const machines = grouped(results, ({ machine }) => wordsOf(machine));
  const nodes = grouped(results, ({ node }) => `Node ${node.slice(1)}`);
  // The Node of the figures that stand here comes first, however many questions have yet to be asked on it.
  const isHeadline = ([text]: readonly [string, ...unknown[]]): boolean =>
    text.startsWith(`Node ${HEADLINE_MAJOR}.`);
  nodes.sort((a, b) => Number(isHeadline(b)) - Number(isHeadline(a)));
  const days = results.map(({ date }) => date.slice(0, 10)).sort();
  const [first = '', last = ''] = [days[0], days.at(-1)];
  const when = first === last ? `on ${first}` : `from ${first} to ${last}`;
  return `Measured ${when} on ${said(machines)}. The subjects that are Node programs ran on ${said(nodes)}, unless their row says another.`;
}

const wordsOf = ({ cpu, cores, memoryGiB, kernel }: Machine): string =>
  `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}`;

/** The questions by what they share, the most first. */
function grouped(results: readonly Result[], of: (result: Result) => string): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const result of results) groups.set(of(result), [...(groups.get(of(result)) ?? []), result.question]);
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

/** The first without the names of its questions, the others with. */
const said = (groups: readonly [string, readonly string[]][]): string =>
  groups
    .map(([text, names], i) =>
      i === 0 ? text : `${text} (${names.map((name) => `\`${name}\``).join(', ')})`,
    )
    .join('; ');

function section({ question, asks, comparisons, subjects }: Result, count: number): string {
  const tables = comparisons
    .slice(0, count)
    .map((each) => `\`${question}\`, ${each.title}:\n\n${markdownTable(tableOf(each, subjects))}`);
  return [`### ${asks}`, ...(question === 'reload' ? [image] : []), ...tables].join('\n\n');
}

const image = `![Requests lost in reloads, by system](${PICTURE.replace(/^docs\//, '')})`;

/** How subjects are set up; those that differ in nothing but their app or their Node stand in one row. */
function settings(subjects: readonly Described[]): string {
  const groups = new Map<string, string[][]>();
  for (const { name, settings } of subjects) {
    const parts = name.split(', ');
    const key = `${parts[0]}: ${settings}`;
    groups.set(key, [...(groups.get(key) ?? []), parts]);
  }
  const rows = [...groups].map(([key, names]) => {
    const [first = [], ...others] = names;
    const same = first.filter((part, i) => others.every((other) => other[i] === part));
    return [same.join(', '), key.slice(key.indexOf(': ') + 2)];
  });
  return `### How each is set up\n\n${markdownTable({ head: ['subject', 'settings'], rows })}`;
}

/** What is written of the kept results beside the page, by path; nothing by `undefined`. */
export const filesOf = (
  manual: string,
  results: readonly Result[],
): [path: string, text: string | undefined][] => [
  [MANUAL, withBlock(manual, results)],
  [PICTURE, picture(results)],
];
