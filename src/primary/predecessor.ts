// The primary whose place this one takes, as it is told and watched.

import type { Socket as NetSocket } from 'node:net';
import { Socket } from 'node:net';
import {
  type Succession,
  sealed,
  type ToPredecessor,
  type ToSuccessor,
  unsealed,
} from '../core/succession.ts';
import { ended, signal } from '../host/process-name.ts';
import type { Socket as Listening } from './world.ts';

export interface Predecessor {
  /** Tells it that the fleet here serves; its own may go. */
  readonly serves: () => void;
  /** Tells it that there will be none. */
  readonly failed: (reason: string) => Promise<void>;
  /** Resolves when the places of control socket and admin listener are free. */
  readonly handedOver: Promise<void>;
  /** Stops what is left of it. */
  readonly stop: () => void;
  readonly kill: () => void;
  /** Resolves when it has gone. */
  readonly gone: Promise<void>;
  /** Resolves when a stop does not have to wait for it any more. */
  readonly stopped: () => Promise<void>;
}

/** Tells the predecessor something, over the channel that it made; resolves when that is out. */
export const tellPredecessor = (message: ToPredecessor, socket?: Listening): Promise<void> =>
  new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(sealed(message), socket as NetSocket | undefined, undefined, () => resolve());
  });

/** The listening socket that was handed on as a descriptor: held, not listened on. */
export function heldSocket(fd: number): Listening {
  const socket = new Socket({ fd, readable: false, writable: false });
  return (socket as unknown as { readonly _handle: Listening })._handle;
}

/** @param socket the listening socket, which an interim primary gives back */
export function predecessorOf({ as, predecessor }: Succession, socket: Listening): Predecessor {
  let handedOver = (): void => {};
  const over = new Promise<void>((resolve) => {
    handedOver = resolve;
  });
  process.on('message', (raw) => {
    const message = unsealed<ToSuccessor>(raw);
    if (message?.type === 'take over') handedOver();
    if (message?.type === 'send socket') void tellPredecessor({ type: 'socket' }, socket);
  });
  const gone = ended(predecessor);
  // Whether a stop of this primary is one of what is left there: an interim primary ends before the one that it serves
  // for, and one that has not yet served ends alone.
  let isOurs = as === 'relayed';
  const send = (kind: NodeJS.Signals): void => {
    if (isOurs) signal(predecessor, kind);
  };
  return {
    serves: () => {
      isOurs = as !== 'interim';
      // What was this process's own child before its exec has no channel any more, but takes signals.
      if (as === 'relayed') send('SIGUSR2');
      else void tellPredecessor({ type: 'serves' });
    },
    failed: (reason) => tellPredecessor({ type: 'failed', reason }),
    handedOver: as === 'successor' ? Promise.race([over, gone]) : Promise.resolve(),
    stop: () => send('SIGTERM'),
    kill: () => send('SIGKILL'),
    gone,
    stopped: async () => {
      if (isOurs) await gone;
    },
  };
}
