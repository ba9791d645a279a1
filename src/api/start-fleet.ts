// startFleet(): runs a fleet from code, its primary in a process of its own.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Fleet, listening } from './fleet.ts';
import { type FleetOptions, started } from './options.ts';

/** What every process of a fleet runs. */
const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

/**
 * Runs a fleet: a primary and its workers, which serve `options.app`. Resolves when all workers of the first generation listen.
 *
 * The primary is a process of its own, so nothing that this program does can hold it up. It stops, in order, when `signal`
 * aborts, when `fleet.stop()` is called, and when this program ends, however it ends.
 *
 * @throws TypeError with one line for each option that cannot be; FleetError when the fleet cannot serve, its message what the
 * primary says of it: `Port 3000 is already in use`; the signal's reason when it aborts before the fleet serves
 */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { args, env } = started(options, process.env, fileURLToPath);
  const { signal, cwd = process.cwd(), node = process.execPath, stdio = 'inherit' } = options;
  signal?.throwIfAborted();
  // PWD names the folder as it was typed, and is not that of another one.
  const environment = options.cwd === undefined ? env : { ...env, PWD: cwd };
  const child = spawn(node, ['--', MAIN, ...args], {
    cwd,
    env: environment,
    stdio: ['ignore', stdio, stdio, 'ipc'],
  });
  const fleet = new Fleet(child, environment);
  const stop = (): void => void fleet.stop();
  signal?.addEventListener('abort', stop, { once: true });
  void fleet.closed.then(() => signal?.removeEventListener('abort', stop));
  try {
    await listening(fleet, child);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  if (signal?.aborted) {
    await fleet.closed;
    signal.throwIfAborted();
  }
  return fleet;
}
