// The settings that init finds, and which of them stand in what it writes.

import { type Config, DEFAULTS, type Variable } from '../core/config.ts';
import type { EnvFile } from '../core/env-file.ts';
import { BAD_CONFIG } from '../core/exit-codes.ts';
import { checkReading } from '../core/reading.ts';
import { Refused } from './wish.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
type Values = Readonly<Partial<Record<Variable, string>>>;

export interface Found {
  readonly config: Config;
  /** Those that are set in the environment of the command: they go into the file. */
  readonly own: Values;
  /** Those, and the ones that the env files set. */
  readonly all: Values;
}

/** Where a server is on this machine says nothing of a container. */
const OF_THIS_MACHINE: readonly string[] = ['HOST', 'CONTROL_SOCKET'];

/** Reads the settings as a start would; refuses them with all that is wrong. */
export function findSettings(env: Environment, files: readonly EnvFile[]): Found {
  const { reading, errors } = checkReading(env, files);
  if (errors.length > 0) throw new Refused(BAD_CONFIG, ...errors);
  return {
    config: reading.config,
    own: picked(env),
    all: picked({ ...env, ...reading.env }),
  };
}

function picked(env: Environment): Values {
  const set = Object.keys(DEFAULTS).flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  return Object.fromEntries(set);
}

/** The settings that stand in the file of a container, those apart that it has by itself; the port always, as it is published. */
export function inContainer(values: Values, { port }: Config, ...apart: readonly Variable[]): Values {
  const kept = Object.entries({ ...values, PORT: String(port) }).filter(
    ([name]) => !OF_THIS_MACHINE.includes(name) && !(apart as readonly string[]).includes(name),
  );
  return Object.fromEntries(kept);
}

/** The port, where it has to be known before the server runs. */
export function fixedPort(kind: string, { port }: Config): number {
  if (port !== 0) return port;
  throw new Refused(BAD_CONFIG, `PORT: expected an integer from 1 to 65535 for ${kind}, got \`0\``);
}
