#!/bin/sh
// The command: reads the command line and the environment once, picks the role, turns what happens into an exit code.

import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from './client/commands.ts';
import { type Asked, readCommandLine } from './command-line.ts';
import { CALLER_VARIABLE } from './core/caller.ts';
import type { EnvFile } from './core/env-file.ts';
import { BAD_CONFIG, CANNOT_SERVE, OK, WRONG_USAGE } from './core/exit-codes.ts';
import { ASSIGNMENT_VARIABLE, type Assignment } from './core/protocol.ts';
import { checkReading, sameAs } from './core/reading.ts';
import { SUCCESSION_VARIABLE, type Succession, socketProblem } from './core/succession.ts';
import type { Development } from './dev/development.ts';
import { missingPermissions } from './host/permissions.ts';
import type { Wish } from './init/wish.ts';

/** The settings that say where a server is. */
const WHERE = /^(PORT|HOST|CONTROL_SOCKET): /;
const PACKAGE = new URL('../package.json', import.meta.url);
/** The version of this package. */
const readVersion = (): string => JSON.parse(readFileSync(PACKAGE, 'utf8')).version;

/** Ends the process with one line on stderr for each problem. */
function refuse(code: number, ...problems: string[]): never {
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
  process.exit(code);
}

/** What the env files of these paths say. */
async function readFiles(paths: readonly string[] = []): Promise<EnvFile[]> {
  if (paths.length === 0) return [];
  const { readEnvFiles } = await import('./host/env-files.ts');
  return readEnvFiles(paths);
}

async function start({
  app: typed,
  args = [],
  envFiles,
  dev = false,
}: Extract<Asked, { asked: 'start' }>): Promise<never> {
  const [{ runPrimary }, { resolveApp, selfPath, workingDirectory }, { takeInheritance }] = await Promise.all(
    [import('./primary/run.ts'), import('./host/paths.ts'), import('./host/systemd.ts')],
  );
  const fromCode = process.env[CALLER_VARIABLE] !== undefined;
  delete process.env[CALLER_VARIABLE];
  if (fromCode && !process.connected) refuse(CANNOT_SERVE, 'the process that started this fleet has gone');
  const handed = process.env[SUCCESSION_VARIABLE];
  delete process.env[SUCCESSION_VARIABLE];
  const succession = handed === undefined ? undefined : (JSON.parse(handed) as Succession);
  const inherited = takeInheritance(process.env, process.pid);
  const systemd = { ...inherited, ...succession?.systemd };
  if (systemd.sockets > 1) refuse(BAD_CONFIG, `expected one socket from systemd, got ${systemd.sockets}`);
  const files = envFiles?.map((file) => resolve(workingDirectory(), file));
  const app = typed === undefined ? undefined : resolveApp(typed);
  const development = dev && app?.entry ? await develop(app.entry, files) : undefined;
  const read = async (): Promise<EnvFile[]> => {
    const said = await readFiles(files);
    return development ? development.layered(said) : said;
  };
  const said = await read();
  const same = sameAs(process.env, said);
  const environment = checkReading(process.env, said, same);
  const { reading, portGiven } = environment;
  const moved = succession && socketProblem(succession, reading.config, portGiven);
  const cannotRun = development?.problem && `${typed}: ${development.problem}`;
  const problems = [...environment.errors, moved, app?.problem, cannotRun].filter(
    (problem) => problem !== undefined,
  );
  if (problems.length > 0) await refuseStart(succession, fromCode, ...problems);
  const cwd = workingDirectory(app?.path, process.argv[1]);
  process.exit(
    await runPrimary({
      environment,
      readAgain: files && (async () => checkReading(process.env, await read(), same)),
      app: app?.path,
      args,
      systemd,
      cwd,
      exec: selfPath(import.meta.url, cwd),
      version: readVersion(),
      same,
      succession,
      development,
      fromCode,
    }),
  );
}

/** What `dev` adds to a start. */
async function develop(entry: string, envFiles: readonly string[] = []): Promise<Development> {
  const { Development } = await import('./dev/development.ts');
  return new Development(entry, envFiles, process.env);
}

/** One that was to take another's place leaves it to that one to say why it does not; who started it from code is told, too. */
async function refuseStart(
  succession: Succession | undefined,
  fromCode: boolean,
  ...problems: string[]
): Promise<never> {
  if (fromCode) {
    const { refuseCaller } = await import('./primary/caller.ts');
    await refuseCaller(problems.join('\n'));
  }
  if (!succession || !process.connected) refuse(BAD_CONFIG, ...problems);
  const { tellPredecessor } = await import('./primary/predecessor.ts');
  await tellPredecessor({ type: 'failed', reason: problems.join('; ') });
  return process.exit(BAD_CONFIG);
}

async function beWorker(text: string): Promise<void> {
  delete process.env[ASSIGNMENT_VARIABLE];
  const { runWorker } = await import('./worker/worker.ts');
  await runWorker(JSON.parse(text) as Assignment, readVersion(), () => import('./app.ts'));
}

/** Under another cluster's primary, pm2's in its cluster mode, there is no forking workers of our own. */
async function refuseCluster(): Promise<never> {
  process.stderr.write('hello-server forks its own workers: use exec_mode fork\n');
  const { stopOwnEntry } = await import('./host/pm2.ts');
  await stopOwnEntry();
  process.exit(BAD_CONFIG);
}

async function control(command: Command, envFiles: readonly string[] | undefined): Promise<never> {
  const [{ runCommand }, { ownTerminal }, { tmpdir }] = await Promise.all([
    import('./client/commands.ts'),
    import('./client/terminal.ts'),
    import('node:os'),
  ]);
  const files = await readFiles(envFiles);
  const { reading, errors } = checkReading(process.env, files);
  // A command needs no more than where to look. What else is wrong with the settings is for the server to say: a reload
  // that is to bring them is abandoned there.
  const problems = errors.filter(
    (error) => WHERE.test(error) || files.some((file) => file.errors.includes(error)),
  );
  if (problems.length > 0) refuse(BAD_CONFIG, ...problems);
  const { port, host, controlSocket } = reading.config;
  const looked = {
    env: process.env,
    tmp: tmpdir(),
    uid: process.getuid?.() ?? 0,
    explicit: controlSocket,
    port,
    host,
  };
  process.exit(await runCommand(command, looked, ownTerminal(process.env)));
}

async function write(wish: Wish): Promise<never> {
  const { init } = await import('./init/init.ts');
  const { code, out, err } = await init(wish, process.env);
  process.stdout.write(out);
  process.stderr.write(err);
  process.exit(code);
}

async function main(args: string[]): Promise<void> {
  const assignment = process.env[ASSIGNMENT_VARIABLE];
  if (cluster.isWorker && assignment) return beWorker(assignment);
  if (cluster.isWorker) return refuseCluster();
  const line = readCommandLine(args);
  const missing = missingPermissions([fileURLToPath(PACKAGE)], line.asked === 'start');
  if (missing.length > 0)
    refuse(BAD_CONFIG, `expected --permission with ${missing.join(', ')}, got it without`);
  switch (line.asked) {
    case 'start':
      return start(line);
    case 'command':
      return control(line.command, line.envFiles);
    case 'init':
      return write({ ...line.wish, envFiles: line.envFiles ?? [] });
    case 'print':
    case 'version':
      process.stdout.write(line.asked === 'print' ? line.text : `${readVersion()}\n`);
      return process.exit(OK);
    case 'nothing':
      return refuse(WRONG_USAGE, line.problem);
  }
}

// Not awaited: a worker that drains while it boots ends with its boot unfinished, and Node would warn of that.
void main(process.argv.slice(2));
