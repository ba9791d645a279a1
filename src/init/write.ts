// Writes a file of the user's project: whole or not at all, and never over another one unless it is told to.

import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import { Refused } from './wish.ts';

/** Writes `name` into `folder`; false where it is there already and `over` is not set. */
export function writeWhole(folder: string, name: string, text: string, over: boolean): boolean {
  const path = join(folder, name);
  const beside = join(folder, `.${name.replace(/^\./, '')}.${process.pid}`);
  try {
    writeFileSync(beside, text, { flag: 'wx' });
    if (over) renameSync(beside, path);
    // A link is made where nothing is, or not at all.
    else linkSync(beside, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && !over) return false;
    throw new Refused(CANNOT_SERVE, `${name}: expected to write it, got ${code}`);
  } finally {
    rmSync(beside, { force: true });
  }
}
