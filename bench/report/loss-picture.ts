// The picture of README.md: requests lost in reloads, by system. Pure, and the same each time.

import { KINDS } from '../../test/helpers/meter.ts';
import { figure } from '../figures.ts';
import type { Result, Row } from '../result.ts';
import { shown, versionOf } from './table.ts';

/** By its path from the repository's folder. */
export const PICTURE = 'docs/reload-loss.svg';

/** Who is drawn: the row of the question `reload`, how it is called, and a word on it. */
const DRAWN: readonly { readonly subject: string; readonly name: string; readonly remark?: string }[] = [
  { subject: 'hello-server, 2 workers', name: 'hello-server' },
  { subject: 'pm2 cluster, 2 workers', name: 'pm2' },
  // Of its two ways to run an app the one that loses less.
  { subject: 'Watt, 2 workers, create()', name: 'Watt' },
  { subject: 'nginx, 2 workers', name: 'nginx' },
  { subject: 'puma, 2 workers', name: 'puma' },
  { subject: 'gunicorn + Flask, 4 workers, threads', name: 'gunicorn', remark: 'threads' },
  { subject: 'gunicorn + Flask, 4 workers', name: 'gunicorn', remark: 'sync, keeps no connection' },
];

const CLIENTS = KINDS.reduce((sum, { clients }) => sum + clients, 0);

const WIDTH = 840;
const MARGIN = 24;
const TOP = 78;
const ROW = 40;
const BAR = 22;
/** Where the bars begin, and how long the longest is: room for the names before and the figures behind. */
const BAR_X = 250;
const BAR_WIDTH = 330;

const COLOURS = {
  light: {
    ground: '#ffffff',
    frame: '#d0d7de',
    text: '#1c2128',
    quiet: '#57606a',
    ours: '#0b62b8',
    peer: '#c2410c',
  },
  dark: {
    ground: '#14181d',
    frame: '#343b44',
    text: '#e4e8ec',
    quiet: '#9aa4af',
    ours: '#6cb2ff',
    peer: '#f08c4a',
  },
} as const;

/** Draws it; undefined where the reloads have not been measured. */
export function picture(results: readonly Result[]): string | undefined {
  const result = results.find(({ question }) => question === 'reload');
  const losses = result?.comparisons[0];
  if (result === undefined || losses === undefined) return undefined;
  const rows = DRAWN.flatMap((drawn) => {
    const row = losses.rows.find(({ subject }) => subject === drawn.subject);
    return row === undefined || figure(row, 'lost') === undefined ? [] : [bar(drawn, row, result)];
  });
  if (rows.length === 0) return undefined;
  const most = Math.max(1, ...rows.map(({ lost }) => lost));
  const height = TOP + ROW * rows.length + 52;
  const title = 'Requests lost while workers are reloaded under load';
  const reloads = [...new Set(rows.map((row) => row.reloads))].join(' or ');
  const { machine, node, date } = result;
  const foot = [
    `Lost: reset, cut off, refused, hanging, or not answered with 200. Two workers each, gunicorn four. ${date.slice(0, 10)}, Node ${node.slice(1)},`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel.split('-')[0]}. ${CLIENTS} clients, most on kept connections; every system by its own reload.`,
  ];
  const drawn = rows.map((row, i) => drawnRow(row, TOP + ROW * i, most));
  const description = rows.map((row) => `${row.name} ${row.version}: ${row.behind}`).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title desc" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif">
<title id="title">${escaped(title)}</title>
<desc id="desc">${escaped(description)}</desc>
<style>${style()}</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${text(MARGIN, 34, title, 'text', 'font-size="19" font-weight="700"')}
${text(MARGIN, 57, `${reloads} reloads of each system, one after the other, while clients go on asking`, 'quiet', 'font-size="14"')}
${drawn.join('\n')}
<line class="axis" x1="${BAR_X}" x2="${BAR_X}" y1="${TOP - 2}" y2="${TOP + ROW * rows.length - 6}"/>
${foot.map((line, i) => text(MARGIN, height - 30 + 17 * i, line, 'quiet', 'font-size="11.5"')).join('\n')}
</svg>
`;
}

interface Bar {
  readonly name: string;
  readonly remark: string | undefined;
  readonly version: string;
  readonly ours: boolean;
  readonly lost: number;
  readonly reloads: number;
  /** What stands behind the bar. */
  readonly behind: string;
}

function bar({ name, remark }: (typeof DRAWN)[number], row: Row, { subjects }: Result): Bar {
  const of = (metric: 'ok' | 'lost' | 'reloads'): number => figure(row, metric) ?? 0;
  return {
    name,
    remark,
    // Of gunicorn alone: what it runs is another's.
    version: versionOf(row, subjects)?.split(',')[0] ?? '',
    ours: name === 'hello-server',
    lost: of('lost'),
    reloads: of('reloads'),
    behind: `${shown(of('lost'), 0)} of ${shown(of('ok') + of('lost'), 0)} requests`,
  };
}

function drawnRow({ name, remark, version, ours, lost, behind }: Bar, y: number, most: number): string {
  // None is drawn as none: no bar, only its number.
  const width = Math.round((lost / most) * BAR_WIDTH * 10) / 10;
  const middle = y + BAR / 2 + 5;
  const [count = '', ...rest] = behind.split(' of ');
  const said = remark === undefined ? version : `${version}, ${remark}`;
  const kind = ours ? 'ours' : 'peer';
  return [
    `<text class="text" x="${BAR_X - 12}" y="${remark === undefined ? middle : middle - 6}" text-anchor="end" font-size="15"${ours ? ' font-weight="700"' : ''}>${escaped(name)}${remark === undefined ? ` <tspan class="quiet" font-size="13" font-weight="400">${escaped(said)}</tspan></text>` : '</text>'}`,
    ...(remark === undefined
      ? []
      : [
          `<text class="quiet" x="${BAR_X - 12}" y="${middle + 9}" text-anchor="end" font-size="12">${escaped(said)}</text>`,
        ]),
    ...(lost > 0 ? [`<rect class="${kind}" x="${BAR_X}" y="${y}" width="${width}" height="${BAR}"/>`] : []),
    `<text class="text" x="${BAR_X + width + 10}" y="${middle}" font-size="15"><tspan class="${ours ? 'ours' : 'text'}" font-weight="700">${count}</tspan><tspan class="quiet" font-size="13"> of ${escaped(rest.join(' of '))}</tspan></text>`,
  ].join('\n');
}

const text = (x: number, y: number, words: string, kind: string, more: string): string =>
  `<text class="${kind}" x="${x}" y="${y}" ${more}>${escaped(words)}</text>`;

/** Solid ground in both themes: whatever lies below, the picture is legible. */
function style(): string {
  const rules = (theme: keyof typeof COLOURS): string => {
    const { ground, frame, text: ink, quiet, ours, peer } = COLOURS[theme];
    return `.ground{fill:${ground};stroke:${frame}}.axis{stroke:${quiet}}.text{fill:${ink}}.quiet{fill:${quiet}}.ours{fill:${ours}}.peer{fill:${peer}}`;
  };
  return `${rules('light')}@media(prefers-color-scheme:dark){${rules('dark')}}`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (words: string): string => words.replace(/[&<>]/g, (char) => ENTITIES[char] ?? char);
