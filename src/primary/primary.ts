// The primary: turns signals, messages and exits into events of the policy, and performs the effects it answers with.

import { type Config, MAX_WORKERS } from '../core/config.ts';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import { type Effect, type Event, type Fleet, newFleet, wakeAt } from '../core/fleet.ts';
import * as messages from '../core/messages.ts';
import { step } from '../core/policy.ts';
import type { Log } from '../log/logger.ts';
import { Clock, TICK_MS } from './clock.ts';
import { usableCpus } from './cpus.ts';
import { explainHang } from './hang.ts';
import type { ControlEnd } from './open-control.ts';
import { Operations } from './operations.ts';
import { tellPm2 } from './pm2.ts';
import type { Asked } from './signals.ts';
import type { Sinks } from './sinks.ts';
import { statusOf } from './status.ts';
import { type Inheritance, Notifier } from './systemd.ts';
import { Watch } from './watch.ts';
import { type Socket, WorkerHandle } from './worker-handle.ts';

/** Workers that have exited may have output in their pipes for so long. */
const LAST_WORDS_MS = 100;

export interface Start {
  readonly config: Config;
  /** Absolute path of the app as typed; undefined = Hello. */
  readonly app: string | undefined;
  /** What systemd passed: a listening socket, and where to notify. */
  readonly systemd: Inheritance;
  /** The file that workers run. */
  readonly exec: string;
  readonly version: string;
}

/** The run loop around the policy. */
export class Primary {
  readonly #start: Start & { readonly port: number };
  readonly #sinks: Sinks;
  readonly #log: Log;
  readonly #clock = new Clock();
  readonly #since = Number(process.hrtime.bigint()) / 1e9 - process.uptime();
  readonly #handles = new Map<number, WorkerHandle>();
  readonly #queue: Event[] = [];
  readonly #operations = new Operations();
  #port: number;
  #socket: Socket | undefined;
  /** Whether all the world has been told that the fleet serves. */
  #announced = false;
  readonly #notifier: Notifier;
  #watch: Watch | undefined;
  #control: ControlEnd | undefined;
  #fleet: Fleet;
  #turning = false;
  #wake: NodeJS.Timeout | undefined;
  readonly stopped: Promise<number>;
  #stop: (code: number) => void = () => {};

