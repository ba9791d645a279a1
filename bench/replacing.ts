// How the end of a reload is seen.

import { setTimeout as sleep } from 'node:timers/promises';
import { workersOf } from './measure/process-tree.ts';
import { type Server, SubjectError } from './subject.ts';

/** A reload that takes longer has failed. */
export const RELOAD_MS = 100_000;

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
