// The project around an app as far as `dev` watches it: where it is, what in it is left out, and which files count.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, parse, relative, resolve, sep } from 'node:path';

/** Code and configuration that an app reads when it boots; types alone change nothing. */
const COUNTS = /(?<!\.d)\.[mc]?[jt]s$|\.[jt]sx$|\.json$|^\.env(\..+)?$/;
/** What tools write beside the package.json. */
const OUTPUTS = ['dist', 'build', 'out', 'coverage'];

/** What of a folder was found: the folders in it that are watched, and its files that count. */
export interface Found {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** One project; all paths are absolute. */
export class Project {
  readonly root: string;
  /** The files that count wherever they are. */
  readonly #always: ReadonlySet<string>;
  readonly #outputs: readonly string[];
  /** The app lies in what is left out elsewhere, such as `dist`: then that is what is watched, and its source is not. */
  readonly #only: string | undefined;
  /** Where nobody has a project, of which no folder is entered: it may hold all that the user has. */
  readonly #isHome: boolean;

  /**
   * @param entry the file of the app
   * @param envFiles the env files that it is served with
   */
  constructor(entry: string, envFiles: readonly string[]) {
    this.root = rootOf(dirname(entry));
    this.#isHome = isHome(this.root);
    this.#always = new Set([entry, ...envFiles]);
    this.#outputs = outputsOf(this.root);
    this.#only = this.#above(entry).find((folder) => this.#isLeftOut(folder));
  }

  /** Where to begin: the project, and the folders of env files outside of it. */
  get beginnings(): string[] {
    const others = [...this.#always].map(dirname).filter((folder) => !this.contains(folder));
    return [this.root, ...new Set(others)];
  }

  /** Whether a path belongs to what is watched, apart from the files that always count. */
  contains(path: string): boolean {
    const folders = path === this.root ? [] : [...this.#above(path), path];
    return isWithin(path, this.root) && folders.every((folder) => this.enters(folder));
  }

  /** Whether a folder, whose parent is watched, is watched as well. */
  enters(folder: string): boolean {
    if (this.#isHome || folder === this.root || !isWithin(folder, this.root)) return false;
    if (this.#only === undefined) return !this.#isLeftOut(folder);
    return folder === this.#only || (isWithin(folder, this.#only) && !isNeverWatched(folder));
  }

  /** Whether a change of the file means a reload. */
  counts(file: string): boolean {
    return this.#always.has(file) || (COUNTS.test(basename(file)) && this.contains(dirname(file)));
  }

  /** What of a folder is watched; nothing where it cannot be read. */
  read(folder: string): Found {
    const folders: string[] = [];
    const files: string[] = [];
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        // A link to a folder may lead anywhere, also back.
        if (entry.isDirectory()) this.enters(path) && folders.push(path);
        else if (this.counts(path)) files.push(path);
      }
    } catch {
      // It has gone, or is not ours to read.
    }
    return { folders, files };
  }

  /** The file as a developer knows it. */
  nameOf(file: string): string {
    return isWithin(file, this.root) ? relative(this.root, file) : file;
  }

  /** The folders between the root and a path below it, from above. */
  #above(path: string): string[] {
    const names = relative(this.root, dirname(path)).split(sep).filter(Boolean);
    return names.map((_, i) => join(this.root, ...names.slice(0, i + 1)));
  }

  #isLeftOut(folder: string): boolean {
    return isNeverWatched(folder) || this.#outputs.includes(folder);
  }
}

/** Whether a path is the folder, or below it. */
const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const isNeverWatched = (folder: string): boolean => /^(node_modules$|\.)/.test(basename(folder));

/** The nearest folder with a package.json, else that of the app. One in the home of the user makes no project of all of it. */
function rootOf(folder: string): string {
  for (let at = folder; !isHome(at); at = dirname(at)) if (existsSync(join(at, 'package.json'))) return at;
  return folder;
}

const isHome = (folder: string): boolean => folder === homedir() || folder === parse(folder).root;

function outputsOf(root: string): string[] {
  const outputs = OUTPUTS.map((name) => join(root, name));
  try {
    const [, outDir] =
      /^\s*"outDir"\s*:\s*"([^"]+)"/m.exec(readFileSync(join(root, 'tsconfig.json'), 'utf8')) ?? [];
    const folder = outDir && resolve(root, outDir);
    return folder && folder !== root ? [...outputs, folder] : outputs;
  } catch {
    return outputs;
  }
}
