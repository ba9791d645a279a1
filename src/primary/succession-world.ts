// Successions in the real world: which program is started, with which environment, and what it is told of systemd.

import { FLUSH_MS } from '../core/deadlines.ts';
import type { Succession } from '../core/succession.ts';
import { processName } from '../host/process-name.ts';
import type { Notifier } from '../host/systemd.ts';
import type { Run } from './run.ts';
import type { Sinks } from './sinks.ts';
import {
  become,
  bootSuccessor,
  canBecome,
  handOverProblem,
  type Launch,
  nodeAt,
  SOCKET_FD,
} from './successor.ts';
import type { Handed } from './upgrades.ts';
import type { SuccessionWorld } from './world.ts';

/** After an exec the listening socket is where no descriptor is closed. */
const EXEC_FD = 0;

/** The channel to the caller ends with this program; a caller that has to be started anew can as well start another fleet. */
const FROM_CODE =
  'this fleet runs from code (startFleet): stop it and start another, or reload it for new code of the app';

/** @param cwd the folder to start in */
export function successionWorld(
  { exec, same, fromCode, systemd: { notifySocket, watchdogMs } }: Run,
  cwd: () => string,
  sinks: Sinks,
  notifier: Notifier,
): SuccessionWorld {
  const launch = (node = process.execPath): Launch => {
    const env = { ...process.env };
    // The process has these as its env files said them once: they say them anew.
    for (const name of same) delete env[name];
    delete env.NODE_CHANNEL_FD;
    delete env.NODE_CHANNEL_SERIALIZATION_MODE;
    const args = [...process.execArgv, '--', exec, ...process.argv.slice(2)];
    return { node, args, env, cwd: cwd() };
  };
  const whole = (handed: Handed, fd: number): Succession => ({
    ...handed,
    fd,
    predecessor: processName(handed.predecessor),
    systemd: { notifySocket, watchdogMs },
  });
  return {
    relays: canBecome(),
    problem: async (node = process.execPath) =>
      (fromCode ? FROM_CODE : undefined) ??
      handOverProblem(process.env, notifySocket !== undefined) ??
      (await nodeAt(node)),
    boot: (handed, socket, node, tell) =>
      bootSuccessor(launch(node), whole(handed, SOCKET_FD), socket as typeof socket & { fd: number }, tell),
    mute: (on) => {
      notifier.isMuted = on;
    },
    flush: () => {
      sinks.out.flush(FLUSH_MS);
      sinks.err.flush(FLUSH_MS);
    },
    become: (handed, node) => become(launch(node), whole(handed, EXEC_FD)),
  };
}
