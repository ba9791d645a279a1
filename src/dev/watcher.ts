// Notices saved files: has the kernel tell of each folder of the project, or, where it does not, looks by itself.

import { type FSWatcher, statSync, watch } from 'node:fs';
import { join, sep } from 'node:path';
import { Data } from './data.ts';
import { lookRegularly } from './looking.ts';
import type { Project } from './project.ts';

/** Editors and compilers write in bursts: a change is told when so long nothing more has come ... */
const QUIET_MS = 60;
/** ... and at latest so long after it came. */
const LATEST_MS = 500;

/** What is told. */
export interface Listener {
  /** Files were written, by their absolute paths. */
  readonly changed: (files: readonly string[]) => void;
  /** The kernel does not tell: why, and which setting of it would have to be raised, if that is known. */
  readonly cannotWatch: (reason: string, setting: string | undefined) => void;
}

/** Node's `fs.watch`, as far as it is used. */
type WatchFolder = (folder: string, tell: (event: string, name: string | null) => void) => FSWatcher;

/** What the kernel has too little of. */
const SETTINGS: Readonly<Record<string, string>> = {
  ENOSPC: 'fs.inotify.max_user_watches',
  EMFILE: 'fs.inotify.max_user_instances',
};

/**
 * Watches a project until it is closed, folder by folder. Node's recursive `fs.watch` watches each file by
 * itself before Node 26, those in node_modules included: with 20 000 files it took 0.4 s and 60 MiB, this 0.02 s and none.
 */
export class Watcher {
  readonly #project: Project;
  readonly #listener: Listener;
  readonly #watchFolder: WatchFolder;
  readonly #watched = new Map<string, FSWatcher>();
  readonly #data = new Data();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** When what has changed is told at latest, by the clock of `performance`. */
  #latest = 0;
  /** Ends the looking that has taken the place of the watch. */
  #endLooking: (() => void) | undefined;
  #isClosed = false;

  constructor(project: Project, listener: Listener, watchFolder: WatchFolder = watch) {
    this.#project = project;
    this.#listener = listener;
    this.#watchFolder = watchFolder;
    for (const folder of project.beginnings) this.#watch(folder);
  }

  close(): void {
    this.#isClosed = true;
    this.#closeAll();
    this.#endLooking?.();
    clearTimeout(this.#timer);
  }

  /** Watches the folder and those in it; returns the files there that count. */
  #watch(folder: string): string[] {
    if (this.#isOver) return [];
    try {
      const watcher = this.#watchFolder(folder, (event, name) => this.#hear(folder, event, name));
      watcher.on('error', (error) => this.#fallBack(error));
      this.#watched.set(folder, watcher);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // One that has gone meanwhile, or may not be read, has nothing that the app could load.
      if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(code)) this.#fallBack(error);
      return [];
    }
    const { folders, files } = this.#project.read(folder);
    return [...files, ...folders.flatMap((below) => this.#watch(below))];
  }

  /** `rename` says that something was made, removed, or moved to or from there. */
  #hear(folder: string, event: string, name: string | null): void {
    if (name === null || this.#isOver) return;
    const path = join(folder, name);
    if (this.#project.counts(path)) this.#note(path);
    if (event !== 'rename' || !this.#project.enters(path)) return;
    this.#forget(path);
    // What was written in a new folder before it was watched has changed as well.
    if (isFolder(path)) for (const file of this.#watch(path)) this.#note(file);
  }

  #forget(folder: string): void {
    for (const [path, watcher] of this.#watched) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      this.#watched.delete(path);
    }
  }

  #note(file: string): void {
    const now = performance.now();
    if (this.#changed.size === 0) this.#latest = now + LATEST_MS;
    this.#changed.add(file);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), Math.min(QUIET_MS, this.#latest - now));
  }

  #tell(): void {
    const files = [...this.#changed].filter((file) => this.#data.isNew(file));
    this.#changed.clear();
    if (files.length > 0) this.#listener.changed(files);
  }

  #closeAll(): void {
    for (const watcher of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #fallBack(error: unknown): void {
    if (this.#isOver) return;
    this.#closeAll();
    this.#endLooking = lookRegularly(this.#project, (files) => {
      for (const file of files) this.#note(file);
    });
    const { code = '', message } = error as NodeJS.ErrnoException;
    this.#listener.cannotWatch(message, SETTINGS[code]);
  }

  /** Whether the kernel is not listened to any more. */
  get #isOver(): boolean {
    return this.#isClosed || this.#endLooking !== undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
