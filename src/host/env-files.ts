// Reads env files from the disk, without waiting for one that is no file.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type EnvFile, readEnvFile } from '../core/env-file.ts';

/** More than any settings need; it bounds what a wrong path costs. */
const MOST_BYTES = 1_048_576;

/** What the files say, in their order; one that cannot be read is an error of its own. Never rejects. */
export const readEnvFiles = (paths: readonly string[]): Promise<EnvFile[]> => Promise.all(paths.map(readOne));

async function readOne(path: string): Promise<EnvFile> {
  try {
    return readEnvFile(path, await textOf(path));
  } catch (error) {
    return { values: {}, errors: [`${path}: expected an env file, got ${reasonOf(error)}`] };
  }
}

async function textOf(path: string): Promise<string> {
  // A named pipe without a writer would be waited for, a device read for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('something that is no file');
    if (stat.size > MOST_BYTES) throw new Error('more than 1 MiB');
    return utf8(await file.readFile());
  } finally {
    await file.close();
  }
}

function utf8(bytes: Buffer): string {
  try {
    // A byte order mark stays, and is refused as part of a name: Node takes it for one.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('bytes that are no UTF-8');
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  return code === 'EACCES' || code === 'ERR_ACCESS_DENIED' ? 'one that is not readable' : message;
}
