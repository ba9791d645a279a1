// Versions: of a Node, of a package, of a program on the PATH; and where a Node of a version is.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.ts';

/** What the figures are of that a reader sees first: the Node that a user of today has. */
export const HEADLINE_MAJOR = 24;

/** The version of Node at a path. */
export const nodeVersion = (node: string): string =>
  execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

/** The version in a package's manifest. */
export const manifestOf = (folder: string): string =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;

/** What a pattern finds in what a program prints. */
export function firstMatch(file: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

/** The path of a Node of a major version: `own` where it is one, else one that `scripts/with-node` installs; undefined when there is none. */
export function nodeOf(major: number, own: string): string | undefined {
  if (nodeVersion(own).startsWith(`v${major}.`)) return own;
  try {
    const args = [String(major), 'node', '--print', 'process.execPath'];
    return execFileSync(join(ROOT, 'scripts', 'with-node'), args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

/** Whether a Node is of a version, `22.19.0`, or a later one. */
export function isAtLeast(node: string, version: string): boolean {
  const [has, wants] = [nodeVersion(node).slice(1), version].map((each) => each.split('.').map(Number));
  for (const [i, want] of (wants ?? []).entries()) {
    const have = has?.[i] ?? 0;
    if (have !== want) return have > want;
  }
  return true;
}
