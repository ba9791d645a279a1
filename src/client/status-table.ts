// The status as a page that a person reads at a glance: the fleet, each worker, and what has happened last.

import type { Happened } from '../control/status.ts';
import { UNASKED } from '../core/ending.ts';
import type { ToldStatus, ToldWorker } from './answers.ts';
import { count, duration, type Figure, mebibytes, memory, plural, rate, time } from './figures.ts';
import {
  type Column,
  columns,
  cut,
  cutFromLeft,
  flow,
  type Line,
  type Look,
  MAX_COLUMNS,
  type Piece,
  piece,
  shown,
  widthOf,
  wrapped,
} from './text.ts';

/** An event loop that was so late is marked, and the worse one is red. */
const LATE_MS = 100;
const VERY_LATE_MS = 1000;
/** A heap that is so full is marked. */
const FULL = 0.85;
const VERY_FULL = 0.95;
/** So many events are shown. */
const EVENTS = 5;
/** Where the height is limited, events make room for workers until so many lines are theirs. */
const LEAST_WORKER_LINES = 6;

/** Why a worker is unwell, and why the one before it ended, stands below it, so far to the right. */
const BELOW_INDENT = 8;

/** An address of IPv6 takes so much; a name may be longer. */
const HOST_COLUMNS = 39;

/** What there is room for. */
export interface Room {
  /** Default and at most 100. */
  readonly columns?: number;
  /** How many lines it may have; default as many as it takes. */
  readonly rows?: number;
}

/** The whole page. */
export function statusPage(status: ToldStatus, room: Room = {}): Line[] {
  const width = Math.min(MAX_COLUMNS, room.columns ?? MAX_COLUMNS);
  const rows = room.rows ?? Infinity;
  const head = [...headOf(status, width), []];
  const { headings, blocks } = workersOf(status, width);
  const events = (status.events ?? []).slice(0, EVENTS);
  const left = rows - head.length - headings.length;
  const taken = blocks.reduce((sum, { lines }) => sum + lines.length, 0);
  const eventLines = (many: number): number => (many === 0 ? 0 : many + 1);
  let many = events.length;
  while (many > 0 && left - eventLines(many) < Math.min(taken, LEAST_WORKER_LINES)) many--;
  const workers = within(blocks, left - eventLines(many));
  const happened = many === 0 ? [] : [[], ...eventsOf(events.slice(0, many))];
  return [...head, ...headings, ...workers, ...happened].slice(0, rows);
}

/** The lines on the fleet. */
function headOf(status: ToldStatus, width: number): Line[] {
  const { version, state, port, wanted, generation, uptime, health, now } = status;
  const ready = status.workers.filter(({ stage }) => stage === 'ready').length;
  const few = ready < wanted;
  const first: Line = [
    piece(`hello-server ${shown(version)} `, 'bold'),
    piece(shown(stateText(status)), state === 'running' ? 'bold' : 'warn'),
    piece(` on port ${shown(port)}: `),
    piece(`${ready} of ${shown(wanted)} workers ready`, ready === 0 ? 'bad' : few ? 'warn' : undefined),
    piece(`, generation ${shown(generation)}, up ${duration(uptime)}`),
  ];
  const unfit = health?.live === false ? 'not alive' : health?.ready === false ? 'not ready' : undefined;
  const reasons = health && unfit ? wrapped(`${unfit}: ${shown(health.reason)}`, width, 'bad') : [];
  const lines = [first, ...reasons, identity(status, width)];
  if (now) lines.push(...flow(figuresOf(now), width));
  if (status.previous) lines.push(previousOf(status.previous));
  const totals = totalsOf(status);
  if (totals.length > 0) lines.push(...flow([piece('so far:'), ...totals], width));
  return lines;
}

/** The state; of a reload also how far it is. */
const stateText = ({ state, reload }: ToldStatus): string =>
  reload && state === 'reloading' ? `reloading (${reload.phase})` : state;

/** What could be rolled back to, for how long, and what that costs. */
function previousOf({ generation, left, workers, rss }: NonNullable<ToldStatus['previous']>): Line {
  const cost = `${plural(workers, 'worker')}, ${memory(rss)}`;
  return [piece(`rollback to generation ${shown(generation)} for ${duration(left)}: ${cost}`)];
}

