// One comparison as a picture: Observable Plot, drawn into an SVG without a browser.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { figure } from '../figures.ts';
import { type Comparison, METRICS, type Row } from '../result.ts';
import { shown } from './table.ts';

const WIDTH = 760;
const ROW_HEIGHT = 30;
const FONT_SIZE = 12;
/** About the width of a character, for the room that the names need. */
const CHARACTER_WIDTH = 6.4;

/** The colours that a chart asks for, by their CSS variables. */
export const COLOURS = {
  light: { ours: '#0b62b8', baseline: '#5b6570', peer: '#a15c07' },
  dark: { ours: '#6cb2ff', baseline: '#a3adb8', peer: '#e0a458' },
} as const;

/** Draws the figure that a comparison says; undefined when no row has it. `id` is unique on its page. */
export function chart(comparison: Comparison, id: string): string | undefined {
  const { plot, title, baseline } = comparison;
  const { label, digits, of } = METRICS[plot];
  const rows = comparison.rows.filter((row) => figure(row, plot) !== undefined);
  if (rows.length === 0) return undefined;
  const names = rows.map(({ subject }) => subject);
  const medians = rows.map((row) => ({
    subject: row.subject,
    value: figure(row, plot) ?? 0,
    colour: colourOf(row, baseline),
  }));
  const { document } = parseHTML('<html></html>') as unknown as { document: Elements };
  const svg: Element = Plot.plot({
    document,
    width: WIDTH,
    height: ROW_HEIGHT * rows.length + 64,
    marginLeft: 12 + CHARACTER_WIDTH * Math.max(...names.map(({ length }) => length)),
    marginRight: 70,
    marginBottom: 44,
    style: { fontSize: `${FONT_SIZE}px` },
    x: {
      label,
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: 36,
      zero: true,
      nice: true,
      grid: true,
      ticks: 5,
      tickFormat: (value: number) => shown(value, 0),
    },
    y: { domain: names, label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([0]),
      ...(of === 'median' ? marksOfRounds(rows, comparison) : [Plot.barX(medians, bars)]),
      Plot.text(medians, {
        x: of === 'median' ? widestOf(rows, comparison) : 'value',
        y: 'subject',
        text: ({ value }) => shown(value, digits),
        textAnchor: 'start',
        dx: 8,
        fontWeight: 600,
      }),
    ],
  });
  const said = medians.map(({ subject, value }) => `${subject}: ${shown(value, digits)}`).join('; ');
  const [name, description] = [document.createElementNS(SVG, 'title'), document.createElementNS(SVG, 'desc')];
  name.textContent = `${title}: ${label}`;
  description.textContent = said;
  name.id = `${id}-title`;
  description.id = `${id}-desc`;
  svg.prepend(name, description);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-labelledby', `${id}-title ${id}-desc`);
  svg.setAttribute('xmlns', SVG);
  return svg.outerHTML;
}

/** What is used here of a document and its elements; the compiler knows of no browser. */
interface Elements {
  createElementNS(namespace: string, name: string): Element;
}
interface Element {
  id: string;
  textContent: string;
  readonly outerHTML: string;
  prepend(...children: Element[]): void;
  setAttribute(name: string, value: string): void;
}

const SVG = 'http://www.w3.org/2000/svg';
const bars = { x: 'value', y: 'subject', fill: 'colour', insetTop: 4, insetBottom: 4 } as const;

/** A dot for each round, a line for their median. */
function marksOfRounds(rows: readonly Row[], { plot, baseline }: Comparison): Plot.Markish[] {
  const rounds = rows.flatMap((row) =>
    (row.rounds[plot] ?? []).map((value) => ({
      subject: row.subject,
      value,
      colour: colourOf(row, baseline),
    })),
  );
  const medians = rows.map((row) => ({
    subject: row.subject,
    value: figure(row, plot),
    colour: colourOf(row, baseline),
  }));
  return [
    Plot.dot(rounds, { x: 'value', y: 'subject', fill: 'colour', fillOpacity: 0.45, r: 4 }),
    Plot.tickX(medians, {
      x: 'value',
      y: 'subject',
      stroke: 'colour',
      strokeWidth: 3,
      insetTop: 4,
      insetBottom: 4,
    }),
  ];
}

/** Where the number stands: behind the outermost dot. */
const widestOf =
  (rows: readonly Row[], { plot }: Comparison) =>
  ({ subject }: { readonly subject: string }): number =>
    Math.max(...(rows.find((row) => row.subject === subject)?.rounds[plot] ?? [0]));

function colourOf({ subject }: Row, baseline: string | undefined): string {
  if (subject === baseline) return 'var(--baseline)';
  return subject.startsWith('hello-server') ? 'var(--ours)' : 'var(--peer)';
}
