// Profiles a worker's CPU, or takes a snapshot of its heap: opens its inspector for that time, and has another process ask it.

import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Profiling } from '../control/profile.ts';
import type { Handle } from './world.ts';

/** A worker that does not open its inspector within this time is not profiled. */
const OPEN_MS = 2000;
/** The probe has so long beyond the time that it profiles: a busy worker answers late. */
const LATE_MS = 15_000;
/** A snapshot takes no longer: one of 500 MiB took 84 s. */
const SNAPSHOT_MS = 600_000;

const PROFILE_PROBE = fileURLToPath(new URL('./profile-probe.js', import.meta.url));
const HEAP_PROBE = fileURLToPath(new URL('./heap-probe.js', import.meta.url));

/** Begins to profile a worker for so many seconds; undefined where its inspector does not open. */
export const profile = (handle: Handle, seconds: number): Promise<Profiling | undefined> =>
  probe(handle, PROFILE_PROBE, [String(seconds)], seconds * 1000 + LATE_MS);

/** Begins a snapshot of a worker's heap; undefined where its inspector does not open. */
export const takeHeap = (handle: Handle): Promise<Profiling | undefined> =>
  probe(handle, HEAP_PROBE, [], SNAPSHOT_MS);

async function probe(
  handle: Handle,
  file: string,
  args: readonly string[],
  timeout: number,
): Promise<Profiling | undefined> {
  const address = await handle.openInspector(OPEN_MS);
  if (address === undefined) return undefined;
  // A process of its own, as for the explanation of a hang: nothing of this can hurt the primary.
  const options = ['--experimental-websocket', '--no-warnings'];
  const child = spawn(process.execPath, [...options, file, address, ...args], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<boolean>((resolve) => {
    child.once('close', (code) => resolve(code === 0));
    child.once('error', () => resolve(false));
  });
  // Without a descriptor to spare there is no process either.
  const output: Readable | null = child.stdout;
  return output ? { output, ended, cancel: () => void child.kill('SIGKILL') } : undefined;
}
