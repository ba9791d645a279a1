// pm2's side: it is told when the fleet serves; and its cluster mode, in which there is no room for a primary, is refused.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

/** pm2 stops what it was asked to stop sooner than this. */
const STOP_MS = 10_000;

/** Tells pm2 (`wait_ready`) that the fleet serves. */
export function tellPm2(): void {
  if (process.connected) process.send?.('ready');
}

/**
 * Has pm2 stop the entry it started this process for: it would restart a refused one again and again. Resolves when
 * pm2's signal has come; at once where this process is no worker of pm2's.
 */
export async function stopOwnEntry(): Promise<void> {
  const id = process.env.pm_id;
  const container = process.argv[1];
  if (id === undefined || !container?.endsWith(join('pm2', 'lib', 'ProcessContainer.js'))) return;
  const command = join(dirname(dirname(container)), 'bin', 'pm2');
  const signalled = new Promise<void>((resolve) => {
    process.on('SIGINT', () => resolve());
    setTimeout(resolve, STOP_MS);
  });
  spawn(process.execPath, [command, 'stop', id], { detached: true, stdio: 'ignore' }).unref();
  await signalled;
}
