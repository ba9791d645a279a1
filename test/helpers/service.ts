// Serves an app inside the test's own process, for what can be seen without a cluster around it.

import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import * as hello from '../../src/app.ts';
import { readConfig } from '../../src/core/config.ts';
import { type App, findApp, type Listener } from '../../src/http/app-module.ts';
import { requestLog } from '../../src/http/request-log.ts';
import { createServer, type ServerSettings, type Service } from '../../src/http/server.ts';
import { createLog } from '../../src/log/logger.ts';
import { type Line, lineOf } from '../../src/log/wording.ts';
import { eventually, fixture } from './server.ts';

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
    log: (notice) => lines.push(lineOf(notice)),
    answered: (req, _socket, status) => answered.push(`${req?.method ?? '-'} ${req?.url ?? '-'} ${status}`),
    ...settings,
  });
  return { port: await listen(service), service, lines, answered };
}

async function listen(service: Service): Promise<number> {
  await new Promise<void>((resolve) => service.server.listen(0, resolve));
  open.add(service);
  return (service.server.address() as AddressInfo).port;
}

/** What a worker would serve and log, in this process: an error that nobody catches fails the test. */
export class InProcess {
  readonly service: Service;
  port = 0;
  /** What a worker writes to stdout. */
  out = '';
  /** What a worker writes to stderr. */
  err = '';

  constructor(app: App, env: Readonly<Record<string, string>>) {
    const { config, errors } = readConfig(env);
    if (errors.length > 0) throw new Error(errors.join('\n'));
    const bindings = { worker: 0, generation: 1 };
    const out = (lines: string): void => {
      this.out += lines;
    };
    const err = (lines: string): void => {
      this.err += lines;
    };
    this.service = createServer(app, {
      ...config,
      log: createLog(config.logFormat, config.logLevel, { out, err }, bindings),
      answered: requestLog(config, bindings, out),
    });
  }

  get log(): string {
    return `--- stdout\n${this.out.slice(-4000)}\n--- stderr\n${this.err.slice(-4000)}`;
  }

  /** Waits until what it wrote matches; fails with the log after `ms`. */
  async says(pattern: RegExp, ms = 5000): Promise<void> {
    const says = (): boolean => pattern.test(this.out) || pattern.test(this.err);
    await eventually(says, `the log says ${pattern}`, ms).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`);
    });
  }
}

/** Serves Hello as a worker with this environment does, in this process. */
export const helloHere = (env: Readonly<Record<string, string>> = {}): Promise<InProcess> =>
  started(hello, env);

let loads = 0;

/** Serves a fixture, loaded anew, as a worker with this environment does, in this process. */
export async function serveHere(
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<InProcess> {
  const exports = await import(`${pathToFileURL(fixture(name)).href}?load=${++loads}`);
  const found = await findApp(exports, () => Promise.reject(new Error('no adapter')));
  if (typeof found === 'string' || found.found !== 'listener') throw new Error(`no listener: ${name}`);
  return started(found.app, env);
}

async function started(app: App, env: Readonly<Record<string, string>>): Promise<InProcess> {
  const server = new InProcess(app, env);
  server.port = await listen(server.service);
  return server;
}

/** Closes every service of this test; for an `afterEach`. */
export function closeLocals(): void {
  for (const { server, connections } of open) {
    server.close();
    for (const socket of connections) socket.destroy();
  }
  open.clear();
}
