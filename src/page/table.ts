// The table of workers: a row each, of which only the cells change whose text does.

import type { WorkerStatus } from '../control/status.ts';
import { duration } from '../core/duration.ts';
import { byId, element, setText, setTold } from './dom.ts';
import { count, figure, percent, UNKNOWN } from './format.ts';
import { hasErrors, isLate, isUnwell } from './wrong.ts';

interface Column {
  readonly name: string;
  readonly unit?: string;
  readonly cell: (worker: WorkerStatus) => string;
  /** Whether it reads from the left. */
  readonly text?: true;
  readonly wrong?: (worker: WorkerStatus) => boolean;
}

const COLUMNS: readonly Column[] = [
  { name: 'worker', cell: ({ worker }) => String(worker) },
  { name: 'pid', cell: ({ pid }) => String(pid) },
  { name: 'generation', cell: ({ generation }) => String(generation) },
  { name: 'stage', cell: ({ stage }) => stage, text: true },
  { name: 'uptime', cell: ({ uptime }) => duration(uptime) },
  { name: 'requests', unit: '/s', cell: (worker) => figure(worker.requestsPerSecond) },
  { name: 'p50', unit: 'ms', cell: ({ latencyP50 }) => figure(latencyP50) },
  { name: 'p99', unit: 'ms', cell: ({ latencyP99 }) => figure(latencyP99) },
  { name: '5xx', unit: '/s', cell: ({ errorsPerSecond }) => figure(errorsPerSecond), wrong: hasErrors },
  { name: 'in flight', cell: ({ inFlight }) => count(inFlight) },
  { name: 'connections', cell: ({ connections }) => count(connections) },
  { name: 'long-lived', cell: ({ longLived }) => count(longLived) },
  { name: 'CPU', unit: '%', cell: ({ cpu }) => percent(cpu) },
  {
    name: 'loop delay',
    unit: 'p99, ms',
    cell: ({ eventLoopDelayP99 }) => figure(eventLoopDelayP99),
    wrong: isLate,
  },
  {
    name: 'heap',
    unit: 'of limit, MiB',
    cell: ({ heapUsed, heapLimit }) =>
      heapUsed === null ? UNKNOWN : `${figure(heapUsed)} / ${figure(heapLimit)}`,
  },
  { name: 'RSS', unit: 'MiB', cell: ({ rss }) => figure(rss) },
  { name: 'restarts', cell: ({ restarts }) => count(restarts) },
  { name: 'last exit', cell: ({ lastExit }) => lastExit ?? UNKNOWN, text: true },
  { name: 'unwell', cell: ({ unwell }) => unwell ?? UNKNOWN, text: true, wrong: isUnwell },
];

interface Row {
  readonly row: HTMLTableRowElement;
  readonly cells: readonly HTMLElement[];
}

/** Draws the table's head; returns what fills in its rows. */
export function drawTable(): (workers: readonly WorkerStatus[]) => void {
  const head = element('tr');
  for (const { name, unit, text } of COLUMNS) {
    const cell = element('th', text ? 'text' : '', name);
    cell.scope = 'col';
    if (unit !== undefined) cell.append(' ', element('span', 'unit', unit));
    head.append(cell);
  }
  byId('columns').append(head);
  const body = byId('workers');
  /** By pid: in a reload two workers have the same number for a while. */
  const rows = new Map<number, Row>();

  return (workers) => {
    const pids = new Set(workers.map(({ pid }) => pid));
    for (const [pid, { row }] of rows) {
      if (pids.has(pid)) continue;
      row.remove();
      rows.delete(pid);
    }
    workers.forEach((worker, i) => {
      const known = rows.get(worker.pid) ?? drawRow();
      rows.set(worker.pid, known);
      fill(known, worker);
      const there = body.children.item(i);
      if (there !== known.row) body.insertBefore(known.row, there);
    });
  };
}

function drawRow(): Row {
  const row = element('tr');
  const cells = COLUMNS.map(({ text, name }, i) => {
    const cell = element(i === 0 ? 'th' : 'td', text ? `text ${name.replace(' ', '-')}` : '');
    if (i === 0) cell.scope = 'row';
    return cell;
  });
  row.append(...cells);
  return { row, cells };
}

function fill({ row, cells }: Row, worker: WorkerStatus): void {
  let anyWrong = false;
  COLUMNS.forEach(({ cell, wrong }, i) => {
    const target = cells[i];
    if (target === undefined) return;
    if (wrong === undefined) setText(target, cell(worker));
    else {
      const isWrong = wrong(worker);
      anyWrong ||= isWrong;
      setTold(target, cell(worker), isWrong);
    }
  });
  row.classList.toggle('wrong', anyWrong);
  if (row.dataset.stage !== worker.stage) row.dataset.stage = worker.stage;
}
