// What `startFleet` is given: what is wrong with it, and the command line and environment of the primary that come of it.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CALLER_VARIABLE } from '../core/caller.ts';
import { DEFAULTS, MAX_WORKERS, printable, readConfig } from '../core/config.ts';

/** An environment: the settings by the names that README.md has, and whatever the app reads. */
export type FleetEnv = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a fleet is run. All of it is optional. */
export interface FleetOptions {
  /** The file or package of the app, a path relative to `cwd`, or a `file:` URL. Default: Hello World. */
  readonly app?: string | URL | undefined;
  /** The app's own arguments, in its `process.argv`. Default: none. */
  readonly args?: readonly string[] | undefined;
  /** The public port, 0 to 65535; 0 picks a free one. Default: `PORT` in the environment, else 3000. */
  readonly port?: number | undefined;
  /** The address to bind. Default: `HOST` in the environment, else all, IPv6 and IPv4. */
  readonly host?: string | undefined;
  /** How many workers, 1 to 512; `'auto'` = as many as processors. Default: `WEB_CONCURRENCY` in the environment, else auto. */
  readonly workers?: number | 'auto' | undefined;
  /** Settings and the app's own variables, before those of this process; undefined takes one of these away. Default: none. */
  readonly env?: FleetEnv | undefined;
  /** Files of such variables, which each reload reads anew; the environment comes before them. Default: none. */
  readonly envFiles?: readonly string[] | undefined;
  /** The folder that the fleet runs in. Default: that of this process. */
  readonly cwd?: string | undefined;
  /** The Node to run it on. Default: that of this process. */
  readonly node?: string | undefined;
  /** Stops the fleet in order when it aborts, also one that still starts. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Where the log goes: to this process's stdout and stderr, to streams of the fleet, or nowhere. Default: `'inherit'`. */
  readonly stdio?: 'inherit' | 'pipe' | 'ignore' | undefined;
}

/** How to start the primary. */
export interface Launch {
  readonly node: string;
  /** Those after the file. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdio: 'inherit' | 'pipe' | 'ignore';
  readonly signal: AbortSignal | undefined;
}

/**
 * Variables that mean this process, or what it runs under, and no primary that it starts: node:cluster's and Node's channel,
 * systemd's socket and notifications, pm2's entry. Those of hello-server itself are meant too: this process may be its app.
 */
const OWN =
  /^(?:NODE_UNIQUE_ID|NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE|NODE_APP_INSTANCE|LISTEN_(?:PID|FDS|FDNAMES)|NOTIFY_SOCKET|WATCHDOG_(?:PID|USEC)|pm_id|HELLO_SERVER_.*)$/;

type Known = keyof FleetOptions;
type Check = { readonly expected: string; readonly holds: (value: unknown) => boolean };

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.includes('\0');
const isFileUrl = (value: unknown): boolean => value instanceof URL && value.protocol === 'file:';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isWhole = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
const isSignal = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;

const CHECKS: Readonly<Record<Known, Check>> = {
  app: { expected: 'a path or a file: URL', holds: (value) => isText(value) || isFileUrl(value) },
  args: {
    expected: 'a list of texts',
    holds: (value) => Array.isArray(value) && value.every((each) => each === '' || isText(each)),
  },
  port: { expected: 'an integer from 0 to 65535', holds: (value) => isWhole(value, 0, 65_535) },
  host: { expected: 'an address', holds: isText },
  workers: {
    expected: `an integer from 1 to ${MAX_WORKERS} or 'auto'`,
    holds: (value) => value === 'auto' || isWhole(value, 1, MAX_WORKERS),
  },
  env: {
    expected: 'an object of variables',
    holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  },
  envFiles: { expected: 'a list of paths', holds: isTexts },
  cwd: { expected: 'a path', holds: isText },
  node: { expected: 'a path', holds: isText },
  signal: { expected: 'an AbortSignal', holds: isSignal },
  stdio: {
    expected: "one of 'inherit', 'pipe', 'ignore'",
    holds: (value) => value === 'inherit' || value === 'pipe' || value === 'ignore',
  },
};

/** The settings that have an option of their own. */
const SETTINGS = { port: 'PORT', host: 'HOST', workers: 'WEB_CONCURRENCY' } as const;

/** A number of workers as `scale` takes it; throws a TypeError for anything else. */
export function checkWorkers(workers: unknown): asserts workers is number {
  if (!isWhole(workers, 1, MAX_WORKERS))
    throw new TypeError(`workers: expected an integer from 1 to ${MAX_WORKERS}, got ${shown(workers)}`);
}

/**
 * How to start the primary of these options; throws a TypeError that names what is wrong, one line each.
 * @param own this process's environment, Node and folder
 */
export function launchOf(
  options: FleetOptions,
  own: { readonly env: NodeJS.ProcessEnv; readonly node: string; readonly cwd: string },
): Launch {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new TypeError(problems.join('\n'));
  const { app, args = [], cwd, envFiles = [], stdio = 'inherit', node = own.node, signal } = options;
  const folder = cwd === undefined ? own.cwd : resolve(own.cwd, cwd);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own.env)) {
    if (value !== undefined && !OWN.test(name)) env[name] = value;
  }
  // As it was typed: the primary takes a path through symbolic links from it, and one that is another folder's it ignores.
  if (cwd !== undefined) env.PWD = folder;
  for (const [name, value] of Object.entries(given(options))) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  env[CALLER_VARIABLE] = '1';
  return {
    node,
    args: [
      'start',
      ...envFiles.map((file) => `--env-file=${file}`),
      ...(app === undefined ? [] : [appPath(app)]),
      ...(app === undefined || args.length === 0 ? [] : ['--', ...args]),
    ],
    env,
    cwd: folder,
    stdio,
    signal,
  };
}

