// Faults in words: why a generation, or one worker of it, is not fit to serve.

import type { Ending } from '../core/ending.ts';
import type { Fault } from '../core/notices.ts';
import { count, millis } from './amounts.ts';
import { crashText, endingText, killText } from './endings.ts';

export const stackOf = (fault: Fault): string | undefined =>
  fault.fault === 'failed' ? fault.failure.stack : undefined;

export function faultText(fault: Fault): string {
  switch (fault.fault) {
    case 'failed':
      return fault.failure.reason;
    case 'killed':
      return `worker ${fault.of.worker} ${killText(fault.kill)}`;
    case 'ended':
      return 'cannotFork' in fault.ending
        ? endingText(fault.ending)
        : `worker ${fault.of.worker} ${bootText(fault.ending)}`;
    case 'environment':
      return fault.errors.join('; ');
    case 'judged':
      return verdictText(fault);
    case 'crashed':
      return `worker ${fault.of.worker} of generation ${fault.of.generation} ${crashText(fault.ending)}`;
    case 'in doubt':
      return `worker ${fault.of.worker} of generation ${fault.of.generation} asked for its replacement: ${fault.why}`;
  }
}

/** `generation 7 answered 38 of 412 with 5xx, generation 6 2 of 3 120`. */
function verdictText({ from, to, verdict }: Extract<Fault, { fault: 'judged' }>): string {
  if (verdict.criterion === 'latency') {
    const { fresh, old } = verdict;
    return (
      `generation ${to} took ${millis(fresh.medianMs)} in the median of ${count(fresh.of)}, ` +
      `generation ${from} ${millis(old.medianMs)} of ${count(old.of)}`
    );
  }
  const { criterion, fresh, old } = verdict;
  const how = criterion === 'failed' ? 'by failing' : `with ${criterion}`;
  return (
    `generation ${to} answered ${count(fresh.bad)} of ${count(fresh.of)} ${how}, ` +
    `generation ${from} ${count(old.bad)} of ${count(old.of)}`
  );
}

export const askedText = (asked: number | undefined): string =>
  asked === undefined ? '' : asked === 0 ? ', nothing was asked of it' : `, ${count(asked)} answers judged`;

/** A boot ended: `exited with code 3 before it was ready`, `died of SIGKILL before it was ready, killed from outside`. */
function bootText(ending: Ending): string {
  const before = ' before it was ready';
  if (ending.cause?.cause === 'exit called') return endingText(ending, before);
  return `${'signal' in ending ? 'died of' : 'exited with'} ${endingText(ending, before)}`;
}
