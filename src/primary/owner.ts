// The program that has started this primary by startFleet(): it is told what happens, and the fleet stops when it has gone.

import { eventOf, isStop, OWNER_VARIABLE, type ToOwner, toOwner } from '../core/fleet-events.ts';
import type { Notice } from '../core/notices.ts';
import { lineOf } from '../log/wording.ts';

/** So many messages wait for an owner that does not read; what comes then is not told, as this process must not grow for it. */
const MOST_WAITING = 1000;

export class Owner {
  #waiting = 0;

  /** Tells what happens, where it is an event for owners. */
  tell(notice: Notice): void {
    const event = eventOf(notice, lineOf(notice).text);
    if (event && this.#waiting < MOST_WAITING) void this.#send({ type: 'event', ...event });
  }

  /** Says why there is no start; resolves when it is written. */
  refuse(problems: readonly string[]): Promise<void> {
    return this.#send({ type: 'refused', problems });
  }

  /** Calls back once the owner has gone, or asks for a stop. */
  onEnd(end: (what: 'stop' | 'the end of its program') => void): void {
    process.once('disconnect', () => end('the end of its program'));
    process.on('message', (raw) => isStop(raw) && end('stop'));
    if (!process.connected) end('the end of its program');
  }

  #send(message: ToOwner): Promise<void> {
    if (!process.connected) return Promise.resolve();
    this.#waiting += 1;
    return new Promise((resolve) => {
      process.send?.(toOwner(message), undefined, undefined, () => {
        this.#waiting -= 1;
        resolve();
      });
    });
  }
}

/** The owner that the environment names; it is taken out of that, so that no worker inherits it. */
export function takeOwner(env: NodeJS.ProcessEnv): Owner | undefined {
  const owned = env[OWNER_VARIABLE] !== undefined;
  delete env[OWNER_VARIABLE];
  return owned ? new Owner() : undefined;
}
