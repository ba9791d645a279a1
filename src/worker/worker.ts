// A worker: loads the app, serves, says ready, beats, and drains when it is told to or has lost its primary.

import module from 'node:module';
import type { Doubt } from '../core/last-words.ts';
import type { Passed, ReplaceReason } from '../core/notices.ts';
import {
  type Assignment,
  type DrainReason,
  ERROR_LOG_FD,
  LOG_FD,
  type ToWorker,
  toWorker,
} from '../core/protocol.ts';
import { requestLog } from '../http/request-log.ts';
import type { Service } from '../http/service.ts';
import { Channel } from '../log/channel.ts';
import { createLog, droppedLine, type Log } from '../log/logger.ts';
import { describeThrown } from '../log/thrown.ts';
import { upgraded } from '../log/wording.ts';
import { showHolding } from './answers.ts';
import { AppProcess, exitProcess } from './app-process.ts';
import { AppServer } from './app-server.ts';
import { Holding } from './holding.ts';
import { Leading } from './lead.ts';
import { Listening } from './listening.ts';
import { BootError, bootError, loadModule } from './load-app.ts';
import { recorder } from './recorder.ts';
import { Telling } from './telling.ts';
import { isOpen, say, Tether } from './tether.ts';

/** How long an app may keep the process alive after its `close`. */
const EXIT_MS = 500;
const MIN_EXIT_MS = 10;
/** The app's `close` is given this much even when the drain took all of its grace. */
const CLOSE_MS = 50;
const ignore = (): void => {};