/** Whether it is ready for traffic, which process and which app it is. */
function identity({ health, pid, node, host, app }: ToldStatus, width: number): Line {
  const ready = health?.ready && health.live ? 'ready for traffic, ' : '';
  const address = host ? `host ${cut(shown(host), HOST_COLUMNS)}, ` : '';
  const start = `${ready}pid ${shown(pid)}, Node ${shown(node)}, ${address}app `;
  return [piece(start), piece(app === null ? 'Hello' : cutFromLeft(shown(app), width - widthOf(start)))];
}

function figuresOf(now: NonNullable<ToldStatus['now']>): Piece[] {
  const longLived = now.longLived > 0 ? ` (${count(now.longLived)} long-lived)` : '';
  return [
    piece(`${rate(now.requestsPerSecond)} requests/s`),
    piece(`p50 ${time(now.latencyP50)}`),
    piece(`p99 ${time(now.latencyP99)}`),
    piece(`${rate(now.errorsPerSecond)} 5xx/s`, now.errorsPerSecond > 0 ? 'bad' : undefined),
    piece(`${count(now.inFlight)} in flight`),
    piece(`${count(now.connections)} ${now.connections === 1 ? 'connection' : 'connections'}${longLived}`),
    piece(memory(now.rss)),
  ];
}

/** What has gone wrong since the primary began; nothing where nothing has. */
function totalsOf({ totals, workers }: ToldStatus): Piece[] {
  const restarts = totals
    ? UNASKED.reduce((sum, reason) => sum + (totals.exits[reason] || 0), 0)
    : workers.reduce((sum, worker) => sum + (worker.restarts || 0), 0);
  const found: [amount: number | undefined, one: string, many?: string][] = [
    [restarts, 'restart'],
    [totals?.exits.hung, 'of them hung', 'of them hung'],
    [totals?.exits['out of memory'], 'of them out of memory', 'of them out of memory'],
    [totals?.poison, 'poison request'],
    [totals?.exits['boot failed'], 'boot failure'],
    [totals?.exits['cannot fork'], 'failed fork'],
    [totals?.exits['not drained'], 'worker not drained in time', 'workers not drained in time'],
    [totals?.reloads.abandoned, 'reload abandoned', 'reloads abandoned'],
    [totals?.slowTurns, 'slow turn'],
    [totals?.cut, 'connection cut', 'connections cut'],
    [totals?.logLinesDropped, 'log line dropped', 'log lines dropped'],
  ];
  return found.flatMap(([amount, one, many]) =>
    amount !== undefined && amount > 0 ? [piece(plural(amount, one, many), 'warn')] : [],
  );
}

const STAGE_LOOKS: Readonly<Record<ToldWorker['stage'], Look | undefined>> = {
  booting: 'warn',
  ready: undefined,
  standby: 'dim',
  rejoining: 'warn',
  draining: 'warn',
};

const right = (
  heading: Column<ToldWorker>['heading'],
  cell: (w: ToldWorker) => Piece,
): Column<ToldWorker> => ({
  heading,
  cell,
  side: 'right',
});

/** So that the exits stand below one another, restarts take as many digits as the most of them has. */
const columnsFor = (digits: number): readonly Column<ToldWorker>[] => [
  right(['', 'worker'], (w) => piece(shown(w.worker ?? w.slot))),
  right(['', 'pid'], (w) => piece(shown(w.pid))),
  right(['', 'gen'], (w) => piece(shown(w.generation))),
  { heading: ['', 'stage'], cell: (w) => piece(shown(w.stage), STAGE_LOOKS[w.stage]), side: 'left', most: 9 },
  right(['', 'uptime'], (w) => piece(duration(w.uptime))),
  right(['', 'req/s'], (w) => piece(rate(w.requestsPerSecond))),
  right(['', 'p99'], (w) => piece(time(w.latencyP99))),
  right(['', '5xx/s'], (w) =>
    piece(rate(w.errorsPerSecond), (w.errorsPerSecond ?? 0) > 0 ? 'bad' : undefined),
  ),
  right(['in', 'flight'], (w) => piece(count(w.inFlight))),
  right(['', 'conns'], (w) => piece(count(w.connections))),
  right(['loop', 'delay'], (w) => marked(time(w.eventLoopDelay), w.eventLoopDelay, LATE_MS, VERY_LATE_MS)),
  right(['heap', 'MiB'], (w) => marked(heapOf(w), fullness(w), FULL, VERY_FULL)),
  right(['rss', 'MiB'], (w) => piece(rssOf(w))),
  { heading: ['restarts,', 'last exit'], cell: (w) => exitOf(w, digits), side: 'left', most: Infinity },
];

