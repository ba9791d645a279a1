// The environment as tabled in the README: one row per variable, all errors reported together.

import type { WorkerShare } from './share.ts';

/** Log levels, pino's own and `silent`, from the most to the least talkative. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says; times in milliseconds, 0 meaning what the README's table says of it. */
export interface Config {
  readonly port: number;
  /** Address to bind; undefined = all, IPv6 and IPv4. */
  readonly host: string | undefined;
  readonly workers: number | 'auto';
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly shutdownDelayMs: number;
  readonly shutdownTimeoutMs: number;
  readonly bootTimeoutMs: number;
  readonly hangTimeoutMs: number;
  readonly maxRequests: number;
  readonly maxMemoryMiB: number;
  readonly logFormat: 'text' | 'json';
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
  readonly controlSocket: string | undefined;
  /** Workers that a reload replaces at a time. */
  readonly reloadSurge: WorkerShare;
  readonly settleTimeMs: number;
  readonly canaryTimeMs: number;
  readonly canaryWorkers: WorkerShare;
  readonly keepPreviousMs: number;
  /** A listener that runs so long in one piece is named; 0 = never. */
  readonly slowTurnMs: number;
  /** Port of the admin listener; undefined = there is none. */
  readonly adminPort: number | undefined;
  readonly adminHost: string;
}

/** How one variable reads: what it accepts in words, and its value or undefined where it accepts it not. */
interface Kind<T> {
  readonly expected: string;
  readonly parse: (text: string) => T | undefined;
}

const MAX_SECONDS = 86_400;
export const MAX_WORKERS = 512;
const MAX_COUNT = 1_000_000_000;
const MAX_MIB = 1_048_576;

const integer = (min: number, max: number): Kind<number> => ({
  expected: `an integer from ${min} to ${max}`,
  parse: (text) =>
    /^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined,
});

/** A duration above this is more likely one in milliseconds. */
const LONG_SECONDS = 3600;

/** Milliseconds, whole as Node's timers and limits want them; what is not 0 does not become 0, which means another thing. */
const seconds: Kind<number> = {
  expected: `seconds from 0 to ${MAX_SECONDS}`,
  parse: (text) => {
    if (!/^(\d+\.?\d*|\.\d+)$/.test(text) || Number(text) > MAX_SECONDS) return undefined;
    return Number(text) === 0 ? 0 : Math.max(1, Math.round(Number(text) * 1000));
  },
};

const text: Kind<string> = {
  expected: 'a text without control characters',
  parse: (value) => (/\p{Cc}/u.test(value) ? undefined : value),
};

const choice = <T extends string>(...choices: readonly T[]): Kind<T> => ({
  expected: `one of ${choices.join(', ')}`,
  parse: (value) => choices.find((known) => known === value),
});

const boolean: Kind<boolean> = {
  expected: 'true or false',
  parse: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
};

const workers: Kind<number | 'auto'> = {
  expected: `auto or an integer from 1 to ${MAX_WORKERS}`,
  parse: (value) => (value === 'auto' ? 'auto' : integer(1, MAX_WORKERS).parse(value)),
};

const workerShare: Kind<WorkerShare> = {
  expected: `an integer from 1 to ${MAX_WORKERS} or a percentage from 1% to 100%`,
  parse: (value) => {
    const percent = value.endsWith('%') ? integer(1, 100).parse(value.slice(0, -1)) : undefined;
    if (percent !== undefined) return { percent };
    const workers = integer(1, MAX_WORKERS).parse(value);
    return workers === undefined ? undefined : { workers };
  },
};

/** The number of workers as the environment and `scale` accept it; undefined for anything else. */
export const parseWorkerCount = (value: string): number | undefined => integer(1, MAX_WORKERS).parse(value);

