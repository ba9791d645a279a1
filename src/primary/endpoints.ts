// The primary's own listeners, control socket and admin listener: opened when it is time, closed for a successor or at the end.

import type { ControlEnd } from '../control/open.ts';
import type { Commands } from '../control/server.ts';
import type { Views } from '../control/views.ts';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import type { Event } from '../core/fleet.ts';
import { describeThrown } from '../log/thrown.ts';
import type { World } from './world.ts';

export class Endpoints {
  readonly #world: World;
  readonly #views: Views;
  readonly #controlSocket: string | undefined;
  readonly #dispatch: (event: Event) => void;
  #control: ControlEnd | undefined;
  #admin: Promise<ControlEnd | undefined> | undefined;

  /** @param controlSocket CONTROL_SOCKET; undefined = it is not set */
  constructor(
    world: World,
    views: Views,
    controlSocket: string | undefined,
    dispatch: (event: Event) => void,
  ) {
    this.#world = world;
    this.#views = views;
    this.#controlSocket = controlSocket;
    this.#dispatch = dispatch;
  }

  /** Opens the admin listener, where one is wanted: it shows the start, too. One that cannot be had ends the start. */
  async openAdmin(): Promise<void> {
    this.#admin ??= this.#world.openAdmin(this.#views).catch((error: unknown) => {
      const failure = { reason: describeThrown(error).message };
      this.#world.log({ notice: 'cannot serve', fault: { fault: 'failed', failure } });
      this.#giveUp();
      return undefined;
    });
    await this.#admin;
  }

  /** Opens both, the control socket for `port`; whether nothing ended the start. */
  async open(commands: Commands, port: number): Promise<boolean> {
    await this.openAdmin();
    try {
      this.#control = await this.#world.openControl(commands, port);
    } catch (error) {
      const reason = describeThrown(error).message;
      if (this.#controlSocket !== undefined) {
        this.#world.log({ notice: 'bad control socket', path: this.#controlSocket, reason });
        this.#giveUp();
        return false;
      }
      this.#world.log({ notice: 'no control socket', reason });
    }
    return true;
  }

  /** Closes both; resolves when the answers are out. */
  async close(): Promise<void> {
    const admin = this.#admin;
    const control = this.#control;
    this.#admin = undefined;
    this.#control = undefined;
    await Promise.all([control?.end(), admin?.then((end) => end?.end())]);
  }

  #giveUp(): void {
    this.#dispatch({ type: 'stop', what: undefined, exitCode: CANNOT_SERVE });
  }
}
