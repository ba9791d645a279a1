// The processes of the fleet as the primary holds them: forks them, hears them, and keeps the listening socket for them.

import type { Profiling } from '../control/profile.ts';
import type { Gauges, Stats } from '../core/figures.ts';
import type { Effect, WorkerEvent } from '../core/fleet.ts';
import type { WorkerName } from '../core/notices.ts';
import type { Answer, Assignment, FromWorker, ToWorker } from '../core/protocol.ts';
import { Deaths } from './deaths.ts';
import type { Handle, Socket, World } from './world.ts';

/** What is the same for every worker. */
export interface Common {
  /** Version of the primary, which a worker's own must equal. */
  readonly version: string;
  /** Absolute path of the app as typed; undefined = Hello. */
  readonly app: string | undefined;
  /** The app's own arguments. */
  readonly args: readonly string[];
  /** The listening socket as inherited (socket activation): a file descriptor. */
  readonly fd: number | undefined;
  readonly port: number;
  /** Whether Node's own round robin deals out connections. */
  readonly roundRobin: boolean;
  /** Whether PORT is set: an app that listens itself says its port otherwise. */
  readonly portGiven: boolean;
  /** The listening socket, where a predecessor had it already. */
  readonly socket?: Socket | undefined;
}

/** A worker by the policy's id, and what it was forked as. */
export interface Forked {
  readonly id: number;
  readonly slot: number;
  readonly generation: number;
}

/** What keeps the books over what workers say of themselves. */
export interface Bookkeeper {
  readonly beat: (of: Forked, stats: Stats) => void;
  /** It lives, and has nothing new to say. */
  readonly alive: (id: number) => void;
  readonly answer: (id: number, answer: Answer) => void;
  /** Its last figures, as long as it is not gone. */
  readonly figures: (id: number) => Gauges | undefined;
  /** It has gone, and all that it has said was heard. */
  readonly gone: (id: number) => void;
}

/** All workers there are, by the policy's ids. */
export class Workers {
  readonly #common: Common;
  readonly #world: World;
  readonly #tell: (event: WorkerEvent) => void;
  readonly #guard: (act: () => void) => void;
  readonly #books: Bookkeeper;
  readonly #handles = new Map<number, Handle>();
  readonly #deaths: Deaths;
  /** The listening socket, held so that it outlives all workers: while none serves, clients wait. */
  #socket: Socket | undefined;
  #released = false;
  #port: number;

  /**
   * @param tell takes what happens to workers
   * @param guard runs what a worker's message asks for; nothing may throw into Node's own callbacks
   */
  constructor(
    common: Common,
    world: World,
    tell: (event: WorkerEvent) => void,
    guard: (act: () => void) => void,
    books: Bookkeeper,
  ) {
    this.#common = common;
    this.#world = world;
    this.#tell = tell;
    this.#guard = guard;
    this.#books = books;
    this.#deaths = new Deaths(world, (id) => books.figures(id));
    this.#port = common.port;
    this.#socket = common.socket;
  }

  /** The listening socket; undefined as long as no worker serves, and with Node's own round robin. */
  get socket(): Socket | undefined {
    return this.#socket;
  }

  /** The port really bound. */
  get port(): number {
    return this.#port;
  }

