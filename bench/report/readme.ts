// What README.md shows of the kept results: a few tables and one picture. Pure.

import type { Result } from '../result.ts';
import { chart, standalone } from './chart.ts';
import { markdownTable, tableOf, targetTable } from './table.ts';

const [BEGIN, END] = ['<!-- bench -->', '<!-- /bench -->'];

/** The picture, by its path from the repository's folder. */
export const PICTURE = 'bench/results/reload.svg';

/** README.md with its block written anew. */
export function withBlock(readme: string, results: readonly Result[]): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`expected ${BEGIN} and ${END} in README.md`);
  return `${readme.slice(0, begin)}${BEGIN}\n${block(results)}\n${readme.slice(end)}`;
}

function block(results: readonly Result[]): string {
  if (results.length === 0) return '\nNo results are kept yet.\n';
  const parts = [
    measuredOn(results),
    tables('reload', results, 1),
    image(results),
    tables('keep-alive', results),
  ];
  return `\n${[...parts, 'Targets:', markdownTable(targetTable(results))].filter((part) => part !== '').join('\n\n')}\n`;
}

function measuredOn(results: readonly Result[]): string {
  const lines = results.map(({ date, node, machine }) => {
    const { cpu, cores, memoryGiB, kernel } = machine;
    return `Measured on ${date.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, Node ${node}.`;
  });
  return [...new Set(lines)].join('\n');
}

/** The first tables of a question, with the versions of their subjects. */
function tables(question: string, results: readonly Result[], count = Number.POSITIVE_INFINITY): string {
  const result = results.find((each) => each.question === question);
  if (!result) return '';
  const shown = result.comparisons.slice(0, count);
  const versions = [
    ...new Set(result.subjects.map(({ name, version }) => `${name.split(',')[0]} ${version}`)),
  ];
  return [
    ...shown.map((each) => `\`${question}\`, ${each.title}:\n\n${markdownTable(tableOf(each))}`),
    `${versions.join(' · ')}`,
  ].join('\n\n');
}

const image = (results: readonly Result[]): string =>
  picture(results) === undefined ? '' : `![Requests lost in reloads, by system](${PICTURE})`;

/** The picture's text: requests lost in reloads. */
export function picture(results: readonly Result[]): string | undefined {
  const losses = results.find(({ question }) => question === 'reload')?.comparisons[0];
  const svg = losses && chart(losses, 'reload');
  return svg === undefined ? undefined : standalone(svg);
}
