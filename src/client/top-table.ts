// The requests in flight as a table, the longest first.

import type { RequestInFlight, Top } from '../control/status.ts';
import { age } from './figures.ts';
import { type Column, columns, type Line, MAX_COLUMNS, piece, shown, widthOf } from './text.ts';

/** A terminal is taken to be so wide at least. */
const LEAST_COLUMNS = 80;
/** The longest address of IPv6. */
const CLIENT_COLUMNS = 39;
/** So much of the target is shown, whatever the client's address takes. */
const TARGET_COLUMNS = 24;

/** The whole page: as wide as the terminal, 100 columns where there is none. */
export function topPage(
  top: Top,
  terminalColumns?: number,
): { readonly lines: Line[]; readonly width: number } {
  const width = Math.max(LEAST_COLUMNS, terminalColumns ?? MAX_COLUMNS);
  const lines: Line[] = [...requestsOf(top, width)];
  for (const { worker, pid } of top.silent)
    lines.push([
      piece(`worker ${shown(worker)} (pid ${shown(pid)}) did not answer: it hangs or is busy`, 'bad'),
    ]);
  return { lines, width };
}

function requestsOf({ total, requests, silent }: Top, width: number): Line[] {
  if (requests.length === 0)
    return [[piece(`no requests in flight${silent.length > 0 ? ' in the workers that answered' : ''}`)]];
  const { headings, lines } = columns(columnsFor(requests, width), requests, width);
  const more = total - requests.length;
  return [...headings, ...lines, ...(more > 0 ? [[piece(`… and ${more} more`)]] : [])];
}

function columnsFor(requests: readonly RequestInFlight[], width: number): readonly Column<RequestInFlight>[] {
  const clientOf = (r: RequestInFlight): string => (r.client === null ? 'gone' : shown(r.client));
  const narrow: Column<RequestInFlight>[] = [
    { heading: ['', 'age'], cell: (r) => piece(age(r.age), 'bold'), side: 'right' },
    { heading: ['', 'worker'], cell: (r) => piece(shown(r.worker)), side: 'right' },
    { heading: ['', 'pid'], cell: (r) => piece(shown(r.pid)), side: 'right' },
    { heading: ['', 'method'], cell: (r) => piece(shown(r.method)), side: 'left', most: 10 },
  ];
  const taken = narrow.reduce((sum, column) => {
    const widest = Math.max(...requests.map((r) => widthOf(column.cell(r).text)));
    return sum + 2 + Math.min(column.most ?? widest, Math.max(widthOf(column.heading[1]), widest));
  }, 0);
  const client: Column<RequestInFlight> = {
    heading: ['', 'client'],
    cell: (r) => piece(clientOf(r), r.client === null ? 'warn' : undefined),
    side: 'left',
    most: Math.max(6, Math.min(CLIENT_COLUMNS, width - taken - 2 - TARGET_COLUMNS)),
  };
  const target: Column<RequestInFlight> = {
    heading: ['', 'target'],
    cell: (r) => piece(shown(r.target)),
    side: 'left',
    most: Infinity,
    enough: TARGET_COLUMNS,
  };
  return [...narrow, target, client];
}
