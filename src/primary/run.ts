// Runs the primary from its first signal handler to its exit code.

import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import * as messages from '../core/messages.ts';
import { createLog } from '../log/logger.ts';
import { freePort } from './free-port.ts';
import { Primary, type Start } from './primary.ts';
import { type Asked, onSignals } from './signals.ts';
import { openSinks, outputOf } from './sinks.ts';
import { prepareForks } from './worker-handle.ts';

/** At the very end a log reader that stalls is waited for so long. */
const FLUSH_MS = 150;

/** Runs this process as the primary until the fleet has stopped; resolves with the exit code. */
export async function runPrimary(start: Start): Promise<number> {
  // First of all, so that no signal finds the process without its handlers.
  const early: Asked[] = [];
  let deliver = (asked: Asked): void => void early.push(asked);
  const signals = onSignals((asked) => deliver(asked));
  const { config } = start;
  const sinks = openSinks(config);
  const log = createLog(config.logFormat, config.logLevel, outputOf(sinks), {});
  signals.log = log;
  prepareForks(start.exec);
  let { port } = config;
  try {
    if (port === 0) port = await freePort(config.host);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    log(messages.cannotServe(messages.cannotListen(port, config.host, code, message)));
    sinks.err.flush(FLUSH_MS);
    return CANNOT_SERVE;
  }
  const primary = new Primary({ ...start, port }, sinks, log);
  deliver = (asked) => primary.ask(asked);
  process.on('uncaughtException', (error, origin) => {
    log(messages.fatal(origin, error.message, error.stack));
    primary.dispatch({ type: 'stop', what: undefined, exitCode: CANNOT_SERVE });
  });
  primary.dispatch({ type: 'wake' });
  early.forEach(deliver);
  const code = await primary.stopped;
  sinks.out.flush(FLUSH_MS);
  sinks.err.flush(FLUSH_MS / 3);
  if (signals.terminalGone()) closeTerminal();
  return code;
}

/** Node restores the terminal's settings at its end, and aborts where it cannot: not if the descriptors are closed. */
function closeTerminal(): void {
  for (const fd of [0, 1, 2]) if (isatty(fd)) closeSync(fd);
}
