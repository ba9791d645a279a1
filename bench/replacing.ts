// How the end of a reload is seen.

import { execFile } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { workersOf } from './measure/process-tree.ts';
import { type Server, SubjectError } from './subject.ts';

/** A reload that takes longer has failed. */
const RELOAD_MS = 100_000;

/** Signals the root and waits until none of its workers is one that it had before. */
export async function replaceWorkers(server: Server, signal: NodeJS.Signals): Promise<void> {
  const before = workersOf(server.pid);
  process.kill(server.pid, signal);
  await until(() => {
    const now = workersOf(server.pid);
    return now.length >= before.length && !now.some((pid) => before.includes(pid));
  }, server);
}

/** Waits for what ends a reload. */
export async function until(condition: () => boolean | Promise<boolean>, { subject }: Server): Promise<void> {
  const deadline = performance.now() + RELOAD_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new SubjectError(`${subject.name}: expected its reload to be over within ${RELOAD_MS} ms`);
    await sleep(50);
  }
}

/** Runs a manager's own command for a reload, on the server's Node; it is over when the command is. */
export async function byCommand(
  { node, subject }: Server,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await promisify(execFile)(node, args, {
      env: { PATH: `${dirname(node)}${delimiter}${process.env.PATH}`, ...env },
      timeout: RELOAD_MS,
    });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? error.stdout : error;
    throw new SubjectError(`${subject.name}: expected its reload to succeed, got ${String(said).trim()}`);
  }
}
