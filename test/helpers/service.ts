// Serves an app inside the test's own process, for what can be seen without a cluster around it.

import type { AddressInfo } from 'node:net';
import type { Line } from '../../src/core/messages.ts';
import type { App, Listener } from '../../src/http/app.ts';
import { createServer, type ServerSettings, type Service } from '../../src/http/server.ts';

export interface Local {
  readonly port: number;
  readonly service: Service;
  /** What was logged. */
  readonly lines: readonly Line[];
  /** Requests answered, as `GET / 200`; `- - 400` for one that was refused. */
  readonly answered: readonly string[];
}

const open = new Set<Service>();

/** Serves `app` on a free port. */
export async function local(app: App | Listener, settings: ServerSettings = {}): Promise<Local> {
  const lines: Line[] = [];
  const answered: string[] = [];
  const service = createServer(app, {
    log: (line) => lines.push(line),
    answered: (req, _socket, status) => answered.push(`${req?.method ?? '-'} ${req?.url ?? '-'} ${status}`),
    ...settings,
  });
  await new Promise<void>((resolve) => service.server.listen(0, resolve));
  open.add(service);
  return { port: (service.server.address() as AddressInfo).port, service, lines, answered };
}

/** Closes every service of this test; for an `afterEach`. */
export function closeLocals(): void {
  for (const { server } of open) {
    server.close();
    server.closeAllConnections();
  }
  open.clear();
}
