// The primary's stdout and stderr, where all logging ends.

import type { Config } from '../core/config.ts';
import { droppedLine, type Output } from '../log/logger.ts';
import { Sink } from '../log/sink.ts';

export interface Sinks {
  readonly out: Sink;
  readonly err: Sink;
}

/** Where a log writes to them. */
export const outputOf = (sinks: Sinks): Output => ({
  out: (lines) => sinks.out.write(lines),
  err: (lines) => sinks.err.write(lines),
});

/** Opens both; the line that says how many lines were dropped is in the configured format. */
export function openSinks(config: Config): Sinks {
  const dropped = (lines: number): string => droppedLine(config.logFormat, lines);
  return { out: new Sink(1, dropped), err: new Sink(2, dropped) };
}
