// What a primary hands on to the one that takes its place: the listening socket, and what its fleet has come to.

import type { Config } from './config.ts';

/** The variable of a successor's environment that carries a {@link Succession} as JSON. */
export const SUCCESSION_VARIABLE = 'HELLO_SERVER_SUCCESSION';

/** The oldest Node that can be one: that of package.json's `engines`. */
export const OLDEST_NODE = [20, 19] as const;

/** A process that can be told from a later one with the same pid. */
export interface ProcessName {
  readonly pid: number;
  /** When it started, in a form that only is compared; empty where the machine does not say. */
  readonly started: string;
}

/** What of a fleet outlives its primary. */
export interface Carried {
  readonly generation: number;
  readonly wanted: number;
  /** How many workers the environment asked for: while it asks for as many, `wanted` counts. */
  readonly workers: number;
  /** How often the worker of each slot ended unasked. */
  readonly restarts: Readonly<Record<number, number>>;
}

/** A program that runs as a primary. */
export interface Program {
  /** hello-server's own version. */
  readonly version: string;
  /** Node's, such as `v24.1.0`. */
  readonly node: string;
}

export interface Succession {
  /**
   * `successor`: it takes over for good, and the predecessor ends (the hand-over). `interim`: it serves only until the
   * predecessor's own process has become the new program, which then is the `relayed` one (the relay).
   */
  readonly as: 'successor' | 'interim' | 'relayed';
  /** The listening socket: a file descriptor of the successor. */
  readonly fd: number;
  readonly port: number;
  readonly portGiven: boolean;
  /** The address it is bound to, as it was configured; null = all. */
  readonly host: string | null;
  readonly fleet: Carried;
  /** Who serves until this fleet does, and is told then. */
  readonly predecessor: ProcessName;
  readonly systemd: { readonly notifySocket: string | undefined; readonly watchdogMs: number | undefined };
  /** What ran before, and when the upgrade began, in ms since 1970. */
  readonly from: Program;
  readonly since: number;
}

/** What a successor says to its predecessor. */
export type ToPredecessor =
  | ({ readonly type: 'here' } & Program)
  /** Its whole fleet serves. */
  | { readonly type: 'serves' }
  /** It cannot serve. */
  | { readonly type: 'failed'; readonly reason: string }
  /** The listening socket comes with this message. */
  | { readonly type: 'socket' };

/** What a predecessor says to its successor. */
export type ToSuccessor =
  /** The places of the control socket and the admin listener are free. */
  { readonly type: 'take over' } | { readonly type: 'send socket' };

/** The mark of these messages. */
const MARK = 'hello-server.succession';

export const sealed = (message: ToPredecessor | ToSuccessor): Record<string, unknown> => ({
  [MARK]: message,
});

/** The message in what came; undefined where it is none of ours. Both ends are hello-server, of different versions. */
export function unsealed<T extends ToPredecessor | ToSuccessor>(raw: unknown): T | undefined {
  const message = (raw as Record<string, unknown> | null | undefined)?.[MARK];
  return (message as { type?: unknown } | undefined)?.type === undefined ? undefined : (message as T);
}

/** What an upgrade cannot change, as the socket stays; undefined = nothing of it is changed. */
export function socketProblem(
  { port, host }: Succession,
  config: Pick<Config, 'port' | 'host'>,
  portGiven: boolean,
): string | undefined {
  const wants = 'an upgrade keeps the listening socket, a restart changes it';
  if (portGiven && config.port !== 0 && config.port !== port)
    return `PORT: expected ${port} as before, got ${config.port}: ${wants}`;
  if ((config.host ?? null) !== host)
    return `HOST: expected ${host ?? 'none'} as before, got ${config.host ?? 'none'}: ${wants}`;
  return undefined;
}

/** Why a Node of this version (`v18.2.0`) cannot be a successor's; undefined = it can. */
export function nodeProblem(version: string): string | undefined {
  const [, major, minor] = /^v(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
  const oldest = OLDEST_NODE.join('.');
  if (major === undefined || minor === undefined)
    return `expected Node ${oldest} or later, got something else`;
  const isOld =
    Number(major) < OLDEST_NODE[0] || (Number(major) === OLDEST_NODE[0] && Number(minor) < OLDEST_NODE[1]);
  return isOld ? `expected Node ${oldest} or later, got ${version}` : undefined;
}
