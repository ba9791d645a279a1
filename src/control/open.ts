// Opens the control socket at its place, makes it anew when somebody deletes it, and closes it when the fleet has gone.

import { lstatSync, mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { Notice } from '../core/notices.ts';
import { pathProblem, type Surroundings, serverPlaces } from './places.ts';
import { type Commands, controlServer } from './server.ts';
import { bindControlSocket } from './socket.ts';

/** At the very end a client that does not read its answer is waited for so long. */
const END_MS = 100;
/** How often it is looked whether the socket is still there. */
const LOOK_MS = 2000;

/** An open control socket. */
export interface ControlEnd {
  /** Closes it; resolves when the answers are out. */
  readonly end: () => Promise<void>;
}

/**
 * Opens it where CONTROL_SOCKET says, else at the first default place for `port` that can be one; throws with the reason
 * when there is none.
 * @param log is told why the first choice was passed over, and later why a deleted socket cannot be made again
 * @param env says where the default places are
 */
export async function openControl(
  commands: Commands,
  explicit: string | undefined,
  port: number,
  log: (notice: Notice) => void,
  env: Surroundings['env'],
): Promise<ControlEnd> {
  const surroundings = { env, tmp: tmpdir(), uid: process.getuid?.() ?? 0 };
  const places = explicit === undefined ? serverPlaces(surroundings, port) : [explicit];
  const path = places.find((place) => pathProblem(place) === undefined);
  const [first = ''] = places;
  const problem = `${first}: ${pathProblem(first)}`;
  if (path === undefined) throw new Error(explicit === undefined ? problem : pathProblem(first));
  if (path !== first) log({ notice: 'other control socket', reason: `${problem}; it is ${path} instead` });
  const socket = new ControlSocket(commands, path, explicit !== undefined, log);
  await socket.bind();
  return socket;
}

/** The socket at one path. */
class ControlSocket implements ControlEnd {
  readonly #commands: Commands;
  readonly #path: string;
  readonly #explicit: boolean;
  readonly #log: (notice: Notice) => void;
  #server: Server | undefined;
  #inode: number | undefined;
  #look: NodeJS.Timeout | undefined;
  #binding = false;
  #ended = false;
  /** Why it cannot be made again, as it was said. */
  #failure = '';

  constructor(commands: Commands, path: string, explicit: boolean, log: (notice: Notice) => void) {
    this.#commands = commands;
    this.#path = path;
    this.#explicit = explicit;
    this.#log = log;
  }

  async bind(): Promise<void> {
    const server = controlServer(this.#commands);
    await bindControlSocket(server, this.#path, this.#explicit);
    server.on('error', () => {});
    this.#server = server;
    this.#inode = inodeOf(this.#path);
    this.#look ??= setInterval(() => void this.#restore(), LOOK_MS).unref();
  }

  /** Binds again where the socket, or its whole folder, was deleted. What another server has bound since is left alone. */
  async #restore(): Promise<void> {
    if (this.#ended || this.#binding || inodeOf(this.#path) !== undefined) return;
    this.#binding = true;
    // Closed first: closing unlinks the path, whoever's it is by then. Commands that are under way go on.
    this.#server?.close();
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      await this.bind();
      this.#failure = '';
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#binding = false;
    if (this.#ended) this.#server?.close();
  }

  /** It is tried again at the next look; the fleet serves without it, which is said once. */
  #fail(reason: string): void {
    if (reason !== this.#failure) this.#log({ notice: 'no control socket', reason });
    this.#failure = reason;
  }

  end(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#look);
    const server = this.#server;
    return new Promise((resolve) => {
      setTimeout(() => {
        server?.closeAllConnections();
        resolve();
      }, END_MS).unref();
      // Closing would unlink what another server has bound at this path: then the end of the process has to do.
      if (inodeOf(this.#path) === this.#inode) server?.close(() => resolve());
      server?.closeIdleConnections();
    });
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path).ino;
  } catch {
    return undefined; // gone, or behind a folder that is closed to us: then there is nothing that we could close
  }
}