/** Signals that reach the whole tree, and that the primary answers: these, and the stop signals. */
const IGNORED = ['SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const;

/**
 * Runs this process as a worker of the cluster, for as long as it lives.
 * @param version of this worker's own code
 * @param loadHello loads the built-in app
 */
export async function runWorker(
  assignment: Assignment,
  version: string,
  loadHello: () => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const worker = new Worker(assignment);
  for (const signal of IGNORED) process.on(signal, ignore);
  process.on('message', (raw, handle) => worker.hear(toWorker(raw), handle as object | undefined));
  process.on('uncaughtException', (error, origin) => worker.fatal(origin, error));
  worker.hello();
  await worker.boot(version, loadHello);
}

/** One worker's life. */
class Worker {
  readonly #assignment: Assignment;
  readonly #out: Channel;
  readonly #err: Channel;
  readonly #abort = new AbortController();
  readonly #listening: Listening;
  readonly #appProcess = new AppProcess({
    // INT, QUIT and HUP are the terminal's or pm2's, which send them to the whole tree.
    signal: (signal) => signal === 'SIGTERM' && this.askForReplacement('TERM'),
    exit: (code, place) => this.#askToExit(code, place),
  });
  readonly #tether = new Tether({
    asked: (told) => this.#askToDisconnect(told),
    lost: () => this.orphan(),
  });
  readonly #leading = new Leading({
    yielded: (failed) => say({ type: 'yielded', failed }),
    failed: (error) => this.#log({ notice: 'lead failed', ...describeThrown(error) }),
  });
  /** The primary, by its pid: a process whose parent is gone gets another one. */
  readonly #primary = process.ppid;
  #log: Log = ignore;
  #server: AppServer | undefined;
  #service: Service | undefined;
  readonly #telling = new Telling(
    (message) => say(message),
    () => this.#server?.extras ?? {},
  );
  readonly #holding = new Holding((requests) => say({ type: 'holding', requests }));
  #stage: 'booting' | 'serving' | 'draining' = 'booting';
  /** Why it has asked for its replacement. */
  #asked: ReplaceReason | undefined;
  /** Whether the app has called process.exit(). */
  #exiting = false;

  constructor(assignment: Assignment) {
    this.#assignment = assignment;
    this.#listening = new Listening(assignment);
    const { config, slot: worker, generation } = assignment;
    const dropped = (lines: number): string => droppedLine(config.logFormat, lines, { worker, generation });
    this.#out = new Channel(LOG_FD, dropped);
    this.#err = new Channel(ERROR_LOG_FD, dropped);
  }

  hello(): void {
    say({ type: 'hello' });
  }

  async boot(version: string, loadHello: () => Promise<Readonly<Record<string, unknown>>>): Promise<void> {
    const { config, slot, generation, app: path, args, version: expected } = this.#assignment;
    const bindings = { worker: slot, generation };
    const output = {
      out: (lines: string) => this.#out.write(lines),
      err: (lines: string) => {
        this.#err.write(lines);
        this.#err.flush();
      },
    };
    this.#log = createLog(config.logFormat, config.logLevel, output, bindings);
    process.on('exit', () => {
      this.#sayLast();
      this.#out.flush();
      this.#err.flush();
    });
    process.env.NODE_APP_INSTANCE = String(slot);
    process.env.HELLO_SERVER_WORKER_SLOT = String(slot);
    process.env.HELLO_SERVER_GENERATION = String(generation);
    try {
      this.#appProcess.begin();
      if (version !== expected) throw new BootError(upgraded(expected, version));
      const answered = requestLog(config, bindings, output.out);
      this.#server = new AppServer({
        name: path ?? 'hello',
        settings: {
          ...config,
          log: this.#log,
          answered,
          begins: recorder(this.#assignment.armedMs),
          slowTurn: (turn) => this.#log({ notice: 'slow turn', worker: slot, ...turn }),
        },
        listening: this.#listening,
        bootTimeoutMs: config.bootTimeoutMs,
        load: () => (path === undefined ? loadHello() : loadModule(path, args)),
        signal: this.#abort.signal,
        needless: () => this.#log({ notice: 'needless listen' }),
        closed: () => this.#closedByApp(),
      });
      const service = await this.#server.start();
      await this.#telling.askHealth();
      this.#serve(service);
    } catch (error) {
      await this.#failToBoot(error);
    }
  }

  #serve(service: Service): void {
    if (this.#stage !== 'booting') return;
    this.#service = service;
    showHolding(service);
    this.#holding.begin(service);
    this.#stage = 'serving';
    this.#appProcess.serve();
    this.#telling.beat(this.#assignment, service, {
      replace: (why, passed) => this.askForReplacement(why, passed && { passed }),
      logLinesDropped: () => this.#out.lost + this.#err.lost,
    });
    // After its figures: they say whether its app is well.
    this.#sayReady(service);
    // Otherwise Node writes what it has compiled at an exit in order only: a worker that boots meanwhile has it, too.
    setImmediate(() => module.flushCompileCache?.());
  }

  #sayReady({ server }: Service): void {
    const { port, socket } = this.#listening.made(server);
    const leads = this.#server?.extras.lead !== undefined;
    say({ type: 'ready', port, ...(leads && { leads }) }, ignore, socket);
  }

  async #failToBoot(error: unknown): Promise<void> {
    if (this.#stage === 'draining') return;
    const { message: reason, stack } = describeThrown(error);
    const failure = error instanceof BootError ? error.failure : { reason, stack };
    await new Promise<void>((sent) => say({ type: 'failed', failure }, () => sent()));
    exitProcess(1);
  }

  /** What the primary says. */
  hear(message: ToWorker | undefined, socket: object | undefined): void {
    switch (message?.type) {
      case undefined:
        return;
      case 'socket':
        if (socket) this.#listening.take(socket);
        return;
      case 'stopping':
        this.#abort.abort('stop');
        if (this.#service && message.linger) this.#service.closes = Infinity;
        return;
      case 'leave':
        this.#server?.drain?.leave();
        if (this.#service && message.linger) this.#service.closes = Infinity;
        say({ type: 'left' });
        return;
      case 'rejoin':
        void this.#rejoin(socket);
        return;
      case 'lead':
        // It may have begun to drain by itself meanwhile.
        if (this.#stage === 'draining') say({ type: 'yielded', failed: false });
        else void this.#leading.begin(this.#server?.extras.lead);
        return;
      case 'yield':
        this.#leading.end();
        return;
      case 'sleep':
        void this.#sleep(message.graceMs);
        return;
      case 'close inspector':
        void import('node:inspector').then(({ default: inspector }) => inspector.close());
        return;
      case 'ease':
        this.#server?.drain?.ease(message.connections);
        return;
      case 'ask':
        void this.#telling.answer(message.question);
        return;
      case 'drain':
        void this.#finish(message.why, message.graceMs);
    }
  }

  async #sleep(graceMs: number): Promise<void> {
    const cut = (await this.#server?.drain?.sleep(graceMs)) ?? 0;
    if (cut > 0) this.#countCut(cut, graceMs);
  }

  #countCut(connections: number, graceMs: number): void {
    this.#log({ notice: 'cut', connections, graceMs });
    if (this.#service) this.#service.counts.cut += connections;
  }

  async #rejoin(socket: object | undefined): Promise<void> {
    const service = this.#service;
    if (!service || this.#stage !== 'serving') return;
    await this.#server?.rejoin(service, socket);
    this.#sayReady(service);
  }

  /**
   * Asks the primary for a replacement; without a primary drains at once. It asks once, and again where its heap fills up
   * while it waits.
   */
  askForReplacement(
    why: ReplaceReason,
    more: { readonly doubt?: Doubt; readonly passed?: Passed } = {},
  ): void {
    if (!isOpen()) this.orphan();
    else if (this.#asked === undefined || (why === 'heap limit' && this.#asked === 'memory share'))
      say({ type: 'replace', why, ...more });
    this.#asked = why;
  }

  /** An error nobody caught: this worker's state is in doubt, so it serves only until another is ready. */
  fatal(origin: string, error: unknown): void {
    if (this.#stage === 'booting') {
      void this.#failToBoot(bootError(origin, error));
      return;
    }
    const holding = this.#holding.now;
    const { message, stack } = describeThrown(error);
    this.#service?.failAlone();
    this.#log({ notice: 'uncaught', origin, message, holding, stack });
    const cause = { cause: 'fatal error', error: `${origin}: ${message}` } as const;
    this.askForReplacement('fatal error', { doubt: { cause, holding } });
  }

  /** The app wants to end its process: it is replaced first. */
  #askToExit(code: number, place: string | undefined): void {
    if (this.#exiting) return;
    this.#exiting = true;
    this.#log({ notice: 'asked to exit', code, place });
    const cause = { cause: 'exit called', code, place } as const;
    this.askForReplacement('exit called', { doubt: { cause, holding: this.#holding.now } });
  }

  /** The process exits: what it holds is lost, unless it ends in order. */
  #sayLast(): void {
    const holding = this.#holding.now;
    const { exit } = this.#appProcess;
    if (exit || holding.length > 0) say({ type: 'last words', holding, exit });
  }

  /** The app has closed its server: another worker takes its place, until then it is served on. */
  #closedByApp(): void {
    if (this.#stage !== 'serving') return;
    this.#log({ notice: 'closed by app' });
    this.askForReplacement('exit called');
  }

  /** The app wants to close the channel: it is replaced first. */
  #askToDisconnect(told: (error: Error | null) => void): void {
    this.#asked = 'disconnected';
    say({ type: 'replace', why: 'disconnected' }, (error = null) => {
      if (!error && this.#stage !== 'draining') this.#log({ notice: 'asked to disconnect' });
      told(error);
    });
  }

  /** The primary is gone, or cannot be heard any more: nobody will ever tell this worker to drain. */
  orphan(): void {
    if (this.#stage === 'draining') return;
    this.#log({ notice: process.ppid === this.#primary ? 'channel closed' : 'orphaned' });
    const { shutdownTimeoutMs } = this.#assignment.config;
    setTimeout(() => exitProcess(1), shutdownTimeoutMs).unref();
    void this.#finish('stop', Math.max(0, shutdownTimeoutMs - EXIT_MS));
  }

  async #finish(why: DrainReason, graceMs: number): Promise<void> {
    const start = performance.now();
    const drained = this.#server?.drain?.finish(why, graceMs) ?? 0;
    if (this.#stage === 'draining') return; // a stop overtakes a replacement: the first call goes on, at the new pace
    this.#stage = 'draining';
    if (!this.#abort.signal.aborted) this.#abort.abort(why);
    this.#server?.closeOthers();
    this.#leading.end();
    const cut = await drained;
    if (cut > 0) this.#countCut(cut, performance.now() - start);
    await this.#telling.lastFigures(Math.max(CLOSE_MS, start + graceMs - performance.now()));
    this.#appProcess.drained();
    await this.#close(Math.max(CLOSE_MS, start + graceMs - performance.now()));
    const left = (): number => start + graceMs - performance.now();
    const shutsDown = !this.#exiting && this.#shutDown();
    // A natural exit, as long as the deadline leaves time for one; the app's own shutdown has all of it.
    const within = Math.max(MIN_EXIT_MS, shutsDown ? left() : Math.min(EXIT_MS, left()));
    setTimeout(() => exitProcess(0), within).unref();
    await Promise.all([this.#out.end(), this.#err.end()]);
    this.#tether.end();
  }

  /** The app's listeners to signals are its shutdown. */
  #shutDown(): boolean {
    try {
      return this.#appProcess.shutDown();
    } catch (error) {
      this.#log({ notice: 'close failed', ...describeThrown(error) });
      return true;
    }
  }

  async #close(withinMs: number): Promise<void> {
    try {
      await Promise.race([
        this.#server?.extras.close?.(),
        new Promise((resolve) => setTimeout(resolve, withinMs).unref()),
      ]);
    } catch (error) {
      this.#log({ notice: 'close failed', ...describeThrown(error) });
    }
  }
}