  constructor(start: Start & { readonly port: number }, sinks: Sinks, log: Log) {
    this.#start = start;
    this.#port = start.port;
    this.#notifier = new Notifier(start.systemd);
    this.#sinks = sinks;
    this.#log = log;
    const { config } = start;
    const wanted = config.workers === 'auto' ? usableCpus() : config.workers;
    const settings = {
      bootMs: config.bootTimeoutMs,
      drainMs: config.drainTimeoutMs,
      stopDelayMs: config.shutdownDelayMs,
      stopMs: config.shutdownTimeoutMs,
      hangMs: config.hangTimeoutMs,
    };
    this.#fleet = newFleet(wanted, settings, Date.now() % 2_147_483_648);
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  /** Takes what a signal asks for. */
  ask(asked: Asked): void {
    const { wanted } = this.#fleet;
    if (asked.type === 'one more')
      this.dispatch({ type: 'scale', workers: Math.min(MAX_WORKERS, wanted + 1) });
    else if (asked.type === 'one fewer') this.dispatch({ type: 'scale', workers: Math.max(1, wanted - 1) });
    else this.dispatch(asked);
  }

  /** Takes one event; those that come up meanwhile wait for their turn. */
  dispatch(event: Event): void {
    this.#queue.push(event);
    if (this.#turning) return;
    this.#turning = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { fleet, effects } = step(this.#fleet, next, this.#clock.now());
      this.#fleet = fleet;
      for (const effect of effects) {
        this.#perform(effect);
        this.#operations.show(effect, fleet);
      }
    }
    this.#operations.show(undefined, this.#fleet);
    if (this.#announced) this.#notifier.show(this.#fleet);
    this.#turning = false;
    this.#sleep();
  }

  #sleep(): void {
    clearTimeout(this.#wake);
    const ms = Math.max(0, Math.min(TICK_MS, wakeAt(this.#fleet) - this.#clock.now()));
    this.#wake = setTimeout(() => this.dispatch({ type: 'wake' }), ms);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'fork':
        this.#fork(effect.id, effect.slot, effect.generation);
        return;
      case 'stopping':
      case 'leave':
        this.#handles.get(effect.id)?.send({ type: effect.do, linger: effect.linger });
        return;
      case 'rejoin':
        this.#handles.get(effect.id)?.send({ type: 'rejoin' }, this.#socket);
        return;
      case 'drain':
        this.#handles.get(effect.id)?.send({ type: 'drain', why: effect.why, graceMs: effect.graceMs });
        return;
      case 'kill':
        this.#handles.get(effect.id)?.kill('SIGKILL');
        return;
      case 'hung':
        void this.#explain(effect.id, effect.silentMs);
        return;
      case 'let go':
        this.#socket?.close();
        return;
      case 'serving':
        void this.#serve();
        return;
      case 'reloaded':
      case 'abandoned':
      case 'boot failed':
        return;
      case 'log':
        this.#log(effect.line);
        return;
      case 'exit':
        void this.#exit(effect.code);
    }
  }

  #fork(id: number, slot: number, generation: number): void {
    const { app, config, systemd, version } = this.#start;
    const held = this.#socket !== undefined;
    const { fd } = systemd;
    const assignment = { slot, generation, version, app, held, fd, port: this.#port, config };
    const handle = new WorkerHandle(assignment, this.#since, this.#sinks, {
      message: (message, socket) => {
        if (message.type === 'hello') this.#tellWatch();
        if (message.type === 'ready') this.#hold(message.port, socket);
        this.dispatch({ id, ...message });
      },
      exit: (code, signal) => {
        this.dispatch({ type: 'exit', id, code, signal });
        void handle.closed.then(() => {
          this.#handles.delete(id);
          this.#tellWatch();
        });
      },
    });
    if (held) handle.send({ type: 'socket' }, this.#socket);
    this.#handles.set(id, handle);
    this.dispatch({ type: 'forked', id, pid: handle.pid });
  }

  /** Keeps the first socket that a worker made, so that it outlives them all: while none serves, clients wait. */
  #hold(port: number, socket: Socket | undefined): void {
    this.#port = port;
    if (this.#socket || this.#fleet.stop) socket?.close();
    else this.#socket = socket;
  }

  /** The watch starts when the first worker runs, not before the others are forked, and hears of each that comes or goes. */
  #tellWatch(): void {
    this.#watch ??= new Watch(this.#start.config.shutdownTimeoutMs);
    this.#watch.tell([...this.#handles.values()].map((handle) => handle.pid).filter((pid) => pid > 0));
  }

  async #explain(id: number, silentMs: number): Promise<void> {
    const handle = this.#handles.get(id);
    const worker = this.#fleet.workers.find((w) => w.id === id);
    if (!handle || !worker) return;
    this.#log(await explainHang(handle, worker, silentMs));
    handle.kill('SIGKILL');
  }

  /** All workers listen, so the port is ours: time for the control socket, and to say so. */
  async #serve(): Promise<void> {
    const { config } = this.#start;
    const port = this.#port;
    const commands = this.#operations.commands({
      fleet: () => this.#fleet,
      dispatch: (event) => this.dispatch(event),
      status: () => this.#status(),
    });
    try {
      // Loaded only now: it needs node:http, and the first fork waits for nothing that it can do without.
      const { openControl } = await import('./open-control.ts');
      this.#control = await openControl(commands, config.controlSocket, port);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (config.controlSocket !== undefined) {
        this.#log(messages.badControlSocket(config.controlSocket, reason));
        this.dispatch({ type: 'stop', what: undefined, exitCode: CANNOT_SERVE });
        return;
      }
      this.#log(messages.noControlSocket(reason));
    }
    this.#log(messages.listening(port));
    this.#log(messages.visit(port));
    this.#announced = true;
    this.#notifier.show(this.#fleet);
    tellPm2();
  }

  #status() {
    const { version, config, app } = this.#start;
    const identity = { version, port: this.#port, host: config.host, app };
    return statusOf(this.#fleet, this.#clock.now(), identity, (id) => this.#handles.get(id)?.stats);
  }

  async #exit(code: number): Promise<void> {
    clearTimeout(this.#wake);
    const lastWords = Promise.all([...this.#handles.values()].map((handle) => handle.closed));
    await Promise.race([lastWords, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    this.#operations.end();
    await Promise.all([this.#control?.end(), this.#watch?.end(), this.#notifier.end()]);
    this.#stop(code);
  }
}
