// A way to an app's server that nobody else has, before it listens, with a log and counts of its own.

import type { Duplex } from 'node:stream';
import type { Log } from '../log/logger.ts';
import type { App } from './app-module.ts';
import { createServer } from './server.ts';
import type { ServerSettings } from './service.ts';

/** Open until it is closed; then the server is everybody's. */
export interface Aside {
  /** Whether connections have to pass for those by TLS. */
  readonly isSecure: boolean;
  /** Serves a connection. */
  readonly connect: (socket: Duplex) => void;
  readonly close: () => void;
}

/** Settings for what is not to be logged, nor held to deadlines of its own. */
export const apart = (settings: ServerSettings, log: Log): ServerSettings => ({
  ...settings,
  requestTimeoutMs: 0,
  answered: undefined,
  slowTurnMs: 0,
  begins: undefined,
  log,
});

/** The way to an app that exports its listener: a server around it that never listens. */
export function asideOf(app: App, settings: ServerSettings, log: Log): Aside {
  const { server } = createServer(app, apart(settings, log));
  return {
    isSecure: false,
    connect: (socket) => void server.emit('connection', socket),
    close: () => {},
  };
}