/** An option of the command line is none of an app's file. */
const appPath = (app: string | URL): string => {
  const path = typeof app === 'string' ? app : fileURLToPath(app);
  return path.startsWith('-') ? `./${path}` : path;
};

/** The variables that the options set, or take away. */
function given(options: FleetOptions): Record<string, string | undefined> {
  const all: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(options.env ?? {}))
    all[name] = value === undefined ? undefined : String(value);
  for (const [name, variable] of Object.entries(SETTINGS)) {
    const value = options[name as keyof typeof SETTINGS];
    if (value !== undefined) all[variable] = String(value);
  }
  return all;
}

function problemsOf(options: FleetOptions): string[] {
  if (typeof options !== 'object' || options === null)
    return [`options: expected an object, got ${shown(options)}`];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as Known] : undefined;
    if (!check)
      problems.push(`${name}: expected one of ${Object.keys(CHECKS).join(', ')}, got \`${printable(name)}\``);
    else if (value !== undefined && !check.holds(value))
      problems.push(`${name}: expected ${check.expected}, got ${shown(value)}`);
  }
  if (problems.length > 0) return problems;
  if (options.args?.length && options.app === undefined)
    problems.push('args: expected an app that has them, got none');
  return [...problems, ...environmentProblems(options)];
}

function environmentProblems(options: FleetOptions): string[] {
  const { env = {} } = options;
  const problems: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    const isFine =
      value === undefined ||
      typeof value === 'number' ||
      typeof value === 'boolean' ||
      typeof value === 'string';
    if (!isFine || String(value).includes('\0'))
      problems.push(`env.${printable(name)}: expected a text, a number or a boolean, got ${shown(value)}`);
    else if (name === '' || /[=\0]/.test(name))
      problems.push(`env: expected the name of a variable, got \`${printable(name)}\``);
  }
  for (const [name, variable] of Object.entries(SETTINGS)) {
    if (options[name as keyof typeof SETTINGS] !== undefined && env[variable] !== undefined)
      problems.push(`${name}: expected either this option or env.${variable}, got both`);
  }
  const settings = Object.entries(given(options)).filter(([name]) => name in DEFAULTS);
  return [...problems, ...readConfig(Object.fromEntries(settings)).errors];
}

/** A value as an error says it. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return `\`${printable(String(value))}\``;
}
