#!/usr/bin/env node
// The command: reads the command line and the environment once, picks the role, turns what happens into an exit code.

import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { type Config, printable, readConfig } from './core/config.ts';
import { BAD_CONFIG, OK, WRONG_USAGE } from './core/exit-codes.ts';
import { type Assignment, ASSIGNMENT_VARIABLE } from './core/protocol.ts';

const USAGE = `Usage: hello-server [start] [APP]

Serves APP, a module whose default export is (req, res) => ..., from a cluster of workers; without APP, Hello World.

Options:
  --help      this text
  --version   the version

The environment configures it (PORT, WEB_CONCURRENCY, ...): see deploy/hello-server.env.
`;

const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

/** Ends the process with one line on stderr for each problem. */
function refuse(code: number, ...problems: string[]): never {
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
  process.exit(code);
}

function readEnvironment(): Config {
  const { config, errors } = readConfig(process.env);
  if (errors.length > 0) refuse(BAD_CONFIG, ...errors);
  return config;
}

async function start(typed: string | undefined): Promise<never> {
  const [{ runPrimary }, { resolveApp, selfPath }] = await Promise.all([
    import('./primary/primary.ts'),
    import('./primary/paths.ts'),
  ]);
  const config = readEnvironment();
  const app = typed === undefined ? undefined : resolveApp(typed);
  if (app?.problem) refuse(BAD_CONFIG, app.problem);
  process.exit(await runPrimary({ config, app: app?.path, exec: selfPath(import.meta.url), version }));
}

async function beWorker(text: string): Promise<void> {
  delete process.env[ASSIGNMENT_VARIABLE];
  const { runWorker } = await import('./worker/worker.ts');
  await runWorker(JSON.parse(text) as Assignment, version, () => import('./app.ts'));
}

async function main(args: string[]): Promise<void> {
  const assignment = process.env[ASSIGNMENT_VARIABLE];
  if (cluster.isWorker && assignment) return beWorker(assignment);
  if (cluster.isWorker) refuse(BAD_CONFIG, 'hello-server forks its own workers: use exec_mode fork');
  const option = args.find((arg) => arg.startsWith('-'));
  if (option === '--help' || option === '--version') {
    process.stdout.write(option === '--help' ? USAGE : `${version}\n`);
    process.exit(OK);
  }
  if (option) refuse(WRONG_USAGE, `expected --help or --version, got \`${printable(option)}\``);
  const [app, ...rest] = args[0] === 'start' ? args.slice(1) : args;
  if (rest.length > 0) refuse(WRONG_USAGE, `expected one APP, got \`${printable(args.join(' '))}\``);
  await start(app);
}

await main(process.argv.slice(2));
