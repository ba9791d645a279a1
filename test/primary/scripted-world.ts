// A world that the test plays: time passes when told to, workers are objects, and each part can be made to fail.

import type { Commands } from '../../src/control/server.ts';
import type { Views } from '../../src/control/views.ts';
import type { Config } from '../../src/core/config.ts';
import type { Ending } from '../../src/core/ending.ts';
import type { Event, Fleet } from '../../src/core/fleet.ts';
import type { Memory } from '../../src/core/memory-share.ts';
import type { OomCount } from '../../src/core/oom-count.ts';
import type { Assignment, FromWorker, ToWorker } from '../../src/core/protocol.ts';
import { type Checked, checkReading, type WorkerEnv } from '../../src/core/reading.ts';
import { lineOf } from '../../src/log/wording.ts';
import { Primary } from '../../src/primary/primary.ts';
import type { Handed } from '../../src/primary/upgrades.ts';
import type { Found, Handle, Listeners, World } from '../../src/primary/world.ts';

/** A worker that does what the test says. */
export class FakeWorker implements Handle {
  readonly pid: number;
  readonly sent: ToWorker[] = [];
  readonly assignment: Assignment;
  readonly env: WorkerEnv;
  readonly closed: Promise<void>;
  killed = false;
  readonly #listeners: Listeners;
  #close: () => void = () => {};

  constructor(pid: number, assignment: Assignment, env: WorkerEnv, listeners: Listeners) {
    this.pid = pid;
    this.env = env;
    this.assignment = assignment;
    this.#listeners = listeners;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  send(message: ToWorker): void {
    this.sent.push(message);
  }

  kill(): void {
    this.killed = true;
  }

  openInspector(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  says(message: FromWorker): void {
    this.#listeners.message(message, undefined);
  }

  ready(): void {
    this.says({ type: 'ready', port: 3000 });
  }

  exits(ending: Ending, found?: Found): void {
    this.#listeners.exit(ending, found);
    this.#close();
  }
}

/** A primary and the world around it. */
export class Scripted {
  now = 0;
  readonly log: string[] = [];
  /** Stacks that were logged. */
  readonly stacks: string[] = [];
  readonly workers: FakeWorker[] = [];
  readonly toldManager: Fleet[] = [];
  readonly configured: Config[] = [];
  commands: Commands | undefined;
  views: Views | undefined;
  exitCode: number | undefined;
  /** What the kernel has counted. */
  oomCount: OomCount | undefined;
  /** The memory that workers share. */
  memory: Memory | undefined;
  /** What the next forks do instead of making a worker. */
  forkFails: (() => void) | undefined;
  /** What is done when the named part of the world is used: a test lets it throw. */
  readonly sabotage: Partial<Record<keyof World, () => void>> = {};
  /** The successors that were booted: what they were handed, and what was done to them. */
  readonly successors: {
    readonly handed: Handed;
    readonly tell: (event: Event) => void;
    readonly did: string[];
  }[] = [];
  /** Why there can be no successor. */
  noSuccessor: string | undefined;
  /** Whether this process becomes its successor, and whether the socket comes back for that. */
  readonly relays: boolean;
  socketComesBack = true;
  became: Handed | undefined;
  /** What opening the control socket waits for. */
  controlOpens: Promise<void> = Promise.resolve();
  readonly primary: Primary;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  /** @param readAgain what the environment says at a reload */
  constructor(env: Readonly<Record<string, string>> = {}, readAgain?: () => Promise<Checked>, relays = true) {
    this.relays = relays;
    const { reading } = checkReading({ WEB_CONCURRENCY: '2', ...env }, []);
    const start = {
      reading,
      version: '1',
      app: undefined,
      args: [],
      fd: undefined,
      port: 3000,
      portGiven: true,
      roundRobin: false,
      seed: 1,
      socket: { close: () => {}, fd: 12 },
    };
    this.primary = new Primary(start, this.#world(readAgain));
    void this.primary.stopped.then((code) => {
      this.exitCode = code;
    });
  }

  /** Lets the fleet start and serve. */
  async serving(): Promise<this> {
    this.primary.dispatch({ type: 'wake' });
    for (const worker of this.workers) worker.ready();
    await settled();
    return this;
  }

  /** Lets time pass, and every timer run that is due by then. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    await settled();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.run();
      await settled();
    }
    this.now = until;
    await settled();
  }

  get alive(): FakeWorker[] {
    return this.workers.filter((worker) => !this.#gone.has(worker));
  }

  readonly #gone = new Set<FakeWorker>();

  /** Ends a worker's process. */
  exit(worker: FakeWorker, ending: Ending, found?: Found): void {
    this.#gone.add(worker);
    worker.exits(ending, found);
  }

  readonly #after = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  #world(readAgain: World['readAgain']): World {
    const use = (part: keyof World): void => this.sabotage[part]?.();
    return {
      now: () => {
        use('now');
        return this.now;
      },
      elapsed: () => this.now,
      after: this.#after,
      sleep: this.#after,
      tickMs: Infinity,
      readAgain,
      cpus: () => 2,
      memory: () => this.memory,
      configure: (config) => {
        this.configured.push(config);
      },
      fork: (assignment, env, listeners) => {
        use('fork');
        const worker = new FakeWorker(100 + this.workers.length, assignment, env, listeners);
        this.workers.push(worker);
        return worker;
      },
      log: (notice) => {
        const { text, stack } = lineOf(notice);
        this.log.push(text);
        if (stack) this.stacks.push(stack);
        use('log');
      },
      tellManager: (fleet) => {
        use('tellManager');
        this.toldManager.push(fleet);
      },
      tellServing: () => use('tellServing'),
      openControl: async (commands) => {
        use('openControl');
        this.commands = commands;
        await this.controlOpens;
        return { end: () => Promise.resolve() };
      },
      openAdmin: async (views) => {
        use('openAdmin');
        this.views = views;
        return undefined;
      },
      own: () => ({
        cpuSeconds: 1,
        residentBytes: 50 * 1_048_576,
        startSeconds: 0,
        openFds: 20,
        maxFds: null,
        logLinesDropped: 0,
      }),
      residentBytes: () => 50 * 1_048_576,
      oomCount: () => this.oomCount,
      memoryLimitMiB: () => 512,
      watch: () => use('watch'),
      explainHang: async (_handle, of, silentMs) => {
        use('explainHang');
        return { notice: 'hung', of, silentMs, place: undefined, holding: [], stack: undefined };
      },
      profile: () => Promise.resolve(undefined),
      takeHeap: () => Promise.resolve(undefined),
      memoryLeft: () => undefined,
      checkDescriptors: () => {
        use('checkDescriptors');
        return undefined;
      },
      predecessor: undefined,
      succession: {
        relays: this.relays,
        problem: async () => this.noSuccessor,
        boot: (handed, _socket, _node, tell) => {
          this.successors.push({ handed, tell, did: [] });
          use('succession');
          const did = (what: string) => (): void => void this.successors.at(-1)?.did.push(what);
          return {
            takeOver: did('take over'),
            takeSocket: async () => {
              did('take socket')();
              return this.socketComesBack;
            },
            stop: did('stop'),
            kill: did('kill'),
            gone: Promise.resolve(),
            about: () => ({ pid: 4711, program: { version: '2', node: 'v99.0.0' } }),
          };
        },
        mute: (on) => void this.successors.at(-1)?.did.push(on ? 'mute' : 'unmute'),
        flush: () => {},
        become: (handed) => {
          this.became = handed;
          throw new Error('no such program');
        },
      },
      end: async () => use('end'),
    };
  }
}

/** Resolves when all promises that can settle now have. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
