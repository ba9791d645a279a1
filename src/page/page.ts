// The page of a running hello-server: what comes over its stream of events, shown. It changes nothing there.

import type { Status } from '../control/status.ts';
import { Dropped } from './dropped.ts';
import { showEvents } from './events.ts';
import { drawFigures } from './figures.ts';
import { showHeader, showLost } from './header.ts';
import { drawPlots } from './plots.ts';
import { NO_POINTS, pointsOf, withPoint } from './series.ts';
import { follow } from './stream.ts';
import { drawTable } from './table.ts';
import { wrongIn } from './wrong.ts';

const showFigures = drawFigures();
const showPoints = drawPlots();
const showWorkers = drawTable();
const dropped = new Dropped();
let points = NO_POINTS;
let last: { readonly status: Status; readonly at: number } | undefined;

const seconds = (): number => Date.now() / 1000;

/** What is costly, and needless while nobody looks. */
function showAll(): void {
  if (document.hidden) return;
  showPoints(points);
  if (last === undefined) return;
  showFigures(last.status);
  showWorkers(last.status.workers);
  showEvents(last.status.events);
}

follow({
  history(history) {
    points = pointsOf(history, seconds());
    showAll();
  },
  status(status) {
    // After an upgrade the page is that of another version.
    if (last !== undefined && last.status.version !== status.version) location.reload();
    const at = seconds();
    last = { status, at };
    points = withPoint(points, status.now, at);
    showHeader(status, wrongIn(status, dropped.lately(status.totals.logLinesDropped, at)));
    document.body.classList.add('shown');
    showAll();
  },
  lost() {
    showLost(last?.status, last?.at ?? 0);
  },
});
document.addEventListener('visibilitychange', showAll);
