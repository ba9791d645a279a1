// The ends of workers in words: how a process ended, what was found out about why, and what it was working on.

import type { Cause, Ending } from '../core/ending.ts';
import type { KillReason, Notice } from '../core/notices.ts';
import { count } from './amounts.ts';

/** So many different requests are named; of the others it is said how many there are. */
const MOST_NAMED = 3;

/**
 * The end of a process in one phrase: `code 1`; `SIGKILL, the kernel killed for memory (rss 310 of 512 MiB), working on
 * GET /report`; `exited with 3: process.exit called at jobs.js:17`; `cannot fork: EMFILE, too many open files`.
 * @param when stands behind how it ended
 */
export function endingText(ending: Ending, when = ''): string {
  return howText(ending, when) + workingOn(ending.holding);
}

/** What is said of a worker that ended unasked: `crashed: SIGSEGV, native crash`. */
export function crashText(ending: Ending, when = ''): string {
  const saysHow = ending.cause?.cause === 'exit called';
  return `${saysHow ? '' : 'crashed: '}${endingText(ending, when)}`;
}

/** `, working on GET /report, GET / and 2 more`; nothing where no request is known. */
export function workingOn(holding: readonly string[] = []): string {
  const times = new Map<string, number>();
  for (const request of holding) times.set(request, (times.get(request) ?? 0) + 1);
  const named = [...times].map(([request, many]) => (many === 1 ? request : `${many} × ${request}`));
  if (named.length === 0) return '';
  const more = named.length > MOST_NAMED ? [`${named.length - MOST_NAMED} more`] : [];
  const told = [...named.slice(0, MOST_NAMED), ...more];
  const last = told.pop();
  return `, working on ${told.length === 0 ? last : `${told.join(', ')} and ${last}`}`;
}

/** ` at jobs.js:17`; nothing where the place is not known. */
export const at = (place: string | undefined): string => (place === undefined ? '' : ` at ${place}`);

export const poisonText = ({ request, deaths, withinMs }: Extract<Notice, { notice: 'poison' }>): string =>
  `${request} was being worked on when ${deaths} workers died within ${withinMs / 60_000} minutes: ` +
  'it may be what kills them';

export function killText(kill: KillReason): string {
  switch (kill.why) {
    case 'not ready':
      return `was not ready within ${kill.withinMs / 1000} s`;
    case 'not back':
      return `was not back in the rotation within ${kill.withinMs / 1000} s`;
    case 'second signal':
      return `a second ${kill.signal}`;
    case 'not drained':
      return 'not drained in time';
    case 'hung':
      return 'hung';
    case 'not wanted':
      return 'not wanted any more';
    case 'cannot serve':
      return 'the fleet cannot serve';
    case 'no grace':
      return 'SHUTDOWN_TIMEOUT is 0';
  }
}

/** How a process ended, without a word on why: `code 1`, `SIGKILL`, or `cannot fork: EMFILE, too many open files`. */
export function wayText(ending: Ending): string {
  if ('cannotFork' in ending) return `cannot fork: ${ending.cannotFork}`;
  return 'signal' in ending ? ending.signal : `code ${ending.code ?? 'unknown'}`;
}

function howText(ending: Ending, when: string): string {
  const { cause } = ending;
  const how = wayText(ending);
  if (!cause) return how + when + (how === 'SIGKILL' ? ', out of memory?' : '');
  const why = causeText(cause);
  if (cause.cause === 'fatal error') return why + when;
  return cause.cause === 'exit called' ? `exited with ${cause.code}${when}: ${why}` : `${how}${when}, ${why}`;
}

function causeText(cause: Cause): string {
  switch (cause.cause) {
    case 'exit called':
      return `process.exit called${at(cause.place)}`;
    case 'fatal error':
      return cause.error;
    case 'heap out of memory':
      return `heap out of memory${cause.atMiB === undefined ? '' : ` at ${count(Math.round(cause.atMiB))} MiB`}`;
    case 'out of memory':
      return `the kernel killed for memory${memoryText(cause)}`;
    case 'aborted':
      return 'abort or a failed assertion in native code';
    case 'native crash':
      return 'native crash';
    case 'killed':
      return 'killed from outside';
    case 'ours':
      return killText(cause.kill);
  }
}

function memoryText({ rssMiB, limitMiB }: Extract<Cause, { cause: 'out of memory' }>): string {
  const mebibytes = (value: number): string => count(Math.round(value));
  if (rssMiB === undefined) return limitMiB === undefined ? '' : ` (limit ${mebibytes(limitMiB)} MiB)`;
  return ` (rss ${mebibytes(rssMiB)}${limitMiB === undefined ? '' : ` of ${mebibytes(limitMiB)}`} MiB)`;
}
