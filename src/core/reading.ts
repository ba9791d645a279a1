// One reading of the environment, the process's own and that of env files: what it configures, and what of it a reload can change.

import { type Config, type LongDuration, readConfig, type Variable } from './config.ts';
import type { EnvFile } from './env-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;
/** What workers find beside or instead of what this process has. */
export type WorkerEnv = Environment;

/** What a reading says. */
export interface Reading {
  readonly config: Config;
  /** What env files make of the environment that workers inherit; undefined = unset. */
  readonly env: WorkerEnv;
}

/** A reading with what is to be said of it. */
export interface Checked {
  readonly reading: Reading;
  /** One line for each variable and line that cannot be read; the reading holds the default there. */
  readonly errors: readonly string[];
  readonly warnings: readonly LongDuration[];
  /** Whether PORT is set. */
  readonly portGiven: boolean;
}

const saidBy = (files: readonly EnvFile[]): Record<string, string> =>
  Object.assign(Object.create(null), ...files.map(({ values }) => values));

/**
 * The variables that a process has from the same files, as they say the same at its start: systemd reads its
 * EnvironmentFile= before it. Of these a change of the file counts.
 */
export const sameAs = (process: Environment, files: readonly EnvFile[]): string[] =>
  Object.entries(saidBy(files)).flatMap(([name, value]) => (process[name] === value ? [name] : []));

/**
 * Reads the environment of the process, which comes first, and what the env files say, of which the last comes first.
 * @param same the variables of the process that are those of the files: see {@link sameAs}
 */
export function checkReading(
  process: Environment,
  files: readonly EnvFile[],
  same: readonly string[] = [],
): Checked {
  const unset = Object.fromEntries(same.map((name) => [name, undefined]));
  const own = { ...process, ...unset };
  const said = saidBy(files);
  const added = Object.fromEntries(Object.entries(said).filter(([name]) => own[name] === undefined));
  const env = { ...unset, ...added };
  const { config, errors, warnings } = readConfig({ ...own, ...env });
  return {
    reading: { config, env },
    errors: [...files.flatMap((file) => file.errors), ...errors],
    warnings,
    portGiven: Boolean(own.PORT ?? env.PORT),
  };
}

/** What a running primary keeps as it began, and the variables that say it. */
const FIXED = {
  port: 'PORT',
  host: 'HOST',
  logFormat: 'LOG_FORMAT',
  controlSocket: 'CONTROL_SOCKET',
  adminPort: 'ADMIN_PORT',
  adminHost: 'ADMIN_HOST',
} as const satisfies Partial<Record<keyof Config, Variable>>;

/** The `next` reading as it can take effect in a primary that began with `first`, and the variables that want a restart. */
export function renewed(first: Reading, next: Reading): { reading: Reading; fixed: readonly Variable[] } {
  const names = Object.keys(FIXED) as (keyof typeof FIXED)[];
  const kept = Object.fromEntries(names.map((name) => [name, first.config[name]]));
  const fixed = names.filter((name) => next.config[name] !== first.config[name]).map((name) => FIXED[name]);
  return { reading: { config: { ...next.config, ...kept }, env: next.env }, fixed };
}
