// What is wrong with a fleet, in words: a status goes in, a list comes out. Pure.

import type { Status, WorkerStatus } from '../control/status.ts';
import { DROPPED_MINUTES } from './dropped.ts';
import { count, figure } from './format.ts';

/** An event loop is late when it lets a timer wait longer than this for 1 % of the time, ms. */
const LATE_MS = 100;
/** Of a reload that was abandoned the page reminds so long. */
const REMINDER_SECONDS = 15 * 60;

/** Something that is wrong with the fleet. */
export interface Wrong {
  /** The same words as long as the same thing is wrong. */
  readonly what: string;
  /** What exactly, with its figures of now. */
  readonly details: string;
  /** Whether clients feel it. */
  readonly level: 'warn' | 'error';
}

/** All that is wrong, the worst first; `linesDropped` is how many log lines were dropped lately. */
export function wrongIn(status: Status, linesDropped: number): Wrong[] {
  const { health, now, events, wanted, workers } = status;
  const ready = readyIn(status);
  const readiness = `${ready} of ${wanted}`;
  // A fleet that is not ready because of a worker says so already.
  const unwell = workers.filter(
    ({ unwell: why }) => why !== null && (health.ready || !health.reason.includes(why)),
  );
  const late = workers.filter(isLate).sort((a, b) => latenessOf(b) - latenessOf(a));
  const abandoned = abandonedReload(events);
  const found: (Wrong | undefined)[] = [
    health.ready ? undefined : error('not ready', health.reason),
    now.errorsPerSecond > 0 ? error('5xx answers', `${figure(now.errorsPerSecond)} a second`) : undefined,
    ready < wanted && !health.reason.includes(readiness)
      ? error('too few workers ready', readiness)
      : undefined,
    several('worker unwell', unwell, (worker) => worker.unwell ?? ''),
    several('event loop late', late, (worker) => `p99 ${figure(worker.eventLoopDelayP99)} ms`),
    abandoned === undefined ? undefined : warning('reload abandoned', abandoned),
    linesDropped > 0
      ? warning(
          'log lines dropped',
          `${count(linesDropped)} in ${DROPPED_MINUTES} minutes, as their reader is too slow`,
        )
      : undefined,
  ];
  return found.filter((each) => each !== undefined);
}

/** How many workers of the fleet are ready. */
export const readyIn = ({ workers }: Status): number =>
  workers.filter(({ stage }) => stage === 'ready').length;

/** Whether each of a worker's figures is as it should be. */
export const hasErrors = ({ errorsPerSecond }: WorkerStatus): boolean => (errorsPerSecond ?? 0) > 0;
export const isLate = (worker: WorkerStatus): boolean => latenessOf(worker) > LATE_MS;
export const isUnwell = ({ unwell }: WorkerStatus): boolean => unwell !== null;

const latenessOf = ({ eventLoopDelayP99 }: WorkerStatus): number => eventLoopDelayP99 ?? 0;

const error = (what: string, details: string): Wrong => ({ what, details, level: 'error' });
const warning = (what: string, details: string): Wrong => ({ what, details, level: 'warn' });

/** The same wrong with several workers: the first of them in full, the others as a number. */
function several(
  what: string,
  workers: readonly WorkerStatus[],
  details: (worker: WorkerStatus) => string,
): Wrong | undefined {
  const [first, ...others] = workers;
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return warning(what, `worker ${first.worker}: ${details(first)}${more}`);
}

/** Why the latest reload was abandoned; undefined if it was not, or long ago. */
function abandonedReload(events: Status['events']): string | undefined {
  const latest = events.find(({ text }) => /^reload(?:ed:| abandoned,)/.test(text));
  if (latest === undefined || latest.ago > REMINDER_SECONDS || latest.text.startsWith('reloaded'))
    return undefined;
  return latest.text.replace(/^reload abandoned, /, '');
}
