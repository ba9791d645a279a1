#!/usr/bin/env node
// The command: reads the command line and the environment once, picks the role, turns what happens into an exit code.

import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import type { Command } from './client/commands.ts';
import { type Config, MAX_WORKERS, parseWorkerCount, printable, readConfig } from './core/config.ts';
import { BAD_CONFIG, OK, WRONG_USAGE } from './core/exit-codes.ts';
import { ASSIGNMENT_VARIABLE, type Assignment } from './core/protocol.ts';

const USAGE = `Usage: hello-server [start] [APP]     serve APP, a module whose default export is (req, res) => ..., from a
                                      cluster of workers; without APP, Hello World
       hello-server status [--json]   what the running server does
       hello-server reload            replace all workers by new ones, without losing a request
       hello-server scale N           run N workers
       hello-server stop              drain and stop
       hello-server --help | --version

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
  const [{ runPrimary }, { resolveApp, selfPath }, { takeInheritance }] = await Promise.all([
    import('./primary/run.ts'),
    import('./primary/paths.ts'),
    import('./primary/systemd.ts'),
  ]);
  const systemd = takeInheritance(process.env, process.pid);
  const config = readEnvironment();
  const app = typed === undefined ? undefined : resolveApp(typed);
  if (app?.problem) refuse(BAD_CONFIG, app.problem);
  process.exit(
    await runPrimary({ config, app: app?.path, systemd, exec: selfPath(import.meta.url), version }),
  );
}

async function beWorker(text: string): Promise<void> {
  delete process.env[ASSIGNMENT_VARIABLE];
  const { runWorker } = await import('./worker/worker.ts');
  await runWorker(JSON.parse(text) as Assignment, version, () => import('./app.ts'));
}

/** Under another cluster's primary, pm2's in its cluster mode, there is no forking workers of our own. */
async function refuseCluster(): Promise<never> {
  process.stderr.write('hello-server forks its own workers: use exec_mode fork\n');
  const { stopOwnEntry } = await import('./primary/pm2.ts');
  await stopOwnEntry();
  process.exit(BAD_CONFIG);
}

async function control(command: Command): Promise<never> {
  const [{ runCommand }, { tmpdir }] = await Promise.all([import('./client/commands.ts'), import('node:os')]);
  const { port, controlSocket } = readEnvironment();
  const looked = {
    env: process.env,
    tmp: tmpdir(),
    uid: process.getuid?.() ?? 0,
    explicit: controlSocket,
    port,
  };
  const terminal = {
    out: (text: string) => void process.stdout.write(text),
    err: (text: string) => void process.stderr.write(text),
  };
  process.exit(await runCommand(command, looked, terminal));
}

/** The command in the arguments, if it is one that talks to a running primary; ends the process on wrong usage. */
function commandIn([name, ...rest]: string[]): Command | undefined {
  switch (name) {
    case 'status': {
      const [json, ...more] = rest;
      if ((json !== undefined && json !== '--json') || more.length > 0)
        refuseArguments('status [--json]', name, rest);
      return { name, json: json === '--json' };
    }
    case 'reload':
    case 'stop':
      if (rest.length > 0) refuseArguments(name, name, rest);
      return { name };
    case 'scale': {
      const workers = parseWorkerCount(rest[0] ?? '');
      if (rest.length !== 1 || workers === undefined) {
        refuseArguments(`scale N with N an integer from 1 to ${MAX_WORKERS}`, name, rest);
      }
      return { name, workers };
    }
    default:
      return undefined;
  }
}

function refuseArguments(expected: string, name: string, rest: string[]): never {
  refuse(WRONG_USAGE, `expected ${expected}, got \`${printable([name, ...rest].join(' '))}\``);
}

async function main(args: string[]): Promise<void> {
  const assignment = process.env[ASSIGNMENT_VARIABLE];
  if (cluster.isWorker && assignment) return beWorker(assignment);
  if (cluster.isWorker) return refuseCluster();
  const command = commandIn(args);
  if (command) return control(command);
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

// Not awaited: a worker that drains while it boots ends with its boot unfinished, and Node would warn of that.
void main(process.argv.slice(2));
