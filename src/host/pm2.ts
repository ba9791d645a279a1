// pm2's side: it is told when the fleet serves; and its cluster mode, in which there is no room for a primary, is refused.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

/** pm2 stops what it was asked to stop sooner than this. */
const STOP_MS = 10_000;

/** Tells pm2 (`wait_ready`) that the fleet serves. */
export function tellPm2(): void {
  // A pm2 that goes at this moment is no error of ours: hence the callback.
  if (process.connected) process.send?.('ready', undefined, undefined, () => {});
}

/**
 * Has pm2 stop the entry it started this process for: it would restart a refused one again and again. Resolves when
 * pm2's signal has come; at once where this process is no worker of pm2's.
 */
export async function stopOwnEntry(): Promise<void> {
  const id = process.env.pm_id;
  const container = process.argv[1];
  if (id === undefined || !container?.endsWith(join('pm2', 'lib', 'ProcessContainer.js'))) return;
  const command = [process.execPath, join(dirname(dirname(container)), 'bin', 'pm2'), 'stop', id];
  const signalled = new Promise<void>((resolve) => {
    process.on('SIGINT', () => resolve());
    setTimeout(resolve, STOP_MS);
  });
  // From a shell's background: pm2 ends the children of what it stops, and would wait for its own command.
  const shell = spawn('/bin/sh', ['-c', '"$@" &', 'sh', ...command], { detached: true, stdio: 'ignore' });
  shell.on('error', () => {});
  await signalled;
}
