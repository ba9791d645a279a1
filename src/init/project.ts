// The project in which init runs: its package.json, the app that it tells of, and where it has hello-server.

import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { printable } from '../core/config.ts';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import { resolveApp } from '../host/paths.ts';
import { startedBy } from './start-script.ts';
import { Refused } from './wish.ts';

/** Where a server usually is, the likeliest first: as it is written, and as Nest, TypeScript and Next build it. */
const USUAL = [
  ...['server', 'app', 'index', 'main'].flatMap((name) => [`${name}.js`, `${name}.mjs`, `${name}.cjs`]),
  ...['server', 'app', 'index', 'main'].map((name) => `dist/${name}.js`),
  '.next/standalone/server.js',
];
/** hello-server's program, below the node_modules that has it. */
const PROGRAM = join('node_modules', 'hello-server', 'dist', 'main.js');

/** A package.json, as far as init reads it. */
interface Package {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly type?: unknown;
  readonly main?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, unknown>>;
}

export interface Project {
  readonly folder: string;
  /** The package's name without its scope, or the folder's. */
  readonly name: string;
  readonly version: string | undefined;
  readonly modules: 'esm' | 'commonjs';
  readonly builds: boolean;
  readonly dependencies: Readonly<Record<string, unknown>>;
  /** The app, seen from the folder: `./server.js`. */
  readonly app: string;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Reads the project in `folder`; `app` is what the user says the app is. */
export function readProject(folder: string, app: string | undefined): Project {
  const read = readPackage(folder);
  return {
    folder: onOneLine(folder),
    name: text(read.name)?.replace(/^@[^/]*\//, '') ?? basename(folder),
    version: text(read.version),
    modules: read.type === 'module' ? 'esm' : 'commonjs',
    builds: text(read.scripts?.build) !== undefined,
    dependencies: read.dependencies ?? {},
    app: checkedApp(folder, app ?? appOf(folder, read)),
  };
}

function readPackage(folder: string): Package {
  const file = join(folder, 'package.json');
  if (!existsSync(file))
    throw new Refused(
      CANNOT_SERVE,
      'package.json: expected one in this folder, got none: npm init -y makes one',
    );
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined)
      throw new Refused(CANNOT_SERVE, `package.json: expected one that can be read, got ${code}`);
  }
  throw new Refused(CANNOT_SERVE, 'package.json: expected an object in JSON, got something else');
}

/** The app that nobody has named: what `npm start` runs, what the package calls its main file, or one of the usual. */
function appOf(folder: string, { scripts, main }: Package): string {
  const started = startedBy(text(scripts?.start) ?? '');
  if (started !== undefined) return started;
  // npm init writes a main that need not be there.
  const found = [text(main), ...USUAL].find((file) => file !== undefined && existsSync(join(folder, file)));
  if (found !== undefined) return found;
  throw new Refused(
    CANNOT_SERVE,
    'APP: expected the file of your server, got none, and neither package.json (`start`, `main`) nor a server.js, app.js, index.js or main.js tells it',
  );
}

function checkedApp(folder: string, typed: string): string {
  const path = relative(folder, resolve(folder, onOneLine(typed)));
  if (isAbsolute(path) || path === '..' || path.startsWith('../'))
    throw new Refused(CANNOT_SERVE, `${typed}: expected an app in this folder, got one outside of it`);
  const { problem } = resolveApp(typed);
  if (problem !== undefined) throw new Refused(CANNOT_SERVE, problem);
  return path === '' ? '.' : `./${path}`;
}

/** No file that init writes can have a path with a line break or another control character in it. */
export function onOneLine(path: string): string {
  if (!/\p{Cc}/u.test(path)) return path;
  throw new Refused(CANNOT_SERVE, `expected a path without control characters, got \`${printable(path)}\``);
}

/** hello-server's main.js as the project has it: below its folder, or one above it, as in a workspace. */
export function programOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const program = join(at, PROGRAM);
    if (existsSync(program)) return program;
    if (at === dirname(at)) break;
  }
  throw new Refused(
    CANNOT_SERVE,
    'hello-server: expected it in the node_modules of this project, got none: npm install hello-server',
  );
}

/** The same where it is installed anew, by what package.json asks for, without what is for development alone. */
export function programInstalled({ dependencies }: Project): string {
  if (Object.hasOwn(dependencies, 'hello-server')) return PROGRAM;
  throw new Refused(
    CANNOT_SERVE,
    'package.json: expected hello-server among its dependencies, got it not: npm install hello-server',
  );
}
