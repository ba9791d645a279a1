// A worker's channel to the primary. The app has it in its hands, too: when it wants to close it before the drain is
// over, the channel stays open, since a worker that cannot be heard cannot be replaced without loss.

import cluster from 'node:cluster';

/** What becomes of the channel. */
export interface Listeners {
  /** The app wants to close it; called back with whether the primary was told so. */
  readonly asked: (told: (error: Error | null) => void) => void;
  /** It is closed, and not by {@link Tether.end}. */
  readonly lost: () => void;
}

/** The channel, from the start of the worker to the end of its drain. */
export class Tether {
  readonly #disconnect: () => void;
  #ending = false;
  #asked = false;

  constructor({ asked, lost }: Listeners) {
    const { worker } = cluster;
    const disconnect = process.disconnect?.bind(process);
    this.#disconnect = worker?.disconnect.bind(worker) ?? (() => {});
    worker?.on('disconnect', () => {
      // Without this mark node:cluster ends the process at once, and what it was answering with it.
      worker.exitedAfterDisconnect = true;
      if (!this.#ending) lost();
    });
    const ask = (): void => {
      if (this.#asked) return;
      this.#asked = true;
      // Node closes its end by the same function when the other end has gone: then nobody can be told any more.
      setImmediate(asked, (error: Error | null) => {
        if (error) disconnect?.();
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
    if (process.connected) this.#disconnect();
  }
}
