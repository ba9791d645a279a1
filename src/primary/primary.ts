// The primary's run loop: turns what happens into events of the policy, and performs the effects it answers with.

import { SAMPLE_MS } from '../control/ledger.ts';
import { Operations } from '../control/operations.ts';
import type { Commands } from '../control/server.ts';
import { MAX_WORKERS } from '../core/config.ts';
import { GOODBYE_MS, LAST_WORDS_MS, STOP_MARGIN_MS } from '../core/deadlines.ts';
import { CANNOT_SERVE, OK } from '../core/exit-codes.ts';
import { type Effect, type Event, type Fleet, newFleet } from '../core/fleet.ts';
import type { Notice } from '../core/notices.ts';
import { step } from '../core/policy.ts';
import type { Reading } from '../core/reading.ts';
import { wakeAt } from '../core/reconcile.ts';
import { type Renewal, settingsOf } from '../core/settings.ts';
import type { Succession } from '../core/succession.ts';
import { nameOf } from '../core/turn.ts';
import { describeThrown } from '../log/thrown.ts';
import { Endpoints } from './endpoints.ts';
import { Profiles } from './profiles.ts';
import { renewalOf } from './renewal.ts';
import type { Asked } from './signals.ts';
import { Snapshots } from './snapshots.ts';
import { Upgrades } from './upgrades.ts';
import { Books } from './views.ts';
import { attempt, type Common, Workers } from './workers.ts';
import type { World } from './world.ts';

/** What a primary is told when it is made. */
export interface Start extends Common {
  readonly reading: Reading;
  /** What the jitter of the backoff begins with. */
  readonly seed: number;
  /** What a predecessor handed on; undefined = this primary is the first. */
  readonly succession?: Succession | undefined;
  /** See `Fleet`; not if it does not say. */
  readonly dev?: boolean;
}

/** The run loop around the policy. Nothing that happens in a turn can leave it standing: see {@link Primary.fail}. */
export class Primary {
  readonly #start: Start;
  readonly #world: World;
  readonly #workers: Workers;
  readonly #operations = new Operations();
  readonly #upgrades: Upgrades;
  readonly #endpoints: Endpoints;
  readonly #books: Books;
  readonly #snapshots: Snapshots;
  readonly #profiles: Profiles;
  readonly #queue: Event[] = [];
  /** When workers have beaten since the policy was told. */
  #heard = new Map<number, number>();
  #fleet: Fleet;
  /** Whether all the world has been told that the fleet serves. */
  #announced = false;
  #turning = false;
  #failed = false;
  /** Whether a stop has taken longer than it may. */
  #isLate = false;
  /** When what is not the policy's is looked at next: file descriptors, the history, what the kernel counts. */
  #lookAt = 0;
  #cancelWake = (): void => {};
  #cancelBackstop: (() => void) | undefined;
  /** Resolves with the exit code when the fleet has stopped. */
  readonly stopped: Promise<number>;
  #resolveStopped: (code: number) => void = () => {};

