// The points behind the plots: those of a history, and one more for each status. Pure.

import { type History, type Now, SERIES, type SeriesName } from '../control/status.ts';

/** The plots go back so far. */
export const SPAN_SECONDS = 15 * 60;
/** No more points are kept: one a second. */
const MOST_POINTS = SPAN_SECONDS;
/** Points further apart than this are not joined by a line. */
const GAP_SECONDS = 3;

/** Points from the oldest to the newest. */
export interface Points {
  /** When each was measured, by the browser's clock: seconds since 1970. */
  readonly at: readonly number[];
  /** Each as long as `at`. */
  readonly series: Readonly<Record<SeriesName, readonly (number | null)[]>>;
}

const record = <T>(value: (name: SeriesName) => T): Readonly<Record<SeriesName, T>> =>
  Object.fromEntries(SERIES.map((name) => [name, value(name)])) as Record<SeriesName, T>;

export const NO_POINTS: Points = { at: [], series: record(() => []) };

/** The points of a history whose newest one is from `now`, seconds since 1970. */
export function pointsOf({ step, series }: History, now: number): Points {
  const length = Math.min(MOST_POINTS, Math.max(...SERIES.map((name) => series[name].length)));
  return {
    at: Array.from({ length }, (_, i) => now - (length - 1 - i) * step),
    series: record((name) => {
      const known = series[name].slice(-length);
      return [...new Array<null>(length - known.length).fill(null), ...known];
    }),
  };
}

/** The points and one more, measured at `now`, seconds since 1970; what is too old goes. */
export function withPoint(points: Points, figures: Now, now: number): Points {
  const last = points.at.at(-1);
  // A clock that was set back moves the points before it: what is drawn has to run from left to right.
  if (last !== undefined && last >= now)
    return withPoint({ ...points, at: points.at.map((at) => at - (last - now) - 1) }, figures, now);
  const missed = last !== undefined && now - last > GAP_SECONDS;
  const at = missed ? [...points.at, last + 1, now] : [...points.at, now];
  return {
    at: at.slice(-MOST_POINTS),
    series: record((name) => {
      const figure = figures[name];
      const before = points.series[name];
      return (missed ? [...before, null, figure] : [...before, figure]).slice(-MOST_POINTS);
    }),
  };
}
