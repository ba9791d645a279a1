// Every lifecycle line that the product logs: its level, its one phrase, and the data that stands beside it in json.

import type { LogLevel } from './config.ts';

/** One log line. In text it is `text`, then the stack; in json `text` is `msg` and `data` stands beside it. */
export interface Line {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly text: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly stack?: string | undefined;
}

/** A worker as a line names it. */
export interface Subject {
  readonly slot: number;
  readonly pid: number;
  readonly generation: number;
}

const name = (w: Subject): string => `worker ${w.slot} (pid ${w.pid})`;
const of = (w: Subject): Record<string, unknown> => ({
  slot: w.slot,
  workerPid: w.pid,
  workerGeneration: w.generation,
});
const duration = (ms: number): string => `${(ms / 1000).toFixed(ms < 100_000 ? 1 : 0)} s`;

/** How a process ended, in words: `code 1` or `SIGKILL`. */
export const ending = (code: number | null, signal: string | null): string =>
  signal ?? `code ${code ?? 'unknown'}`;

export const listening = (port: number): Line => ({
  level: 'info',
  text: `Server listening on port ${port}`,
  data: { port },
});
export const visit = (port: number): Line => ({
  level: 'info',
  text: `Visit http://localhost:${port} or use curl -v http://localhost:${port}`,
});
export const received = (what: string): Line => ({
  level: 'info',
  text: `Received ${what}, shutting down gracefully...`,
});
export const closed = (): Line => ({ level: 'info', text: 'Server closed successfully' });
export const cutShort = (signal: string): Line => ({
  level: 'error',
  text: `Received ${signal} again, killing what still runs`,
});

/** Why the public port cannot be had: the seed's two texts, and a plain one for the rest. */
export function cannotListen(
  port: number,
  host: string | undefined,
  code: string | undefined,
  detail: string,
): string {
  if (code === 'EADDRINUSE') return `Port ${port} is already in use`;
  if (code === 'EACCES') return `Permission denied - cannot bind to port ${port}`;
  return `Cannot listen on ${host ?? 'all addresses'}, port ${port}: ${detail}`;
}

export const bootFailed = (w: Subject, reason: string, stack?: string): Line => ({
  level: 'error',
  text: `${name(w)} failed to boot: ${reason}`,
  data: of(w),
  stack,
});
/** The first generation cannot boot: its reason alone, as it is the whole story. */
export const cannotServe = (reason: string, stack?: string): Line => ({
  level: 'fatal',
  text: reason,
  stack,
});
export const crashLoop = (boots: number): Line => ({
  level: 'fatal',
  text: `crash loop: ${boots} boots in a row did not get ready and no worker serves, giving up`,
});
export const ready = (w: Subject, bootMs: number): Line => ({
  level: 'debug',
  text: `${name(w)} ready after ${duration(bootMs)}`,
  data: of(w),
});
export const crashed = (w: Subject, how: string, uptimeMs: number, nextMs: number | undefined): Line => ({
  level: 'error',
  text:
    `${name(w)} crashed: ${how} after ${duration(uptimeMs)}${how === 'SIGKILL' ? ', out of memory?' : ''}` +
    (nextMs === undefined ? '' : nextMs === 0 ? ', respawning' : `, respawning in ${duration(nextMs)}`),
  data: { ...of(w), how, uptime: uptimeMs / 1000 },
});
export const interrupted = (w: Subject, how: string): Line => ({
  level: 'info',
  text: `${name(w)} got ${how} while booting, booting it again`,
  data: of(w),
});
export const replacing = (w: Subject, why: string): Line => ({
  level: 'info',
  text: `replacing ${name(w)}: ${why}`,
  data: { ...of(w), why },
});
export const draining = (w: Subject, why: string): Line => ({
  level: 'debug',
  text: `${name(w)} draining: ${why}`,
  data: { ...of(w), why },
});
export const gone = (w: Subject, how: string, uptimeMs: number): Line => ({
  level: 'debug',
  text: `${name(w)} gone as asked: ${how} after ${duration(uptimeMs)}`,
  data: { ...of(w), how, uptime: uptimeMs / 1000 },
});
export const killed = (w: Subject, why: string): Line => ({
  level: 'warn',
  text: `killed ${name(w)}: ${why}`,
  data: { ...of(w), why },
});
export const reloading = (generation: number): Line => ({
  level: 'info',
  text: `reloading: generation ${generation}`,
  data: { reload: generation },
});
export const reloaded = (generation: number, ms: number): Line => ({
  level: 'info',
  text: `reloaded: generation ${generation} serves after ${duration(ms)}`,
  data: { reload: generation, duration: ms / 1000 },
});
export const abandoned = (generation: number, reason: string, stack?: string): Line => ({
  level: 'error',
  text: `reload abandoned, the old generation goes on: ${reason}`,
  data: { reload: generation },
  stack,
});
export const scaled = (from: number, to: number): Line => ({
  level: 'info',
  text: `scaling from ${from} to ${to} workers`,
  data: { from, to },
});
export const hupReloads = (signal: string): Line => ({
  level: 'warn',
  text: `ignored ${signal}: SIGHUP reloads`,
});
export const upgraded = (from: string, to: string): string =>
  `upgraded from ${from} to ${to}: restart to use it`;

export const cut = (connections: number, graceMs: number): Line => ({
  level: 'warn',
  text: `cut ${connections} unfinished ${connections === 1 ? 'connection' : 'connections'} after ${duration(graceMs)} of grace`,
  data: { connections },
});
export const dropped = (lines: number): Line => ({
  level: 'warn',
  text: `dropped ${lines} log ${lines === 1 ? 'line' : 'lines'}: the reader of the log stalled`,
  data: { lines },
});
export const clientLeft = (method: string, url: string): Line => ({
  level: 'debug',
  text: `client left before the answer was complete: ${method} ${url}`,
  data: { method, url },
});
export const appFailed = (method: string, url: string, message: string, stack: string | undefined): Line => ({
  level: 'error',
  text: `app failed: ${method} ${url}: ${message}`,
  data: { method, url },
  stack,
});
export const appClosing = (message: string, stack: string | undefined): Line => ({
  level: 'error',
  text: `app failed to close: ${message}`,
  stack,
});
export const fatal = (kind: string, message: string, stack: string | undefined): Line => ({
  level: 'fatal',
  text: `${kind}: ${message}`,
  stack,
});
export const orphaned = (): Line => ({
  level: 'error',
  text: 'the primary is gone: answering what is open, then leaving',
});
export const hung = (
  w: Subject,
  silentMs: number,
  place: string | undefined,
  holding: readonly string[],
  stack: string | undefined,
): Line => {
  const [first, ...more] = holding;
  const held =
    first === undefined ? '' : `, holding ${first}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  return {
    level: 'error',
    text: `worker ${w.slot} hung for ${Math.round(silentMs / 1000)} s${place ? ` in ${place}` : ', where it does not say'}${held}`,
    data: { ...of(w), silent: silentMs / 1000, place, holding },
    stack,
  };
};
export const noControlSocket = (reason: string): Line => ({
  level: 'warn',
  text: `no control socket, so status, reload, scale and stop do not work: ${reason}`,
});
export const badControlSocket = (path: string, reason: string): Line => ({
  level: 'fatal',
  text: `CONTROL_SOCKET: cannot use ${path}: ${reason}`,
});
