// An upgrade as it runs in the primary that is to be succeeded: boots the successor, makes room for it, and goes or becomes it.

import type { Event, Fleet } from '../core/fleet.ts';
import type { Program, Succession } from '../core/succession.ts';
import { carriedBy } from '../core/upgrade.ts';
import { describeThrown } from '../log/thrown.ts';
import type { Successor } from './successor.ts';
import type { Socket, World } from './world.ts';

/** What an upgrade needs of its primary. */
export interface Upgraded {
  readonly fleet: () => Fleet;
  readonly dispatch: (event: Event) => void;
  readonly world: World;
  readonly program: Program;
  /** The listening socket, and where it listens. */
  readonly listening: () => {
    socket: Socket | undefined;
    port: number;
    portGiven: boolean;
    host: string | null;
  };
  /** Open and close control socket and admin listener. */
  readonly openEndpoints: () => Promise<unknown>;
  readonly closeEndpoints: () => Promise<void>;
  /** Ends this process, in order. */
  readonly exit: () => void;
}

export class Upgrades {
  readonly #primary: Upgraded;
  #successor: Successor | undefined;
  /** What the successor runs on, and when the upgrade began, ms since 1970. */
  #node: string | undefined;
  #since = 0;
  #hasClosed = false;

  constructor(primary: Upgraded) {
    this.#primary = primary;
  }

  async begin(node: string | undefined): Promise<void> {
    const { dispatch, world, listening } = this.#primary;
    const { socket } = listening();
    const problem =
      socket?.fd === undefined
        ? 'there is no listening socket to hand on, as under NODE_CLUSTER_SCHED_POLICY=rr'
        : await world.succession.problem(node);
    const isOver = this.#primary.fleet().upgrade?.stage !== 'booting';
    if (problem !== undefined) dispatch({ type: 'successor gone', reason: problem });
    if (problem !== undefined || isOver || !socket) return;
    this.#node = node;
    this.#since = Date.now();
    const as = world.succession.relays ? 'interim' : 'successor';
    try {
      this.#successor = world.succession.boot(this.#handed(as, 0), socket, node, dispatch);
    } catch (error) {
      // Such as ENOMEM, which Node throws where it emits other reasons.
      const { message } = describeThrown(error);
      dispatch({ type: 'successor gone', reason: `a successor cannot be started: ${message}` });
    }
  }

  /** The successor serves. Where it stays, control socket and admin listener become its own. */
  async handOver(): Promise<void> {
    const { world, closeEndpoints } = this.#primary;
    if (!this.#successor || world.succession.relays) return;
    this.#hasClosed = true;
    world.succession.mute(true);
    await closeEndpoints();
    this.#successor?.takeOver();
  }

  /** All workers have gone: makes room. */
  async succeed(): Promise<void> {
    const { dispatch, world, listening, closeEndpoints, exit } = this.#primary;
    const successor = this.#successor;
    if (!successor || !world.succession.relays) {
      exit();
      return;
    }
    const isOver = (): boolean => this.#primary.fleet().upgrade?.stage !== 'over';
    this.#hasClosed = true;
    // First of all: a client that came in between would be given descriptor 0.
    await closeEndpoints();
    if (isOver()) return;
    // What this process opens once and keeps, its reserve, is open by now: what still comes up as 0 is closed again.
    const notice = world.checkDescriptors();
    if (notice) world.log(notice);
    const hasSocket = listening().socket?.fd === 0 || (await successor.takeSocket());
    if (isOver()) return;
    const about = successor.about();
    if (!hasSocket || !about) {
      dispatch({ type: 'successor gone', reason: 'the successor did not hand the listening socket back' });
      return;
    }
    world.log({ notice: 'becoming', program: about.program });
    await world.end();
    world.succession.flush();
    // A signal that has come by now is heard; one that comes in the moment of the exec would not be.
    await new Promise((resolve) => setImmediate(resolve));
    if (isOver()) return;
    try {
      world.succession.become(this.#handed('relayed', 1, about.pid), this.#node);
    } catch (error) {
      dispatch({ type: 'successor gone', reason: describeThrown(error).message });
    }
  }

  /** There is no successor: what it was to have is opened again, and what is left of it ends. */
  async failed(): Promise<void> {
    const { world, openEndpoints } = this.#primary;
    this.#successor?.stop();
    this.#successor = undefined;
    if (!this.#hasClosed) return;
    this.#hasClosed = false;
    world.succession.mute(false);
    await openEndpoints();
  }

  /** Stops the successor, unless that has taken over: then this primary is stopped by it, not the other way round. */
  stop(): void {
    this.#ours?.stop();
  }

  kill(): void {
    this.#ours?.kill();
  }

  /** Resolves when there is no successor that a stop would have to wait for. */
  async gone(): Promise<void> {
    await this.#ours?.gone;
  }

  get #ours(): Successor | undefined {
    const { relays } = this.#primary.world.succession;
    return relays || !this.#hasClosed ? this.#successor : undefined;
  }

  /** @param generations so many have come since this fleet's */
  #handed(as: Succession['as'], generations: number, predecessor = process.pid): Handed {
    const { fleet, listening, program } = this.#primary;
    const { port, portGiven, host } = listening();
    const carried = carriedBy(fleet());
    return {
      as,
      port,
      portGiven,
      host,
      fleet: { ...carried, generation: carried.generation + generations },
      predecessor,
      from: program,
      since: this.#since,
    };
  }
}

/** A succession as the primary knows it; the world adds how this machine names processes, descriptors and systemd. */
export type Handed = Omit<Succession, 'fd' | 'predecessor' | 'systemd'> & { readonly predecessor: number };
