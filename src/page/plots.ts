// The plots of the last minutes: what each of them shows, and how it is drawn.

import uPlot from 'uplot';
import type { SeriesName } from '../control/status.ts';
import { byId, element, setText } from './dom.ts';
import { count, figure, timeOfDay } from './format.ts';
import { type Points, SPAN_SECONDS } from './series.ts';

interface Line {
  readonly series: SeriesName;
  readonly name: string;
  /** The variable of page.css with its colour. */
  readonly colour: '--blue' | '--orange' | '--red';
}

interface PlotOf {
  readonly title: string;
  readonly unit: string;
  /** The axis goes at least so far, so that a small figure does not look like a large one. */
  readonly least: number;
  readonly lines: readonly Line[];
  /** Whether it counts things, of which there are no halves. */
  readonly whole?: true;
}

const PLOTS: readonly PlotOf[] = [
  {
    title: 'Requests',
    unit: '/s',
    least: 10,
    lines: [{ series: 'requestsPerSecond', name: '', colour: '--blue' }],
  },
  {
    title: 'Latency',
    unit: ' ms',
    least: 10,
    lines: [
      { series: 'latencyP50', name: 'p50', colour: '--blue' },
      { series: 'latencyP99', name: 'p99', colour: '--orange' },
    ],
  },
  {
    title: '5xx answers',
    unit: '/s',
    least: 1,
    lines: [{ series: 'errorsPerSecond', name: '', colour: '--red' }],
  },
  {
    title: 'Event loop delay',
    unit: ' ms',
    least: 20,
    lines: [{ series: 'eventLoopDelay', name: '', colour: '--blue' }],
  },
  {
    title: 'Memory of all workers',
    unit: ' MiB',
    least: 100,
    lines: [{ series: 'rss', name: '', colour: '--blue' }],
  },
  {
    title: 'Concurrency',
    unit: '',
    least: 10,
    whole: true,
    lines: [
      { series: 'inFlight', name: 'in flight', colour: '--blue' },
      { series: 'connections', name: 'connections', colour: '--orange' },
    ],
  },
];

const HEIGHT_PX = 132;
/** All the same, so that the plots stand below each other with the same times. */
const AXIS_PX = 62;
const FONT = '11px system-ui, sans-serif';
/** The first of two lines is solid, the second dashed: colour is not all that tells them apart. */
const DASHES: readonly number[][] = [[], [6, 3]];

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The value of a variable of page.css. */
const colour = (name: string): string => getComputedStyle(document.body).getPropertyValue(name).trim();

/** Draws the plots without points; returns what shows these. */
export function drawPlots(): (points: Points) => void {
  const shows = PLOTS.map(drawPlot);
  return (points) => {
    for (const show of shows) show(points);
  };
}

function drawPlot({ title, unit, least, lines, whole }: PlotOf): (points: Points) => void {
  const box = element('figure');
  const caption = element('figcaption');
  const heading = element('h3', '', title);
  caption.append(heading);
  const values = lines.map(({ name, colour }, i) => {
    const value = element('span', 'value');
    const key = element('span', 'key');
    const line = element('i', i === 0 ? 'solid' : 'dashed');
    line.style.setProperty('border-color', `var(${colour})`);
    key.append(...(name === '' ? [] : [line, ` ${name} `]), value);
    caption.append(key);
    return value;
  });
  const canvas = element('div', 'canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${title} over the last 15 minutes, as lines`);
  box.append(caption, canvas);
  byId('plots').append(box);

  const options: uPlot.Options = {
    width: Math.max(1, canvas.clientWidth),
    height: HEIGHT_PX,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'time' }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_, _first, last) => [last - SPAN_SECONDS, last] },
      y: { range: (_, _least, most) => [0, Math.max(least, (most ?? 0) * 1.08)] },
    },
    series: [
      {},
      ...lines.map(
        ({ colour: name }, i): uPlot.Series => ({
          stroke: () => colour(name),
          width: 1.5,
          dash: DASHES[i] ?? [],
          points: { show: false },
          ...(lines.length === 1 ? { fill: () => `${colour(name)}1f` } : {}),
        }),
      ),
    ],
    axes: [
      {
        ...axis(),
        size: 26,
        space: 64,
        incrs: [60, 120, 300, 600],
        values: (_, splits) => splits.map((at) => timeOfDay(at, 'minutes')),
      },
      {
        ...axis(),
        size: AXIS_PX,
        space: 22,
        incrs: INCREMENTS.filter((step) => !whole || step >= 1),
        values: (_, splits) => splits.map((value) => `${mark(value)}${unit}`),
      },
    ],
    hooks: { setCursor: [tell] },
  };
  const plot = new uPlot(options, [[], ...lines.map(() => [])], canvas);

  /** Beside the title: the figures below the cursor, without one those of now. */
  function tell({ cursor, data }: uPlot): void {
    const [at, ...series] = data;
    const i = cursor.idx ?? at.length - 1;
    series.forEach((figures, line) => {
      const value = values[line];
      if (value) setText(value, `${(whole ? count : figure)(figures[i] ?? null)}${unit}`);
    });
    const when = cursor.idx === null || cursor.idx === undefined ? undefined : at[cursor.idx];
    setText(byId('at'), when === undefined ? '' : `at ${timeOfDay(when, 'seconds')}`);
  }

  new ResizeObserver(() => {
    if (canvas.clientWidth > 0) plot.setSize({ width: canvas.clientWidth, height: HEIGHT_PX });
  }).observe(canvas);
  dark.addEventListener('change', () => plot.redraw(false, true));

  return ({ at, series }) => {
    plot.setData([[...at], ...lines.map(({ series: name }) => [...series[name]])]);
    tell(plot);
  };
}

const axis = (): uPlot.Axis => ({
  stroke: () => colour('--quiet'),
  font: FONT,
  grid: { stroke: () => colour('--line'), width: 1 },
  ticks: { show: false },
});

/** Steps between the marks of an axis. */
const INCREMENTS = Array.from({ length: 11 }, (_, i) => 10 ** (i - 1)).flatMap((power) =>
  [1, 2, 5].map((step) => step * power),
);

/** A mark of an axis: large ones are short. */
function mark(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e4 ? `${value / 1e3}k` : String(Math.round(value * 10) / 10);
}
