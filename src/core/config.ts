// The environment as tabled in the README: one row per variable, all errors reported together.

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

const seconds: Kind<number> = {
  expected: `seconds from 0 to ${MAX_SECONDS}`,
  parse: (text) =>
    /^(\d+\.?\d*|\.\d+)$/.test(text) && Number(text) <= MAX_SECONDS ? Number(text) * 1000 : undefined,
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
} as const;
export type Variable = keyof typeof DEFAULTS;

/**
 * Reads the configuration out of an environment. Unset and empty mean the default.
 * `errors` has one line for each variable that cannot be read; the configuration holds its default there.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): {
  config: Config;
  errors: string[];
} {
  const errors: string[] = [];
  const read = <T>(name: Variable, kind: Kind<T>): T => {
    const given = env[name] || DEFAULTS[name];
    const value = kind.parse(given);
    if (value !== undefined) return value;
    errors.push(`${name}: expected ${kind.expected}, got \`${printable(given)}\``);
    return kind.parse(DEFAULTS[name]) as T;
  };
  const config: Config = {
    port: read('PORT', integer(0, 65_535)),
    host: read('HOST', text) || undefined,
    workers: read('WEB_CONCURRENCY', workers),
    requestTimeoutMs: read('REQUEST_TIMEOUT', seconds),
    keepAliveTimeoutMs: read('KEEP_ALIVE_TIMEOUT', seconds),
    drainTimeoutMs: read('DRAIN_TIMEOUT', seconds),
    shutdownDelayMs: read('SHUTDOWN_DELAY', seconds),
    shutdownTimeoutMs: read('SHUTDOWN_TIMEOUT', seconds),
    bootTimeoutMs: read('BOOT_TIMEOUT', seconds),
    hangTimeoutMs: read('HANG_TIMEOUT', seconds),
    maxRequests: read('MAX_REQUESTS', integer(0, MAX_COUNT)),
    maxMemoryMiB: read('MAX_MEMORY', integer(0, MAX_MIB)),
    logFormat: read('LOG_FORMAT', choice('text', 'json')),
    logLevel: read('LOG_LEVEL', choice(...LOG_LEVELS)),
    accessLog: read('ACCESS_LOG', boolean),
    controlSocket: read('CONTROL_SOCKET', text) || undefined,
  };
  return { config, errors };
}

/** The text with everything but printable ASCII escaped, so that it stays on one line and cannot steer a terminal. */
export const printable = (value: string): string =>
  value.replace(/[^\x20-\x7e]/g, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  });
