// Binds the control socket: in a folder that is ours alone, over a dead primary's socket but never over a live one.

import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** Makes `server` listen at `path`; throws an error whose message is the reason why that cannot be. */
export async function bindControlSocket(server: Server, path: string, explicit: boolean): Promise<void> {
  if (!explicit) claimFolder(dirname(path));
  try {
    await listen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await removeStale(path);
    await listen(server, path);
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    server.listen(path); // binds before it returns
  } finally {
    process.umask(before);
  }
  await once(server, 'listening');
  chmodSync(path, 0o600);
}

/** Makes the folder, or sees to it that the one there is ours and closed to others. */
function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.()) throw new Error(`${folder} belongs to another user`);
  if ((mode & 0o077) !== 0) throw new Error(`${folder} is open to other users`);
}

async function removeStale(path: string): Promise<void> {
  const entry = lstatSync(path);
  if (!entry.isSocket()) throw new Error(`${path} is there and no socket`);
  if (entry.uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
  if (await answers(path)) throw new Error(`${path} is in use by another server`);
  unlinkSync(path);
}

/** Whether somebody listens at `path`. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
    socket.once('connect', () => socket.destroy());
  });
}
