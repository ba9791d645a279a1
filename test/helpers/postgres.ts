// A PostgreSQL of its own to test on: Debian's, in a folder for temporary files, on a Unix socket.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './server.ts';

/** Where Debian puts each version's programs. */
const VERSIONS = '/usr/lib/postgresql';
/** The user that Debian makes for it. */
const USER = 'postgres';

/** A running server. It refuses to run as root, so root's belongs to the user that came with its package. */
export class Postgres {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hello-server-postgres-'));
  readonly #owner = owner();
  #server: ChildProcess | undefined;

  /** What leads its clients to it. */
  readonly env = { PGHOST: this.#folder, PGUSER: USER, PGDATABASE: USER };

  static async start(): Promise<Postgres> {
    const postgres = new Postgres();
    const folder = postgres.#folder;
    if (postgres.#owner) chownSync(folder, postgres.#owner.uid, postgres.#owner.gid);
    const options = ['--auth=trust', `--username=${USER}`, '--locale=C', '--encoding=UTF8', '--no-sync'];
    const how = { cwd: folder, stdio: 'pipe', ...postgres.#owner } as const;
    execFileSync(program('initdb'), [...options, join(folder, 'data')], how);
    await postgres.run();
    return postgres;
  }

  /** Runs it on the data that it has. */
  async run(): Promise<void> {
    const log = openSync(join(this.#folder, 'log'), 'a');
    const places = ['-D', join(this.#folder, 'data'), '-k', this.#folder, '-c', 'listen_addresses='];
    // So it says of each client that goes without a word that it did.
    const words = ['-c', 'log_min_messages=debug1'];
    this.#server = spawn(program('postgres'), [...places, ...words], {
      cwd: this.#folder,
      stdio: ['ignore', log, log],
      ...this.#owner,
    });
    const answers = (): boolean => {
      try {
        return this.query('select 1') === '1';
      } catch {
        return false;
      }
    };
    await eventually(answers, 'the database answers').catch((error) => {
      throw new Error(`${error.message}\n${this.log}`);
    });
  }

  /** What it has logged. */
  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  /** The rows that a query has, one to a line. */
  query(text: string): string {
    const env = { ...process.env, ...this.env };
    const args = ['--no-psqlrc', '--tuples-only', '--no-align', '--command', text];
    return execFileSync(program('psql'), args, { env, encoding: 'utf8', stdio: 'pipe' }).trimEnd();
  }

  /** Ends it, and with it every connection, as its own `fast` shutdown. */
  async end(): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null) return;
    const exited = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGINT');
    await exited;
  }

  /** Ends it, and removes what it had. */
  async stop(): Promise<void> {
    await this.end();
    rmSync(this.#folder, { recursive: true });
  }
}

/** A program of the newest version that is installed. */
function program(name: string): string {
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error(`expected a version of PostgreSQL in ${VERSIONS}, found none`);
  return join(VERSIONS, newest, 'bin', name);
}

function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number => Number(execFileSync('id', [option, USER], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
