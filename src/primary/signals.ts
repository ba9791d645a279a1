// The primary's signals: each handler only says what was received.

import type { Event } from '../core/fleet.ts';
import type { Log } from '../log/logger.ts';
import { hasTerminal } from './terminal.ts';

/** What a signal asks for: an event, or one of the two that change the wish for workers by one. */
export type Asked = Event | { readonly type: 'one more' } | { readonly type: 'one fewer' };

export interface Signals {
  /** Where warnings go. */
  log: Log;
  /** Whether the terminal that this process was started from has gone. */
  readonly terminalGone: () => boolean;
}

const SIGNALS = [
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGUSR1',
  'SIGUSR2',
] as const;

/** Listens to all signals of the contract. Set `log` when there is one: warnings before that are lost. */
export function onSignals(say: (asked: Asked) => void): Signals {
  const hadTerminal = hasTerminal();
  const warnings: Signals = { log: () => {}, terminalGone: () => hadTerminal && !hasTerminal() };
  // A module that NODE_OPTIONS imports into every Node, for tracing say, may end its process on a signal: not this one.
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, () => say({ type: 'stop', signal, what: signal }));
  }
  process.on('SIGHUP', () =>
    say(warnings.terminalGone() ? { type: 'stop', what: 'SIGHUP' } : { type: 'reload' }),
  );
  process.on('SIGTTIN', () => say({ type: 'one more' }));
  process.on('SIGTTOU', () => say({ type: 'one fewer' }));
  process.on('SIGUSR2', () => say({ type: 'upgrade' }));
  process.on('SIGUSR1', () => warnings.log({ notice: 'ignored signal', signal: 'SIGUSR1' }));
  return warnings;
}
