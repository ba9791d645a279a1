// A server that is measured: how it is started on a port, seen to answer, and ended with all its processes.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/primary/free-port.ts';
import { ask } from './measure/ask.ts';
import { isAtLeast } from './versions.ts';

/** What a subject may use when it starts. */
export interface Place {
  readonly port: number;
  /** The path of the Node to run on. */
  readonly node: string;
  /** A folder of its own, gone when it has stopped. */
  readonly folder: string;
}

/** What to start. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What is measured. */
export interface Subject {
  /** As it stands in the tables. */
  readonly name: string;
  /** How it is set up, for the report. */
  readonly settings: string;
  /** A program that has to be on the PATH. */
  readonly needs?: string;
  /** The oldest Node that it runs on, `22.19.0`. */
  readonly needsNode?: string;
  /** The path of the Node to run on, where it is not that of the whole run. */
  readonly node?: string;
  readonly version: (node: string) => string;
  readonly command: (place: Place) => Command;
  /** Where its stdout goes; a file in its folder unless it says otherwise. */
  readonly stdout?: (place: Place) => Sink;
  /** Replaces its workers; resolves when new ones serve. */
  readonly reload?: (server: Server) => Promise<void>;
}

/** A file descriptor for a stdout, and how to end what reads it. */
export interface Sink {
  readonly fd: number;
  readonly close: () => void;
}

/** A subject that runs. */
export interface Server extends Place {
  readonly subject: Subject;
  /** The root of its processes. */
  readonly pid: number;
  /** When it was spawned, `performance.now()`. */
  readonly spawnedAt: number;
  /** Asks it to stop and waits for its end; resolves with how long that took, ms. */
  readonly stop: () => Promise<number>;
}

/** A subject that could not be measured as it should. */
export class SubjectError extends Error {}

const START_MS = 30_000;
const STOP_MS = 15_000;
const BODY = 'Hello, World!';

const ends = new Map<ChildProcess, () => void>();
const lasting = new Map<string, string>();

/** Kills whatever still runs and removes its folder; for the way out. */
export function endAll(): void {
  for (const end of ends.values()) end();
  for (const folder of lasting.values()) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** A folder that is there until `endAll()`: for what a subject keeps from one start to the next. */
export function lastingFolder(name: string): string {
  const folder = lasting.get(name) ?? mkdtempSync(join(tmpdir(), 'hello-server-bench-'));
  lasting.set(name, folder);
  return folder;
}

/** Why a subject cannot be measured here; undefined when it can. */
export function absence({ needs, needsNode, node }: Subject, runNode: string): string | undefined {
  if (needsNode !== undefined && !isAtLeast(node ?? runNode, needsNode)) return `needs Node ${needsNode}`;
  const found = (folder: string): boolean => {
    try {
      accessSync(join(folder, needs ?? ''), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  if (needs === undefined || (process.env.PATH ?? '').split(delimiter).some(found)) return undefined;
  return `not on the PATH: ${needs}`;
}

/** Starts a subject and sees to it that it answers as it should; `everyMs` is how often it is asked until it does. */
export async function start(subject: Subject, runNode: string, everyMs = 20): Promise<Server> {
  const node = subject.node ?? runNode;
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-bench-'));
  const place = { port: await freePort(undefined), node, folder };
  const { file, args, env = {} } = subject.command(place);
  const out = subject.stdout?.(place) ?? fileSink(join(folder, 'stdout'));
  const errors = join(folder, 'stderr');
  const err = fileSink(errors);
  const spawnedAt = performance.now();
  const child = spawn(file, args, {
    cwd: folder,
    // A group of its own: all of it can be ended, whatever has become of its root.
    detached: true,
    env: {
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      HOME: folder,
      ...env,
      PORT: String(place.port),
    },
    stdio: ['ignore', out.fd, err.fd],
  });
  err.close();
  const ended = new Promise<void>((resolve) => {
    for (const event of ['exit', 'error']) child.once(event, () => resolve());
  });
  const end = (): void => {
    if (!ends.delete(child)) return;
    if (child.pid !== undefined) killGroup(child.pid);
    out.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  ends.set(child, end);
  const problem = await answers(place.port, child, everyMs);
  if (problem !== undefined) {
    const said = readFileSync(errors, 'utf8').trim().split('\n').at(-1);
    end();
    throw new SubjectError(`${subject.name}: ${problem}${said ? `: ${said}` : ''}`);
  }
  const stop = async (): Promise<number> => {
    const early = isOver(child);
    const asked = performance.now();
    child.kill('SIGTERM');
    const how = await Promise.race([ended, sleep(STOP_MS, 'late', { ref: false })]);
    end();
    if (early) throw new SubjectError(`${subject.name}: ended while it was measured`);
    if (how === 'late') throw new SubjectError(`${subject.name}: expected it to stop within ${STOP_MS} ms`);
    return performance.now() - asked;
  };
  return { ...place, subject, pid: child.pid ?? 0, spawnedAt, stop };
}

function fileSink(path: string): Sink {
  const fd = openSync(path, 'a');
  return { fd, close: () => closeSync(fd) };
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

/** Asks until there is an answer; resolves with what is wrong, if anything is. */
async function answers(port: number, child: ChildProcess, everyMs: number): Promise<string | undefined> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    const answer = await ask(port);
    if (answer !== undefined) {
      const right = answer.status === 200 && answer.body === BODY;
      return right ? undefined : `expected 200 ${BODY}, got ${answer.status} ${answer.body.slice(0, 80)}`;
    }
    if (child.pid === undefined) return 'could not be started';
    if (isOver(child)) return `ended before it served, with ${child.exitCode ?? child.signalCode}`;
    await sleep(everyMs);
  }
  return `expected an answer within ${START_MS} ms`;
}
