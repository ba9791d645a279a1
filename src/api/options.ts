// The options of startFleet(): what they may be, and the command line and environment that they come to. Pure.

import { DEFAULTS, MAX_WORKERS, printable, readConfig, type Variable } from '../core/config.ts';
import { OWNER_VARIABLE } from '../core/fleet-events.ts';
import { ASSIGNMENT_VARIABLE } from '../core/protocol.ts';
import { SUCCESSION_VARIABLE } from '../core/succession.ts';

/** What a fleet runs, and how. */
export interface FleetOptions {
  /** The app: a file, a folder with a package.json, or a file: URL; relative to `cwd`. Default: Hello, which answers `Hello, World!`. */
  readonly app?: string | URL;
  /** The app's own arguments. */
  readonly args?: readonly string[];
  /** The port, 0 to 65535; 0 picks a free one. Default: `PORT` of the environment, else 3000. */
  readonly port?: number;
  /** The address to bind. Default: `HOST` of the environment, else all. */
  readonly host?: string;
  /** The number of workers, 1 to 512, or `'auto'`: the CPUs that the process may use. Default: `WEB_CONCURRENCY`, else `'auto'`. */
  readonly workers?: number | 'auto';
  /**
   * The other settings, by their names in the environment, durations in seconds: `{ DRAIN_TIMEOUT: 30 }`; and what else the
   * app is to find in its environment. They come on top of the environment of this process; undefined takes one away.
   */
  readonly env?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Files of settings, read at the start and again at each reload. */
  readonly envFiles?: readonly string[];
  /** Stops the fleet when it aborts, as `fleet.stop()` does. */
  readonly signal?: AbortSignal;
  /** The folder to start in. Default: that of this process. */
  readonly cwd?: string;
  /** The path of the Node to run on. Default: that of this process. */
  readonly node?: string;
  /** Where the log goes: this process's stdout and stderr (`'inherit'`, the default), nowhere, or `fleet.stdout` and `fleet.stderr`. */
  readonly stdio?: 'inherit' | 'ignore' | 'pipe';
}

/** How the primary is started. */
export interface Started {
  /** What stands behind main.js. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the environment of this process says to this process alone: of its cluster, its parent's channel, its service manager. */
const NOT_HANDED_ON = [
  'NODE_UNIQUE_ID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'pm_id',
  ASSIGNMENT_VARIABLE,
  SUCCESSION_VARIABLE,
] as const;

type Kind = readonly [is: (value: unknown) => boolean, expected: string];

const isString = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isInteger = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
const allStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** What each option may be. */
export const KINDS: Readonly<Record<keyof FleetOptions, Kind>> = {
  app: [
    (value) => isString(value) || (value instanceof URL && value.protocol === 'file:'),
    'a path or a file: URL',
  ],
  args: [allStrings, 'an array of strings'],
  port: [(value) => isInteger(value, 0, 65_535), 'an integer from 0 to 65535'],
  host: [isString, 'an address'],
  workers: [
    (value) => value === 'auto' || isInteger(value, 1, MAX_WORKERS),
    `'auto' or an integer from 1 to ${MAX_WORKERS}`,
  ],
  env: [
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((one) => ['string', 'number', 'boolean', 'undefined'].includes(typeof one)),
    'an object of strings, numbers and booleans',
  ],
  envFiles: [allStrings, 'an array of paths'],
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal'],
  cwd: [isString, 'a path'],
  node: [isString, 'a path'],
  stdio: [
    (value) => ['inherit', 'ignore', 'pipe'].includes(value as string),
    "'inherit', 'ignore' or 'pipe'",
  ],
};

/**
 * The command line and environment for the primary; `pathOf` makes a path of a URL.
 * @throws TypeError with one line for each option or setting that cannot be
 */
export function started(
  options: FleetOptions,
  environment: Readonly<Record<string, string | undefined>>,
  pathOf: (url: URL) => string,
): Started {
  const problems = Object.entries(options).flatMap(([name, value]) => {
    if (!Object.hasOwn(KINDS, name)) return [`${name}: expected one of ${Object.keys(KINDS).join(', ')}`];
    const [is, expected] = KINDS[name as keyof FleetOptions];
    return value === undefined || is(value) ? [] : [`${name}: expected ${expected}, got ${shown(value)}`];
  });
  if (problems.length > 0) throw new TypeError(problems.join('\n'));
  const { app, args = [], port, host, workers, env = {}, envFiles = [] } = options;
  const own: Partial<Record<Variable, string | number | undefined>> = {
    PORT: port,
    HOST: host,
    WEB_CONCURRENCY: workers,
  };
  const said = [
    ...Object.entries(own).filter(([, value]) => value !== undefined),
    ...Object.entries(env).filter(([name]) => own[name as Variable] === undefined),
  ];
  const merged: Record<string, string | undefined> = { ...environment };
  for (const name of NOT_HANDED_ON) delete merged[name];
  for (const [name, value] of said) merged[name] = value === undefined ? undefined : String(value);
  const whole = Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  // What files say is the primary's to read; what stands here can be said at once, and to whom it concerns.
  const { errors } = readConfig(Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, whole[name]])));
  if (errors.length > 0) throw new TypeError(errors.join('\n'));
  return {
    args: [
      'start',
      ...envFiles.flatMap((file) => ['--env-file', file]),
      ...(app === undefined ? [] : [app instanceof URL ? pathOf(app) : asFile(app)]),
      ...(args.length === 0 ? [] : ['--', ...args]),
    ],
    env: { ...whole, [OWNER_VARIABLE]: '1' },
  };
}

/** A path that begins with a dash would be taken for an option. */
const asFile = (path: string): string => (path.startsWith('-') ? `./${path}` : path);

const shown = (value: unknown): string =>
  `\`${printable(typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'an array' : 'an object') : String(value))}\``;
