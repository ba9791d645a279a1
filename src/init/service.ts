// The systemd unit of an app that lies on this machine: by absolute paths, for the node that runs this command.

import { realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import { usableCpus } from '../host/cpus.ts';
import { unitDeadlines } from './deadlines.ts';
import { onOneLine, type Project, programOf } from './project.ts';
import type { Found } from './settings.ts';
import { unit, unitPath, unitWord } from './templates/unit.ts';
import { Refused } from './wish.ts';

/** Where systemd looks for a program: a node that is found there stays the one of that name after an update. */
const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/bin'];
/** What a service does not see where it is not told to: homes. */
const HOMES = /^\/(?:home|root|run\/user)\//;
/** What it never sees: it has folders of its own there. */
const TEMPORARY = /^\/(?:var\/)?tmp\//;

export function service(project: Project, name: string, envFiles: readonly string[], found: Found): string {
  const folder = unseenRefused(project.folder);
  const program = programOf(folder);
  const node = nodeHere();
  const files = envFiles.flatMap((file) => ['--env-file', onOneLine(resolve(folder, file))]);
  const line = (...words: string[]): string =>
    [node, '--', program, ...words].map((word) => unitWord(word)).join(' ');
  const inHome = [folder, node].find((path) => HOMES.test(`${path}/`));
  return unit({
    about: [`systemd unit of ${name}, made by hello-server init systemd: copy it to /etc/systemd/system.`],
    description: `${name}, a Node HTTP server under hello-server`,
    folder: unitPath(folder),
    settings: found.own,
    aboutCommand: [
      'The node, the program and the app of the folder above. What is moved wants a new unit: init systemd --force.',
      'The service reads all of them as its own user.',
    ],
    start: line(...files, resolve(folder, project.app)),
    reload: line('reload', ...files),
    identifier: name,
    // Never a bare name: /run/systemd and others are somebody's.
    runtimeDirectory: `hello-server-${name}`,
    deadlines: unitDeadlines(found.config, usableCpusFor(found)),
    ...(inHome === undefined ? {} : { homeOf: ownerOf(inHome) }),
  });
}

const usableCpusFor = ({ config: { workers } }: Found): number =>
  workers === 'auto' ? usableCpus() : workers;

function unseenRefused(folder: string): string {
  const hidden = TEMPORARY.exec(`${folder}/`)?.[0];
  if (hidden !== undefined)
    throw new Refused(
      CANNOT_SERVE,
      `expected a folder that a service can see, got one below ${hidden.slice(0, -1)}, where each has files of its own`,
    );
  // WorkingDirectory= is the rest of its line: spaces at its end would be lost, and a backslash would join the next one.
  if (/[\s\\]$/.test(folder))
    throw new Refused(
      CANNOT_SERVE,
      `expected a folder whose name ends with no space or backslash, got \`${folder}\``,
    );
  return folder;
}

/** This node, by a name that stays where it has one. */
function nodeHere(): string {
  const named = SYSTEM_FOLDERS.map((folder) => join(folder, basename(process.execPath))).find((path) => {
    try {
      return realpathSync(path) === process.execPath;
    } catch {
      return false;
    }
  });
  return named ?? process.execPath;
}

/** The user who owns the folder of a path, by name where that is this user, by number otherwise. */
function ownerOf(path: string): string {
  const { uid } = statSync(path).isDirectory() ? statSync(path) : statSync(dirname(path));
  const me = userInfo();
  return me.uid === uid ? me.username : String(uid);
}