  constructor(start: Start, world: World) {
    const { reading, seed } = start;
    this.#start = start;
    // What is logged is shown as well.
    const log = (notice: Notice): void => {
      world.log(notice);
      this.#books.happened(notice);
    };
    this.#world = { ...world, log };
    this.#workers = new Workers(
      start,
      this.#world,
      (event) => this.dispatch(event),
      (act) => this.#guard(act),
      {
        alive: (id) => void this.#heard.set(id, world.now()),
        beat: (of, stats) => {
          this.#heard.set(of.id, world.now());
          const connections = this.#books.beat(of, stats);
          if (connections > 0 && !start.roundRobin) this.#workers.send(of.id, { type: 'ease', connections });
        },
        answer: (id, answer) => this.#books.answer(id, answer),
        figures: (id) => this.#books.figures(id),
        gone: (id) => this.#books.gone(id),
      },
    );
    this.#books = new Books({
      fleet: () => {
        this.#hear();
        return this.#fleet;
      },
      reloadsTo: () => this.#fleet.reload?.to,
      now: () => world.now(),
      elapsed: () => world.elapsed(),
      identity: () => ({
        version: start.version,
        port: this.#workers.port,
        host: reading.config.host,
        app: start.app,
      }),
      own: () => world.own(),
      residentBytes: () => world.residentBytes(),
      ask: (id, question) => this.#workers.send(id, { type: 'ask', question }),
      after: (ms, run) => world.after(ms, run),
      log,
      judged: (generation, verdict) => this.dispatch({ type: 'judged', generation, verdict }),
    });
    const shared = { fleet: () => this.#fleet, workers: this.#workers };
    this.#profiles = new Profiles({
      ...shared,
      utilization: (id) => this.#books.utilization(id),
      held: () => this.#snapshots.slot,
    });
    this.#snapshots = new Snapshots({
      ...shared,
      dispatch: (event) => this.dispatch(event),
      heapUsed: (id) => this.#books.figures(id)?.heapUsedMiB ?? 0,
      connections: (id) => this.#books.figures(id)?.connections ?? 0,
      memoryLeft: world.memoryLeft,
      after: (ms, run) => world.after(ms, run),
      profiled: () => this.#profiles.slot,
    });
    this.#endpoints = new Endpoints(this.#world, this.#books.views, reading.config.controlSocket, (event) =>
      this.dispatch(event),
    );
    this.#fleet = newFleet(settingsOf(reading, world), seed, start.succession?.fleet, start.dev);
    this.#upgrades = new Upgrades({
      fleet: () => this.#fleet,
      dispatch: (event) => this.dispatch(event),
      world: this.#world,
      program: { version: start.version, node: process.version },
      listening: () => ({
        socket: this.#workers.socket,
        port: this.#workers.port,
        portGiven: start.portGiven,
        host: reading.config.host ?? null,
      }),
      openEndpoints: () => this.#open(),
      closeEndpoints: () => this.#close(),
      exit: () => void this.#exit(OK),
    });
    if (start.succession?.as === 'relayed') {
      // What this process told its service manager before its exec goes on without a gap.
      this.#announced = true;
      // An interim primary's apps never lead, and those before it have gone.
      this.#fleet.leadAt = 0;
    }
    void world.predecessor?.gone.then(() => this.#hasNoPredecessor());
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  /** Takes what a signal asks for. */
  ask(asked: Asked): void {
    const { wanted } = this.#fleet;
    if (this.#start.succession?.as === 'interim' && asked.type !== 'stop') this.#askInterim(asked);
    else if (asked.type === 'one more')
      this.dispatch({ type: 'scale', workers: Math.min(MAX_WORKERS, wanted + 1) });
    else if (asked.type === 'one fewer') this.dispatch({ type: 'scale', workers: Math.max(1, wanted - 1) });
    else if (asked.type === 'reload') this.#renew((renewal) => this.dispatch({ ...asked, renewal }));
    else this.dispatch(asked);
  }

  /** One that serves for a while goes when its predecessor tells it so; whatever else is asked for is not meant for it. */
  #askInterim({ type }: Asked): void {
    if (type === 'upgrade') this.dispatch({ type: 'dismissed' });
  }

  /** The one before has gone: as it should, or an interim primary serves for nobody. */
  #hasNoPredecessor(): void {
    if (this.#start.succession?.as === 'interim') this.dispatch({ type: 'stop', what: undefined });
    else this.dispatch({ type: 'predecessor gone' });
  }

  /** Reads the environment anew for a reload, where it may have changed; `use` is called at once where it cannot. */
  #renew(use: (renewal: Renewal | undefined) => void): void {
    const { readAgain, log } = this.#world;
    const { reading } = this.#start;
    if (!readAgain) use(undefined);
    else
      void readAgain().then((checked) =>
        this.#guard(() => use(renewalOf(reading, checked, this.#world, log))),
      );
  }

  /** Opens the admin listener, where one is wanted: it shows the start, too. */
  openAdmin(): Promise<void> {
    return this.#endpoints.openAdmin();
  }

  /** Takes one event; those that come up meanwhile wait for their turn. Never throws. */
  dispatch(event: Event): void {
    if (this.#failed) {
      if (event.type === 'stop') this.#workers.killAll();
      return;
    }
    this.#queue.push(event);
    if (this.#turning) return;
    this.#turning = true;
    this.#guard(() => this.#turn());
    this.#turning = false;
  }

  /**
   * Something threw where nothing should: what the policy believes and what is may differ from now on, so no event is
   * taken any more. Workers drain, are killed at SHUTDOWN_TIMEOUT, and the primary ends with 1.
   */
  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const graceMs = this.#fleet.settings.stopMs;
    const exit = (): void => void this.#exit(CANNOT_SERVE);
    const steps = [
      () => this.#cancelWake(),
      () => this.#world.log({ notice: 'primary failed', ...describeThrown(error) }),
      () => this.#stopOthers(),
      () => this.#workers.releaseSocket(),
      () => this.#workers.sendAll({ type: 'drain', why: 'stop', graceMs }),
      () => void this.#world.after(graceMs, () => this.#workers.killAll()),
      () => void this.#world.after(graceMs + STOP_MARGIN_MS, exit),
      () => void this.#workers.closed().then(exit),
    ];
    for (const act of steps) attempt(act);
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(error);
    }
  }

  #attend(under: Promise<void>): void {
    under.catch((error: unknown) => this.fail(error));
  }

  #turn(): void {
    for (let event = this.#queue.shift(); event; event = this.#queue.shift()) {
      this.#hear();
      const { fleet, effects } = step(this.#fleet, event, this.#world.now());
      if (fleet.settings !== this.#fleet.settings) this.#world.configure(fleet.settings.reading.config);
      // Told once when it begins, and once when it is cut short: the others tell this one, too.
      if (fleet.stop?.exitCode !== this.#fleet.stop?.exitCode && event.type === 'stop') this.#stopOthers();
      this.#fleet = fleet;
      for (const effect of effects) {
        this.#perform(effect);
        this.#operations.show(effect, fleet);
        this.#books.show(effect);
        this.#snapshots.show(effect);
      }
      if (event.type === 'wake') this.#look();
    }
    this.#operations.show(undefined, this.#fleet);
    this.#snapshots.show(undefined);
    if (this.#announced) this.#world.tellManager(this.#fleet);
    if (this.#fleet.stop) this.#armBackstop();
    this.#sleep();
  }

  #sleep(): void {
    this.#cancelWake();
    const { now, sleep, tickMs } = this.#world;
    // Beats are looked at when it wakes: long before a worker counts as hung.
    const hangMs = this.#fleet.settings.hangMs || Infinity;
    const due = Math.min(wakeAt(this.#fleet), this.#lookAt) - now();
    const ms = Math.max(0, Math.min(due, tickMs, hangMs / 4));
    this.#cancelWake = sleep(ms, () => this.dispatch({ type: 'wake' }));
  }

  /** Beats come often: they are told to the policy together, before it is told anything else or asked how the fleet is. */
  #hear(): void {
    if (this.#heard.size === 0) return;
    const at = this.#heard;
    this.#heard = new Map();
    this.#fleet = step(this.#fleet, { type: 'heard', at }, this.#world.now()).fleet;
  }

  #perform(effect: Effect): void {
    const workers = this.#workers;
    switch (effect.do) {
      case 'fork':
        workers.fork(effect);
        return;
      case 'stopping':
      case 'leave':
        workers.send(effect.id, { type: effect.do, linger: effect.linger });
        return;
      case 'rejoin':
      case 'lead':
      case 'yield':
        workers.send(effect.id, { type: effect.do });
        return;
      case 'sleep':
        workers.send(effect.id, { type: 'sleep', graceMs: effect.graceMs });
        return;
      case 'drain':
        workers.send(effect.id, { type: 'drain', why: effect.why, graceMs: effect.graceMs });
        return;
      case 'kill':
        workers.kill(effect.id);
        return;
      case 'explain': {
        const worker = this.#fleet.workers.find(({ id }) => id === effect.id);
        if (worker) void workers.explain(effect.id, nameOf(worker), effect.silentMs);
        return;
      }
      case 'release socket':
        workers.releaseSocket();
        return;
      case 'announce':
        void this.#announce();
        return;
      case 'boot successor':
        this.#attend(this.#upgrades.begin(effect.node));
        return;
      case 'hand over':
        this.#attend(this.#upgrades.handOver());
        return;
      case 'succeed':
        this.#attend(this.#upgrades.succeed());
        return;
      case 'upgrade failed':
        if (effect.begun) this.#attend(this.#upgrades.failed());
        return;
      case 'snapshot':
      case 'reloaded':
      case 'rolled back':
      case 'abandoned':
      case 'boot failed':
      case 'ended':
        return; // for whoever gave a command, and for the figures: they are shown every effect
      case 'log':
        this.#world.log(effect.notice);
        return;
      case 'exit':
        void this.#exit(effect.code);
        return;
      default:
        effect satisfies never;
    }
  }

  #look(): void {
    const now = this.#world.now();
    if (now < this.#lookAt) return;
    this.#lookAt = now + SAMPLE_MS;
    this.#workers.look();
    this.#books.look();
    const notice = this.#world.checkDescriptors();
    if (notice) this.#world.log(notice);
  }

  /** All workers listen, so the port is ours: time for the control socket, and to say so. */
  async #announce(): Promise<void> {
    const { predecessor } = this.#world;
    const { succession, version } = this.#start;
    if (succession?.as !== 'relayed') predecessor?.serves();
    if (succession?.as === 'interim') return;
    await predecessor?.handedOver;
    if (!(await this.#open())) return;
    // A stop may have been asked for meanwhile: then nobody is told any more that it serves.
    if (this.#fleet.stop || this.#failed) return;
    const { port } = this.#workers;
    if (succession) {
      const { from, since } = succession;
      const { generation } = this.#fleet;
      const to = { version, node: process.version };
      this.#world.log({ notice: 'upgraded', from, to, generation, tookMs: Date.now() - since });
    } else {
      this.#world.log({ notice: 'listening', port });
      this.#world.log({ notice: 'visit', port });
    }
    this.#announced = true;
    this.#world.tellManager(this.#fleet);
    this.#world.tellServing();
    if (succession?.as === 'relayed') predecessor?.serves();
  }

  /** Opens the endpoints; whether nothing ended the start. */
  #open(): Promise<boolean> {
    return this.#endpoints.open(this.commands(), this.#workers.port);
  }

  /** What whoever steers this primary may have it do. */
  commands(): Commands {
    return this.#operations.commands({
      fleet: () => this.#fleet,
      dispatch: (event) => this.dispatch(event),
      renew: (use) => this.#renew(use),
      profile: (asked) => this.#profiles.begin(asked),
      heap: (asked) => this.#snapshots.begin(asked),
      relays: this.#world.succession.relays,
      views: this.#books.views,
    });
  }

  async #close(): Promise<void> {
    // What has been reported so far goes out first.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#atMost(GOODBYE_MS, this.#endpoints.close());
  }

  /** A stop is one of all that serves on the socket. */
  #stopOthers(): void {
    this.#upgrades.stop();
    this.#world.predecessor?.stop();
  }

  /** Should the policy's stop not end, because an exit is never heard of, the primary ends all the same. */
  #armBackstop(): void {
    const { stopDelayMs, stopMs } = this.#fleet.settings;
    const ms = stopDelayMs + stopMs + STOP_MARGIN_MS;
    this.#cancelBackstop ??= this.#world.after(ms, () => {
      this.#isLate = true;
      this.#workers.killAll();
      this.#upgrades.kill();
      this.#world.predecessor?.kill();
      void this.#exit(CANNOT_SERVE);
    });
  }

  async #exit(code: number): Promise<void> {
    try {
      this.#cancelWake();
      // Those that stop with this one; the backstop ends the wait for them.
      if (this.#fleet.stop && !this.#isLate)
        await Promise.all([this.#upgrades.gone(), this.#world.predecessor?.stopped()]);
      this.#cancelBackstop?.();
      await this.#atMost(LAST_WORDS_MS, this.#workers.closed());
      this.#operations.end();
      await this.#atMost(GOODBYE_MS, Promise.all([this.#endpoints.close(), this.#world.end()]));
    } finally {
      this.#resolveStopped(code);
    }
  }

  async #atMost(ms: number, done: Promise<unknown>): Promise<void> {
    await Promise.race([done, new Promise<void>((resolve) => void this.#world.after(ms, resolve))]);
  }
}
