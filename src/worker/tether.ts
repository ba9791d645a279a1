// A worker's channel to the primary. The app has it in its hands, too: when it wants to close it before the drain is
// over, the channel stays open, since a worker that cannot be heard cannot be replaced without loss.

import cluster from 'node:cluster';
import type { Server } from 'node:net';
import { type FromWorker, seal } from '../core/protocol.ts';

/** What becomes of the channel. */
export interface Listeners {
  /** The app wants to close it; called back with whether the primary was told so. */
  readonly asked: (told: (error: Error | null) => void) => void;
  /** It is closed, and not by {@link Tether.end}. */
  readonly lost: () => void;
}

/** Says something to the primary; `sent` is called when it has gone out, or with why it has not. */
export function say(
  message: FromWorker,
  sent: (error?: Error | null) => void = () => {},
  handle?: Server,
): void {
  if (isOpen() && process.send) process.send(seal(message), handle, undefined, sent);
  else sent(new Error('the channel is closed'));
}

/** Whether there is a channel: `process.connected` says so for a while after Node, or the app by force, has closed it. */
export const isOpen = (): boolean => process.connected && Boolean(process.channel);

/** The channel, from the start of the worker to the end of its drain. */
export class Tether {
  readonly #disconnect: () => void;
  #ending = false;
  #asked = false;

  constructor({ asked, lost }: Listeners) {
    const { worker } = cluster;
    const disconnect = process.disconnect?.bind(process);
    this.#disconnect = worker?.disconnect.bind(worker) ?? (() => {});
    const isLost = (): void => {
      // Or node:cluster goes on sending, and nobody catches what comes of it.
      Object.assign(process, { connected: false });
      if (!this.#ending) lost();
    };
    worker?.on('disconnect', () => {
      // Without this mark node:cluster ends the process at once, and what it was answering with it.
      worker.exitedAfterDisconnect = true;
      isLost();
    });
    const ask = (): void => {
      if (this.#asked) return;
      this.#asked = true;
      // Node closes its end by the same function when the other end has gone: then nobody can be told any more.
      setImmediate(asked, (error: Error | null) => {
        if (!error) return;
        // Where Node has closed the channel itself its function would fail, and nobody would hear of it.
        if (isOpen()) disconnect?.();
        else isLost();
      });
    };
    process.disconnect = () => (this.#ending ? disconnect?.() : ask());
    if (worker) {
      worker.disconnect = () => {
        ask();
        return worker;
      };
    }
  }

  /** Closes it: the worker has nothing more to say or to hear. */
  end(): void {
    this.#ending = true;
    if (isOpen()) this.#disconnect();
  }
}
