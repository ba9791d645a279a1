// Boots the primary that takes this one's place, and becomes it in the end where Node can exchange the program of a process.

import { execFile, spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Event } from '../core/fleet.ts';
import {
  nodeProblem,
  type ProcessName,
  type Program,
  SUCCESSION_VARIABLE,
  type Succession,
  sealed,
  type ToPredecessor,
  type ToSuccessor,
  unsealed,
} from '../core/succession.ts';
import { ended, processName, signal } from '../host/process-name.ts';
import type { Socket } from './world.ts';

/** A Node that does not say its version in this time is none. */
const VERSION_MS = 5000;
/** A socket that does not come in this time is asked for again, so often. */
const SOCKET_MS = 300;
const SOCKET_TIMES = 20;
/** The descriptor of the listening socket in a successor, and of the pipe that says its pid. */
export const SOCKET_FD = 3;
const PID_FD = 5;
/** In the background of a shell it is no child of ours: nobody would read its end after an exec. */
const IN_BACKGROUND = `"$@" ${PID_FD}>&- & echo $! >&${PID_FD}`;
/** What ends a container when its only child does. */
const INITS = ['tini', 'docker-init', 'dumb-init', 'catatonit'];

/** How to start this program once more. */
export interface Launch {
  readonly node: string;
  /** Options of Node, the file, and its arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export interface Successor {
  /** Tells it that the places of control socket and admin listener are free. */
  readonly takeOver: () => void;
  /** Has it send the listening socket until that is descriptor 0; whether it is. */
  readonly takeSocket: () => Promise<boolean>;
  readonly stop: () => void;
  readonly kill: () => void;
  /** Resolves when it has gone. */
  readonly gone: Promise<void>;
  /** Its pid and program; undefined as long as they are not known. */
  readonly about: () => { readonly pid: number; readonly program: Program } | undefined;
}

/** Whether this process can become another program. */
export const canBecome = (): boolean => typeof process.execve === 'function';

/** Why this process cannot end in favour of another one; undefined = it can, or does not have to. */
export function handOverProblem(env: NodeJS.ProcessEnv, notifies: boolean): string | undefined {
  if (canBecome()) return undefined;
  const needs = `${process.version} cannot exchange the program of a process, which takes Node 22.15 or later`;
  if (process.pid === 1) return `this is process 1, whose end is that of its container, and Node ${needs}`;
  if (env.pm_id !== undefined) return `pm2 would take the end of this process for a crash, and Node ${needs}`;
  if (process.ppid === 1 && !notifies && INITS.includes(commandOf(1)))
    return `the container ends with this process, and Node ${needs}`;
  return undefined;
}

/** Why there is no Node to run at this path; undefined = there is. */
export const nodeAt = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: VERSION_MS }, (error, out) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      const problem = error ? `expected Node there, got ${code ?? 'none'}` : nodeProblem(out.trim());
      resolve(problem && `${path}: ${problem}`);
    });
  });

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Nobody reads it here; the next descriptor that comes is 0 then. */
function closeStdin(): void {
  try {
    closeSync(0);
  } catch {
    // It was closed from the start.
  }
}

const withSuccession = (env: NodeJS.ProcessEnv, succession: Succession): NodeJS.ProcessEnv => ({
  ...env,
  [SUCCESSION_VARIABLE]: JSON.stringify(succession),
});

/**
 * Starts it; `tell` is told when its fleet serves, or that there is none.
 * @param socket the listening socket
 */
export function bootSuccessor(
  { node, args, env, cwd }: Launch,
  succession: Succession,
  socket: Socket & { readonly fd: number },
  tell: (event: Event) => void,
): Successor {
  const shell = spawn('/bin/sh', ['-c', IN_BACKGROUND, 'sh', node, ...args], {
    cwd,
    env: withSuccession(env, succession),
    stdio: ['ignore', 'inherit', 'inherit', socket.fd, 'ipc', 'pipe'],
  });
  let name: ProcessName | undefined;
  let program: Program | undefined;
  let reason = 'the successor ended before it served';
  let take: (socket: Socket) => void = () => {};
  let gone = (): void => {};
  const isGone = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const over = (why: string): void => {
    gone();
    tell({ type: 'successor gone', reason: why });
  };
  shell.on('error', (error) => over(`a successor cannot be started: ${error.message}`));
  const says = (shell.stdio as readonly (Readable | null)[])[PID_FD];
  says?.on('error', () => {});
  says?.once('data', (said: Buffer) => {
    name = processName(Number(said));
    void ended(name).then(() => over(reason));
  });
  shell.on('message', (raw: unknown, handle: unknown) => {
    const message = unsealed<ToPredecessor>(raw);
    if (message?.type === 'here') program = { version: message.version, node: message.node };
    if (message?.type === 'failed') reason = message.reason;
    if (message?.type === 'serves' && name && program) {
      reason = 'the successor ended';
      tell({ type: 'successor serves', pid: name.pid, program });
    }
    if (message?.type === 'socket') take(handle as Socket);
  });
  const say = (message: ToSuccessor): void => {
    if (shell.connected) shell.send(sealed(message), () => {});
  };
  const kill = (kind: NodeJS.Signals) => (): void => void (name && signal(name, kind));
  return {
    takeOver: () => say({ type: 'take over' }),
    takeSocket: async () => {
      closeStdin();
      for (let times = 0; times < SOCKET_TIMES; times += 1) {
        const coming = new Promise<Socket | undefined>((resolve) => {
          take = resolve;
          setTimeout(resolve, SOCKET_MS, undefined).unref();
        });
        say({ type: 'send socket' });
        const came = await coming;
        if (came?.fd === 0) return true;
        // Something else was opened meanwhile and has 0: it is asked again when that may be closed.
        came?.close();
      }
      return false;
    },
    stop: kill('SIGTERM'),
    kill: kill('SIGKILL'),
    gone: isGone,
    about: () => (name && program ? { pid: name.pid, program } : undefined),
  };
}

/** Has this process become the program; returns only where that cannot be, by an error. */
export function become({ node, args, env, cwd }: Launch, succession: Succession): never {
  process.chdir(cwd);
  // Node would say in the new program's log that this is new to it.
  process.removeAllListeners('warning');
  const all = withSuccession(env, succession);
  process.execve?.(node, [node, ...args], all as Record<string, string>);
  throw new Error('this process could not become its successor');
}