  fork({ id, slot, generation, reading, armedMs, share }: Extract<Effect, { do: 'fork' }>): void {
    this.#deaths.look();
    const { version, app, args, fd, portGiven, roundRobin } = this.#common;
    const held = this.#socket !== undefined;
    const port = this.#port;
    const assignment: Assignment = {
      slot,
      generation,
      version,
      app,
      args,
      held,
      fd,
      port,
      portGiven,
      roundRobin,
      armedMs,
      share,
      config: reading.config,
    };
    let handle: Handle;
    try {
      handle = this.#world.fork(assignment, reading.env, {
        message: (message, socket) =>
          this.#guard(() => this.#hear({ id, slot, generation }, message, socket)),
        exit: (ending, found) => {
          this.#guard(() =>
            this.#tell({ type: 'exit', id, ending: this.#deaths.explain(id, ending, found) }),
          );
          void handle.closed.then(() => this.#guard(() => this.#forget(id)));
        },
      });
    } catch (error) {
      // Such as ENOMEM, which Node throws where it emits other reasons: the slot is forked again after its backoff.
      const cannotFork = error instanceof Error ? error.message : String(error);
      this.#tell({ type: 'exit', id, ending: { cannotFork } });
      return;
    }
    if (held) handle.send({ type: 'socket' }, this.#socket);
    this.#handles.set(id, handle);
    this.#tell({ type: 'forked', id, pid: handle.pid });
  }

  /** To a worker that is gone nothing is sent: its exit tells the rest. */
  send(id: number, message: ToWorker): void {
    this.#handles.get(id)?.send(message, message.type === 'rejoin' ? this.#socket : undefined);
  }

  /** Sends the same to all. Each is tried, whatever becomes of the others. */
  sendAll(message: ToWorker): void {
    for (const handle of this.#handles.values()) attempt(() => handle.send(message));
  }

  kill(id: number): void {
    this.#deaths.ours(id);
    this.#handles.get(id)?.kill();
  }

  killAll(): void {
    for (const id of this.#handles.keys()) attempt(() => this.kill(id));
  }

  /** Begins to profile one; undefined where it cannot be. */
  async profile(id: number, seconds: number): Promise<Profiling | undefined> {
    const handle = this.#handles.get(id);
    return handle && this.#world.profile(handle, seconds);
  }

  /** Begins a snapshot of one's heap; undefined where it cannot be. */
  async takeHeap(id: number): Promise<Profiling | undefined> {
    const handle = this.#handles.get(id);
    return handle && this.#world.takeHeap(handle);
  }

  /** Logs what a hung worker does, then kills it. */
  async explain(id: number, of: WorkerName, silentMs: number): Promise<void> {
    const handle = this.#handles.get(id);
    if (!handle) return;
    try {
      this.#world.log(await this.#world.explainHang(handle, of, silentMs));
    } finally {
      this.kill(id);
    }
  }

  /** To be called every second. */
  look(): void {
    this.#deaths.look();
  }

  /** Holds the listening socket no longer: it closes with the last worker that leaves. */
  releaseSocket(): void {
    this.#released = true;
    this.#socket?.close();
  }

  /** Resolves when all have ended and their output has been read. */
  async closed(): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => handle.closed));
  }

  #hear(of: Forked, message: FromWorker, socket: Socket | undefined): void {
    const { id } = of;
    if (message.type === 'answer') {
      this.#books.answer(id, message);
      return;
    }
    if (message.type === 'holding' || message.type === 'last words') {
      this.#deaths.heard(id, message);
      return;
    }
    if (message.type === 'beat') {
      this.#books.beat(of, message.stats);
      return;
    }
    if (message.type === 'alive') {
      this.#books.alive(id);
      return;
    }
    if (message.type === 'hello') this.#tellWatch();
    if (message.type === 'ready') this.#hold(message.port, socket);
    this.#tell({ id, ...message });
  }

  /** Keeps the first socket that a worker made. */
  #hold(port: number, socket: Socket | undefined): void {
    this.#port = port;
    if (this.#socket || this.#released) socket?.close();
    else this.#socket = socket;
  }

  #forget(id: number): void {
    this.#handles.delete(id);
    this.#deaths.forget(id);
    this.#books.gone(id);
    this.#tellWatch();
  }

  /** The watch hears of each worker that comes or goes, the first time when one runs and the others are forked. */
  #tellWatch(): void {
    this.#world.watch([...this.#handles.values()].map(({ pid }) => pid).filter((pid) => pid > 0));
  }
}

/** Does one of several things of which each has to be tried, whatever becomes of the others. */
export function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // What led here has been logged; this failure is its consequence.
  }
}
