// The figures of the whole fleet: those of now as tiles, and the totals since the primary began.

import type { Status, Totals } from '../control/status.ts';
import { EXIT_REASONS } from '../core/ending.ts';
import { byId, element, setText, setTold } from './dom.ts';
import { bytes, count, figure, UNKNOWN } from './format.ts';
import { isLate } from './wrong.ts';

/** A tile: a figure of now, what it is, and what stands small below it. */
interface Tile {
  readonly name: string;
  readonly unit?: string;
  readonly value: (status: Status) => string;
  readonly note: (status: Status) => string;
  readonly wrong?: (status: Status) => boolean;
}

const TILES: readonly Tile[] = [
  {
    name: 'requests',
    unit: '/s',
    value: ({ now }) => figure(now.requestsPerSecond),
    note: ({ totals }) => `${count(totals.requests)} in all`,
  },
  {
    name: '5xx answers',
    unit: '/s',
    value: ({ now }) => figure(now.errorsPerSecond),
    note: ({ totals }) => `${count(totals.answers['5xx'])} in all`,
    wrong: ({ now }) => now.errorsPerSecond > 0,
  },
  {
    name: 'latency p50',
    unit: 'ms',
    value: ({ now }) => figure(now.latencyP50),
    note: () => 'half take longer',
  },
  {
    name: 'latency p99',
    unit: 'ms',
    value: ({ now }) => figure(now.latencyP99),
    note: () => '1 % take longer',
  },
  {
    name: 'loop delay',
    unit: 'ms',
    value: ({ now }) => figure(now.eventLoopDelay),
    note: () => 'latest event loop',
    wrong: ({ workers }) => workers.some(isLate),
  },
  { name: 'in flight', value: ({ now }) => count(now.inFlight), note: () => 'requests' },
  {
    name: 'connections',
    value: ({ now }) => count(now.connections),
    note: ({ now }) => `${count(now.longLived)} long-lived`,
  },
  {
    name: 'memory',
    unit: 'MiB',
    value: ({ now }) => figure(now.rss),
    note: ({ now }) => `primary ${figure(now.primaryRss)}`,
  },
];

/** Totals that belong together, under a heading of theirs. */
interface Group {
  readonly name: string;
  readonly totals: readonly (readonly [name: string, value: (totals: Totals) => string])[];
}

const GROUPS: readonly Group[] = [
  {
    name: 'Requests',
    totals: [
      ['all', ({ requests }) => count(requests)],
      ['2xx', ({ answers }) => count(answers['2xx'])],
      ['3xx', ({ answers }) => count(answers['3xx'])],
      ['4xx', ({ answers }) => count(answers['4xx'])],
      ['5xx', ({ answers }) => count(answers['5xx'])],
      ['other', ({ answers }) => count(answers.other)],
    ],
  },
  {
    name: 'Trouble',
    totals: [
      ['failed in the app', ({ failed }) => count(failed)],
      ['left by the client', ({ left }) => count(left)],
      ['refused, 400', ({ refused }) => count(refused['400'])],
      ['refused, 408', ({ refused }) => count(refused['408'])],
      ['refused, 431', ({ refused }) => count(refused['431'])],
      ['poison requests', ({ poison }) => count(poison)],
      ['log lines dropped', ({ logLinesDropped }) => count(logLinesDropped)],
    ],
  },
  {
    name: 'Connections',
    totals: [
      ['accepted', ({ accepted }) => count(accepted)],
      ['upgraded', ({ upgraded }) => count(upgraded)],
      ['cut by a drain', ({ cut }) => count(cut)],
      ['received', ({ bytesReceived }) => bytes(bytesReceived)],
      ['sent', ({ bytesSent }) => bytes(bytesSent)],
    ],
  },
  {
    name: 'Ends of workers',
    totals: EXIT_REASONS.map((reason) => [reason, ({ exits }) => count(exits[reason])]),
  },
  {
    name: 'Reloads',
    totals: [
      ['done', ({ reloads }) => count(reloads.done)],
      ['abandoned', ({ reloads }) => count(reloads.abandoned)],
    ],
  },
];

/** Draws tiles and totals without figures; returns what fills them in. */
export function drawFigures(): (status: Status) => void {
  const tiles = TILES.map((tile) => ({ tile, ...drawTile(tile) }));
  const totals = GROUPS.flatMap(drawGroup);
  return (status) => {
    for (const { tile, value, note } of tiles) {
      setTold(value, tile.value(status), tile.wrong?.(status) ?? false);
      setText(note, tile.note(status));
    }
    for (const { cell, value } of totals) setText(cell, value(status.totals));
  };
}

function drawTile({ name, unit }: Tile): { value: HTMLElement; note: HTMLElement } {
  const tile = element('div', 'tile');
  const value = element('span', 'value', UNKNOWN);
  const shown = element('dd');
  shown.append(value);
  if (unit !== undefined) shown.append(' ', element('span', 'unit', unit));
  const note = element('dd', 'note', UNKNOWN);
  tile.append(element('dt', '', name), shown, note);
  byId('tiles').append(tile);
  return { value, note };
}

function drawGroup({ name, totals }: Group): { cell: HTMLElement; value: (totals: Totals) => string }[] {
  const group = element('section', 'group');
  const list = element('dl');
  group.append(element('h3', '', name), list);
  byId('totals').append(group);
  return totals.map(([each, value]) => {
    const cell = element('dd', 'number', UNKNOWN);
    const row = element('div');
    row.append(element('dt', '', each), cell);
    list.append(row);
    return { cell, value };
  });
}
