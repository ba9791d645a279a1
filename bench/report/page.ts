// The report: one HTML page that needs nothing but itself. Pure.

import type { Comparison, Described, Result } from '../result.ts';
import { judge, TARGETS } from '../targets.ts';
import { COLOURS, chart } from './chart.ts';
import { type Table, tableOf, targetTable } from './table.ts';

/** Renders results, in the order given. */
export function page(results: readonly Result[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>hello-server: benchmarks</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>hello-server: benchmarks</h1>
${machines(results)}
${contents(results)}
<section id="targets">
<h2>Targets</h2>
${targets(results)}
</section>
<section id="method">
<h2>How it is measured</h2>
${METHOD.map((text) => `<p>${escaped(text)}</p>`).join('\n')}
</section>
${results.map(section).join('\n')}
</main>
</body>
</html>
`;
}

const METHOD: readonly string[] = [
  'All subjects of a table run at the same time and take turns in short rounds, A B C A B C, so that the drift of the machine hits all alike. A figure is the median of its rounds; counts are sums. A ratio is taken round by round to the baseline, the first row; the median stands in the table with the least and the greatest round behind it.',
  'autocannon makes the load in the process of the bench, on the same machine: it takes a core for itself, and with few cores it, not the server, is what limits requests/s. CPU is that of all processes of the server, user and system, from /proc. RSS is the sum over them; pages they share count for each.',
  'Every subject has to answer 200 with Hello, World! before it is measured.',
  'In a picture a dot is a round, the line their median.',
];

/** What it was measured on: one line, or one per machine and Node when they differ. */
function machines(results: readonly Result[]): string {
  const lines = results.map(({ date, node, machine, quick }) => {
    const { cpu, cores, memoryGiB, kernel } = machine;
    const when = `${date.slice(0, 10)}, Node ${node}, ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}`;
    return quick ? `${when}. A quick run: the figures say little.` : `${when}.`;
  });
  return [...new Set(lines)].map((line) => `<p class="machine">${escaped(line)}</p>`).join('\n');
}

function contents(results: readonly Result[]): string {
  const links = results.map(({ question }) => `<li><a href="#${question}">${question}</a></li>`);
  return `<nav aria-label="Questions"><ul><li><a href="#targets">targets</a></li>${links.join('')}</ul></nav>`;
}

function targets(results: readonly Result[]): string {
  const states = TARGETS.map((target) => judge(target, results).state);
  const count = (state: string): number => states.filter((each) => each === state).length;
  const summary = `${count('met')} met, ${count('missed')} missed, ${count('not measured')} not measured.`;
  const classes = states.map((state) => state.replace(' ', '-'));
  return `<p>${summary}</p>\n${table(targetTable(results), 'Targets and what became of them', classes)}`;
}

function section({ question, asks, how, comparisons, subjects, failures }: Result): string {
  return `<section id="${question}">
<h2>${escaped(asks)}</h2>
<p class="name"><code>npm run bench -- ${question}</code></p>
<p>${escaped(how)}</p>
${failures.map((failure) => `<p class="failure">${escaped(failure)}</p>`).join('\n')}
${comparisons.map((comparison, i) => pictured(comparison, subjects, `${question}-${i}`)).join('\n')}
${settings(subjects)}
</section>`;
}

function pictured(comparison: Comparison, subjects: readonly Described[], id: string): string {
  const svg = chart(comparison, id);
  const { title } = comparison;
  return `<h3>${escaped(title)}</h3>
${table(tableOf(comparison, subjects), title)}
${svg === undefined ? '' : `<figure tabindex="0" role="group" aria-label="${escaped(`picture: ${title}`)}">${svg}</figure>`}`;
}

function settings(subjects: readonly Described[]): string {
  const rows = subjects.map(({ name, version, settings }) => [name, version, settings]);
  return `<details open><summary>Versions and settings</summary>
${table({ head: ['subject', 'version', 'settings'], rows }, 'Versions and settings')}
</details>`;
}

/** A table that scrolls by itself where it is too wide; `classes` are those of its rows. */
function table({ head, rows }: Table, caption: string, classes: readonly string[] = []): string {
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        if (i === 0) return `<th scope="row">${escaped(cell)}</th>`;
        const span = i === row.length - 1 ? head.length - i : 1;
        const kind = numeric(cell) ? ' class="number"' : '';
        return `<td${kind}${span > 1 ? ` colspan="${span}"` : ''}>${escaped(cell)}</td>`;
      })
      .join('');
  const right = head.map((_, i) => rows.every((row) => i > 0 && numeric(row[i] ?? '-')));
  const ours = ([name = '']: readonly string[]): string => (name.startsWith('hello-server') ? 'ours' : '');
  const body = rows.map((row, i) => `<tr class="${classes[i] ?? ours(row)}">${cells(row)}</tr>`);
  return `<div class="wide" tabindex="0" role="group" aria-label="${escaped(caption)}"><table>
<caption>${escaped(caption)}</caption>
<thead><tr>${head.map((name, i) => `<th scope="col"${right[i] ? ' class="number"' : ''}>${escaped(name)}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}

/** A number alone, with its spread or behind its bound; no version. */
const numeric = (cell: string): boolean =>
  /^(?:-|(?:[≤≥] )?[\d ]+(?:\.\d+)?(?: ×| MiB| \(.+\))?)$/.test(cell);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

const variables = (theme: keyof typeof COLOURS): string =>
  Object.entries(COLOURS[theme])
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ');

const STYLE = `
:root { color-scheme: light dark; --ground: #ffffff; --text: #1c2128; --quiet: #57606a; --line: #d5dae0; --band: #eef5fd; --good: #116329; --bad: #b3261e; --link: #0b62b8; ${variables('light')} }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181d; --text: #e4e8ec; --quiet: #9aa4af; --line: #343b44; --band: #1a2633; --good: #5fd07e; --bad: #ff8a80; --link: #6cb2ff; ${variables('dark')} }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
section { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 1.5rem; }
p { max-width: 46rem; margin: 0 0 .75rem; overflow-wrap: anywhere; }
.machine, .name { color: var(--quiet); font-size: .875rem; }
.failure { color: var(--bad); font-weight: 600; }
a { color: var(--link); }
code { font: .875em ui-monospace, monospace; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; margin: 1rem 0 0; padding: 0; }
.wide, figure { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: .875rem; min-width: 100%; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-weight: 500; vertical-align: bottom; }
th[scope=row] { font-weight: 500; min-width: 9rem; }
th:first-child { padding-left: .5rem; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.number { text-align: right; }
tr.ours { background: var(--band); }
tr.met td:last-child { color: var(--good); }
tr.missed td:last-child { color: var(--bad); }
tr.not-measured td:last-child { color: var(--quiet); }
figure svg { display: block; min-width: 40rem; }
details { margin-top: 1rem; }
summary { color: var(--quiet); font-size: .875rem; cursor: pointer; margin-bottom: .5rem; }
`;
