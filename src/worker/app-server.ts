// Finds out in which way the app is to be served (it listens itself, or exports what serves), and has its server listen.

import type { Server } from 'node:http';
import { Adopted } from '../http/adopted.ts';
import { type Extras, findApp } from '../http/app-module.ts';
import { type Aside, asideOf } from '../http/aside.ts';
import { Drain } from '../http/drain.ts';
import { createServer } from '../http/server.ts';
import type { ServerSettings, Service } from '../http/service.ts';
import { warmUp } from '../http/warm-up.ts';
import type { Log } from '../log/logger.ts';
import { Adoption, type Asked } from './adoption.ts';
import { boundBy, type Listening } from './listening.ts';
import { BootError, bootError } from './load-app.ts';
import { webAdapter } from './web-adapter.ts';

/** The boot ends so much before BOOT_TIMEOUT, when the primary would end it without a reason. */
const EARLY_MS = 300;

/** A warm-up is cut after so much of BOOT_TIMEOUT, or, where there is none, when it has taken so long. */
const WARM_UP_SHARE = 0.8;
const WARM_UP_MS = 30_000;

/** So many turns of the loop after its server is about to listen, or listens, a module that is done has its exports known. */
const EXPORTS_TURNS = 3;

/** What an app is served with. */
export interface Serving {
  /** What messages call the app: its path. */
  readonly name: string;
  readonly settings: ServerSettings;
  readonly listening: Listening;
  /** ms; 0 = as long as it takes. */
  readonly bootTimeoutMs: number;
  /** Loads the module. */
  readonly load: () => Promise<Readonly<Record<string, unknown>>>;
  /** Aborts when the worker drains. */
  readonly signal: AbortSignal;
  /** The app listens although what it exports is served already. */
  readonly needless: () => void;
  /** The app has closed its server, and not had it listen again. */
  readonly closed: () => void;
}

/** The app's server, whoever made it. */
export class AppServer {
  readonly #serving: Serving;
  readonly #adoption: Adoption;
  #extras: Extras = {};
  /** Whether the module has run to its end, and its exports are known. */
  #loaded = false;
  /** Whether its server was to listen before that. */
  #late = false;
  #adopted: Adopted | undefined;
  #started: Server | undefined;
  #resolve: (service: Service) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  /** There from when there is a server on. */
  drain: Drain | undefined;

  constructor(serving: Serving) {
    this.#serving = serving;
    this.#adoption = new Adoption({
      adopted: (server, asked) => this.#adopt(server, asked),
      servedAt: () => serving.listening.where,
      needless: serving.needless,
    });
  }

  /** The app's optional exports, as far as they are known. */
  get extras(): Extras {
    return this.#extras;
  }

  /** Loads the app; resolves when its server listens, rejects with why it does not. */
  start(): Promise<Service> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#load().catch(reject);
    });
  }

  /** Has it listen again, on `socket`. */
  async rejoin(service: Service, socket: object | undefined): Promise<void> {
    this.drain?.rejoin();
    const bound = this.#adopted ? this.#adopted.bound.bind(this.#adopted) : boundBy(service.server);
    await bound(() => this.#serving.listening.bind(service.server, socket));
  }

  /** Closes the servers that the app has beside the one that is served. */
  closeOthers(): void {
    for (const server of this.#adoption.others) server.close();
  }

  async #load(): Promise<void> {
    const { name, load } = this.#serving;
    const found = await findApp(await load(), webAdapter(name));
    if (typeof found === 'string') throw new BootError(`${name}: ${found}`);
    this.#extras = found.found === 'listener' ? found.app : found.extras;
    this.#loaded = true;
    if (this.#late && this.#extras.warmup) this.#log({ notice: 'warm-up skipped' });
    if (this.#started) return;
    if (found.found === 'listener') {
      const { settings } = this.#serving;
      this.#adoption.exported();
      await this.#readyUp();
      await this.#warmUp((log) => asideOf(found.app, settings, log));
      const service = createServer(found.app, settings);
      this.#started = service.server;
      this.drain = new Drain(service);
      await this.#serving.listening.listen(service.server, boundBy(service.server));
      this.#resolve(service);
    } else if (found.found === 'server') this.#adoption.take(found.server);
    else if (found.hopeless) throw new BootError(`${name}: ${found.problem}`);
    else this.#awaitServer(found.problem);
  }

  /** Takes the first server that the app has listen. */
  #adopt(server: Server, asked: Asked | undefined): () => void {
    this.#started = server;
    const adopted = new Adopted(server, this.#serving.settings, { closed: this.#serving.closed });
    this.#adopted = adopted;
    if (asked) this.#serving.listening.prefer(asked);
    this.drain = new Drain(adopted.service);
    this.#bind(server, adopted).catch(this.#reject);
    return () => adopted.listenAgain();
  }

  async #bind(server: Server, adopted: Adopted): Promise<void> {
    // A module that has the server listen as the last thing it does has its exports known by then. One that waits for
    // its server to listen would wait for ever: its exports come later.
    await turns(EXPORTS_TURNS);
    this.#late = !this.#loaded;
    if (!this.#late) {
      await this.#readyUp();
      await this.#warmUp((log) => adopted.aside(log));
    }
    await this.#serving.listening.listen(server, (bind) => adopted.bound(bind));
    if (this.#late) await turns(EXPORTS_TURNS);
    if (this.#late && this.#loaded) await this.#readyUp();
    this.#resolve(adopted.service);
  }

  async #readyUp(): Promise<void> {
    const { name, signal } = this.#serving;
    if (this.#extras.upgrade) this.#adopted?.takeUpgrades(this.#extras.upgrade);
    try {
      await this.#extras.ready?.(signal);
    } catch (error) {
      throw bootError(`${name}: ready failed`, error);
    }
  }

  async #warmUp(open: (log: Log) => Aside): Promise<void> {
    const { bootTimeoutMs, signal } = this.#serving;
    const { warmup } = this.#extras;
    // This process' clock began with its fork.
    const withinMs = bootTimeoutMs === 0 ? WARM_UP_MS : bootTimeoutMs * WARM_UP_SHARE - performance.now();
    if (warmup) await warmUp(warmup, { open, log: this.#log, withinMs, signal });
  }

  get #log(): Log {
    return this.#serving.settings.log ?? (() => {});
  }

  /** Nothing that is exported serves: a server has to listen in time. A module that is over will not have one listen. */
  #awaitServer(problem: string): void {
    const { name, bootTimeoutMs } = this.#serving;
    const fail = (why: string): void => {
      if (this.#started) return;
      const or = problem.replace(/^expected /, '');
      this.#reject(new BootError(`${name}: expected a server that listens${why}, or ${or}`));
    };
    // The channel to the primary is no reason for the app to go on, unless another server is about to listen through it.
    if (this.#adoption.others.size === 0) process.channel?.unref();
    process.once('beforeExit', () => fail(', and the app has ended'));
    if (bootTimeoutMs === 0) return;
    const within = Math.max(bootTimeoutMs - EARLY_MS, bootTimeoutMs / 2);
    setTimeout(() => fail(` within ${bootTimeoutMs / 1000} s`), within).unref();
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
