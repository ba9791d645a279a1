// One reading of the environment, the process's own and that of env files: what it configures, and what of it a reload can change.

import { type Config, type LongDuration, readConfig, type Variable } from './config.ts';
import type { EnvFile } from './env-file.ts';

/** What a reading says. */
export interface Reading {
  readonly config: Config;
  /** What env files add to the environment of workers. */
  readonly env: Readonly<Record<string, string>>;
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

/** Reads the environment of the process `own`, which comes first, and what the env files say, of which the last comes first. */
export function checkReading(
  own: Readonly<Record<string, string | undefined>>,
  files: readonly EnvFile[],
): Checked {
  const said: Record<string, string> = Object.assign({}, ...files.map(({ values }) => values));
  const added = Object.entries(said).filter(([name]) => own[name] === undefined);
  const env = Object.fromEntries(added);
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