/** The variables and their defaults, as the environment would spell them; '' = unset. */
export const DEFAULTS = {
  PORT: '3000',
  HOST: '',
  WEB_CONCURRENCY: 'auto',
  REQUEST_TIMEOUT: '30',
  KEEP_ALIVE_TIMEOUT: '65',
  DRAIN_TIMEOUT: '75',
  SHUTDOWN_DELAY: '0',
  SHUTDOWN_TIMEOUT: '8',
  BOOT_TIMEOUT: '30',
  HANG_TIMEOUT: '30',
  MAX_REQUESTS: '0',
  MAX_MEMORY: '0',
  LOG_FORMAT: 'text',
  LOG_LEVEL: 'info',
  ACCESS_LOG: 'true',
  CONTROL_SOCKET: '',
  RELOAD_SURGE: '1',
  SETTLE_TIME: '1',
  CANARY_TIME: '0',
  CANARY_WORKERS: '1',
  KEEP_PREVIOUS: '0',
  SLOW_TURN: '0.5',
  ADMIN_PORT: '',
  ADMIN_HOST: '127.0.0.1',
} as const;
export type Variable = keyof typeof DEFAULTS;

/** A duration so long that it may have been meant in another unit. */
export interface LongDuration {
  readonly variable: Variable;
  readonly seconds: number;
}

/**
 * Reads the configuration out of an environment. Unset and empty mean the default.
 * `errors` has one line for each variable that cannot be read; the configuration holds its default there.
 * `warnings` has the durations that were read and are hardly meant.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): {
  config: Config;
  errors: string[];
  warnings: LongDuration[];
} {
  const errors: string[] = [];
  const warnings: LongDuration[] = [];
  const read = <T>(name: Variable, kind: Kind<T>): T => {
    const given = env[name] || DEFAULTS[name];
    const value = kind.parse(given);
    if (value !== undefined) return value;
    errors.push(`${name}: expected ${kind.expected}, got \`${printable(given)}\``);
    return kind.parse(DEFAULTS[name]) as T;
  };
  const duration = (variable: Variable): number => {
    const ms = read(variable, seconds);
    if (ms > LONG_SECONDS * 1000) warnings.push({ variable, seconds: ms / 1000 });
    return ms;
  };
  const config: Config = {
    port: read('PORT', integer(0, 65_535)),
    host: read('HOST', text) || undefined,
    workers: read('WEB_CONCURRENCY', workers),
    requestTimeoutMs: duration('REQUEST_TIMEOUT'),
    keepAliveTimeoutMs: duration('KEEP_ALIVE_TIMEOUT'),
    drainTimeoutMs: duration('DRAIN_TIMEOUT'),
    shutdownDelayMs: duration('SHUTDOWN_DELAY'),
    shutdownTimeoutMs: duration('SHUTDOWN_TIMEOUT'),
    bootTimeoutMs: duration('BOOT_TIMEOUT'),
    hangTimeoutMs: duration('HANG_TIMEOUT'),
    maxRequests: read('MAX_REQUESTS', integer(0, MAX_COUNT)),
    maxMemoryMiB: read('MAX_MEMORY', integer(0, MAX_MIB)),
    logFormat: read('LOG_FORMAT', choice('text', 'json')),
    logLevel: read('LOG_LEVEL', choice(...LOG_LEVELS)),
    accessLog: read('ACCESS_LOG', boolean),
    controlSocket: read('CONTROL_SOCKET', text) || undefined,
    reloadSurge: read('RELOAD_SURGE', workerShare),
    settleTimeMs: duration('SETTLE_TIME'),
    canaryTimeMs: duration('CANARY_TIME'),
    canaryWorkers: read('CANARY_WORKERS', workerShare),
    keepPreviousMs: duration('KEEP_PREVIOUS'),
    slowTurnMs: duration('SLOW_TURN'),
    adminPort: env.ADMIN_PORT ? read('ADMIN_PORT', integer(1, 65_535)) : undefined,
    adminHost: read('ADMIN_HOST', text),
  };
  return { config, errors, warnings };
}

/** The text with everything but printable ASCII escaped, so that it stays on one line and cannot steer a terminal. */
export const printable = (value: string): string =>
  value.replace(/[^\x20-\x7e]/g, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  });
