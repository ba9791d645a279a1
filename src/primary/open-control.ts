// Opens the control socket at its place, and closes it when the fleet has gone.

import { tmpdir } from 'node:os';
import { defaultPlace } from '../core/control-places.ts';
import { type Commands, controlServer } from './control.ts';
import { bindControlSocket } from './control-socket.ts';

/** At the very end a client that does not read its answer is waited for so long. */
const END_MS = 100;

/** An open control socket. */
export interface ControlEnd {
  /** Closes it; resolves when the answers are out. */
  readonly end: () => Promise<void>;
}

/** Opens it where CONTROL_SOCKET says, else at the default place for `port`; throws with the reason when it cannot be. */
export async function openControl(
  commands: Commands,
  explicit: string | undefined,
  port: number,
): Promise<ControlEnd> {
  const server = controlServer(commands);
  const surroundings = { env: process.env, tmp: tmpdir(), uid: process.getuid?.() ?? 0 };
  await bindControlSocket(server, explicit ?? defaultPlace(surroundings, port), explicit !== undefined);
  server.on('error', () => {});
  return {
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => {
          server.closeAllConnections();
          resolve();
        }, END_MS).unref();
      }),
  };
}
