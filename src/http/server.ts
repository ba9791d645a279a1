// The HTTP server of an app that exports its request listener.

import { createServer as createHttpServer, type Server } from 'node:http';
import type { App, Listener } from './app-module.ts';
import { DEFAULT_KEEP_ALIVE_TIMEOUT_MS, DEFAULT_REQUEST_TIMEOUT_MS, keepContract } from './contract.ts';
import type { ServerSettings, Service } from './service.ts';
import { MAX_HEADER_BYTES } from './validate.ts';

export type { Answered, ServerSettings, Service } from './service.ts';

/** A server around `app`, an app module or a bare request listener; it listens when its `server` is told to. */
export function createServer(app: App | Listener, settings: ServerSettings = {}): Service {
  const { default: request, upgrade, options } = typeof app === 'function' ? ({ default: app } as App) : app;
  const {
    requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS,
    keepAliveTimeoutMs = DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
  } = settings;
  const server = createHttpServer({
    ...options,
    requireHostHeader: false, // the Host check is ours: it sees all of them
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
  });
  server.maxHeadersCount = 0; // show all lines: a hidden one would escape validation
  server.timeout = 0;
  // A client may end its sending with its request, and still wants its answer: see halfClosed().
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  const endsEmpty = options?.optimizeEmptyRequests === true;
  const { service, events } = keepContract(server, { request, upgrade, endsEmpty }, settings);
  for (const [event, listener] of Object.entries(events)) server.on(event, listener);
  return service;
}