/** A figure with a `!` behind it where it is too high. */
function marked(text: string, value: Figure, high: number, veryHigh: number): Piece {
  if (typeof value !== 'number' || value < high) return piece(text);
  return piece(`${text}!`, value < veryHigh ? 'warn' : 'bad');
}

const heapOf = ({ heapUsed, heapLimit }: ToldWorker): string =>
  typeof heapLimit === 'number' ? `${mebibytes(heapUsed)}/${mebibytes(heapLimit)}` : mebibytes(heapUsed);

/** With the share that it has to keep to, where there is one. */
const rssOf = ({ rss, memoryShare }: ToldWorker): string =>
  typeof memoryShare === 'number' ? `${mebibytes(rss)}/${mebibytes(memoryShare)}` : mebibytes(rss);

const fullness = ({ heapUsed, heapLimit }: ToldWorker): Figure =>
  typeof heapUsed === 'number' && typeof heapLimit === 'number' && heapLimit > 0
    ? heapUsed / heapLimit
    : null;

function exitOf({ restarts, lastExit }: ToldWorker, digits: number): Piece {
  const many = shown(restarts).padStart(digits);
  return piece(
    lastExit === null ? many : `${many} ${shown(wayIn(lastExit))}`,
    restarts > 0 ? 'warn' : undefined,
  );
}

/** How a worker ended, without what is known of why, which stands below: `SIGKILL, killed from outside`. */
const wayIn = (lastExit: string): string => lastExit.split(/, |: /, 1)[0] ?? lastExit;

/** A worker's line, and below it why it is unwell, and why the one before it ended. */
interface Block {
  readonly lines: readonly Line[];
  readonly ready: boolean;
  readonly unwell: boolean;
}

function workersOf({ workers }: ToldStatus, width: number): { headings: Line[]; blocks: Block[] } {
  const digits = workers.reduce((most, { restarts }) => Math.max(most, shown(restarts).length), 1);
  const { headings, lines } = columns(columnsFor(digits), workers, width);
  const blocks = workers.map(({ stage, unwell, lastExit }, i): Block => {
    const line = lines[i] ?? [];
    const why =
      typeof unwell === 'string' ? wrapped(`unwell: ${shown(unwell)}`, width, 'bad', BELOW_INDENT) : [];
    const ended =
      typeof lastExit === 'string' && wayIn(lastExit) !== lastExit
        ? wrapped(`last exit: ${shown(lastExit)}`, width, 'warn', BELOW_INDENT)
        : [];
    return { lines: [line, ...why, ...ended], ready: stage === 'ready', unwell: why.length > 0 };
  });
  return { headings, blocks };
}

/** As many workers as there are lines for; the last line says how many more there are, and whether they are well. */
function within(blocks: readonly Block[], most: number): Line[] {
  if (blocks.reduce((sum, { lines }) => sum + lines.length, 0) <= most)
    return blocks.flatMap(({ lines }) => lines);
  const kept: Line[] = [];
  let next = 0;
  for (const { lines } of blocks) {
    if (kept.length + lines.length > most - 1) break;
    kept.push(...lines);
    next++;
  }
  const others = blocks.slice(next);
  const notReady = others.filter(({ ready }) => !ready).length;
  const unwell = others.filter((block) => block.unwell).length;
  const notes = [
    ...(notReady > 0 ? [piece(`, ${notReady} of them not ready`, 'warn')] : []),
    ...(unwell > 0 ? [piece(`, ${unwell} of them unwell`, 'bad')] : []),
  ];
  return [...kept, [piece(`… ${plural(others.length, 'more worker')}`), ...notes]];
}

const LEVEL_LOOKS: Readonly<Record<Happened['level'], Look | undefined>> = {
  info: undefined,
  warn: 'warn',
  error: 'bad',
  fatal: 'bad',
};

/** The newest first. */
function eventsOf(events: readonly Happened[]): Line[] {
  const ages = events.map(({ ago }) => `${duration(ago)} ago`);
  const widest = Math.max(...ages.map(widthOf));
  return events.map(({ level, text }, i) => [
    piece(`${(ages[i] ?? '').padStart(widest)}  `, 'dim'),
    piece(`${shown(level).padEnd(5)}  `, LEVEL_LOOKS[level]),
    piece(shown(text)),
  ]);
}
