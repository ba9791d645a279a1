// A worker: loads the app, serves, says ready, beats, and drains when it is told to or has lost its primary.

import cluster from 'node:cluster';
import type { Server } from 'node:net';
import * as messages from '../core/messages.ts';
import {
  type Assignment,
  type DrainReason,
  type FromWorker,
  seal,
  type ToWorker,
  toWorker,
} from '../core/protocol.ts';
import type { App } from '../http/app.ts';
import { Drain } from '../http/drain.ts';
import { createServer, type Service } from '../http/server.ts';
import { Channel } from '../log/channel.ts';
import { createLog, droppedLine, type Log } from '../log/logger.ts';
import { showHolding, startBeat } from './beat.ts';
import { Listening } from './listening.ts';
import { BootError, inOneLine, loadApp } from './load-app.ts';
import { requestLog } from './request-log.ts';

/** File descriptors that the primary gives a worker for its log: what is expected, and errors. */
const OUT_FD = 4;
const ERR_FD = 5;
/** How long an app may keep the process alive after its `close`. */
const EXIT_MS = 500;
const MIN_EXIT_MS = 10;
/** The app's `close` is given this much even when the drain took all of its grace. */
const CLOSE_MS = 50;
const ignore = (): void => {};

/** Signals of the terminal's or pm2's that reach the whole tree: the primary answers them. */
const IGNORED = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const;

/**
 * Runs this process as a worker of the cluster, for as long as it lives.
 * @param version of this worker's own code
 * @param loadHello loads the built-in app
 */
export async function runWorker(
  assignment: Assignment,
  version: string,
  loadHello: () => Promise<App>,
): Promise<void> {
  const worker = new Worker(assignment);
  for (const signal of IGNORED) process.on(signal, ignore);
  process.on('SIGTERM', () => worker.askForReplacement('TERM'));
  process.on('message', (raw, handle) => worker.hear(toWorker(raw), handle as object | undefined));
  cluster.worker?.on('disconnect', () => worker.orphan());
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
  #log: Log = ignore;
  #app: App | undefined;
  #service: Service | undefined;
  #drain: Drain | undefined;
  #stage: 'booting' | 'serving' | 'draining' = 'booting';
  #asked = false;

  constructor(assignment: Assignment) {
    this.#assignment = assignment;
    this.#listening = new Listening(assignment);
    const { config, slot: worker, generation } = assignment;
    const dropped = (lines: number): string => droppedLine(config.logFormat, lines, { worker, generation });
    this.#out = new Channel(OUT_FD, dropped);
    this.#err = new Channel(ERR_FD, dropped);
  }

  hello(): void {
    this.#send({ type: 'hello' });
  }

  async boot(version: string, loadHello: () => Promise<App>): Promise<void> {
    const { config, slot, generation, app: path, version: expected } = this.#assignment;
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
      this.#out.flush();
      this.#err.flush();
    });
    try {
      if (version !== expected) throw new BootError(messages.upgraded(expected, version));
      const app = path === undefined ? await loadHello() : await loadApp(path);
      this.#app = app;
      await this.#readyUp(app, path ?? 'hello');
      if (this.#stage !== 'booting') return;
      const answered = requestLog(config, bindings, output.out);
      const service = createServer(app, {
        ...config,
        log: this.#log,
        answered,
        timed: config.logFormat === 'json',
      });
      this.#service = service;
      showHolding(service);
      this.#drain = new Drain(service);
      await this.#listening.listen(service.server);
      this.#serve(service);
    } catch (error) {
      await this.#failToBoot(error);
    }
  }

  #serve(service: Service): void {
    if (this.#stage !== 'booting') return;
    this.#stage = 'serving';
    this.#sayReady(service);
    startBeat(this.#assignment.config, service, {
      beat: (stats) => this.#send({ type: 'beat', stats }),
      replace: (why) => this.askForReplacement(why),
    });
  }

  #sayReady({ server }: Service): void {
    const { port, socket } = this.#listening.made(server);
    this.#send({ type: 'ready', port }, ignore, socket);
  }

  async #readyUp(app: App, name: string): Promise<void> {
    try {
      await app.ready?.(this.#abort.signal);
    } catch (error) {
      throw new BootError(`${name}: ready failed: ${inOneLine(error)}`, error);
    }
  }

  async #failToBoot(error: unknown): Promise<void> {
    if (this.#stage === 'draining') return;
    const failure =
      error instanceof BootError
        ? error.failure
        : { reason: inOneLine(error), stack: error instanceof Error ? error.stack : undefined };
    await new Promise<void>((sent) => this.#send({ type: 'failed', failure }, sent));
    process.exit(1);
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
        if (this.#service && message.linger) this.#service.closing = true;
        return;
      case 'leave':
        this.#drain?.leave();
        if (this.#service && message.linger) this.#service.closing = true;
        this.#send({ type: 'left' });
        return;
      case 'rejoin':
        void this.#rejoin(socket);
        return;
      case 'drain':
        void this.#finish(message.why, message.graceMs);
    }
  }

  async #rejoin(socket: object | undefined): Promise<void> {
    const service = this.#service;
    if (!service || !this.#drain || this.#stage !== 'serving') return;
    await this.#drain.rejoin(() => this.#listening.bind(service.server, socket, ignore));
    this.#sayReady(service);
  }

  /** Asks the primary for a replacement; without a primary drains at once. */
  askForReplacement(why: 'TERM' | 'fatal error' | 'MAX_REQUESTS' | 'MAX_MEMORY'): void {
    if (!process.connected) this.orphan();
    else if (!this.#asked) this.#send({ type: 'replace', why });
    this.#asked = true;
  }

  /** An error nobody caught: this worker's state is in doubt, so it serves only until another is ready. */
  fatal(origin: string, error: unknown): void {
    if (this.#stage === 'booting') {
      void this.#failToBoot(
        error instanceof Error ? new BootError(`${origin}: ${inOneLine(error)}`, error) : error,
      );
      return;
    }
    const stack = error instanceof Error ? error.stack : undefined;
    this.#log(messages.fatal(origin, inOneLine(error), stack));
    this.askForReplacement('fatal error');
  }

  /** The primary is gone: nobody else will ever tell this worker to drain. */
  orphan(): void {
    if (this.#stage === 'draining') return;
    // Without this mark node:cluster ends the process at once, and what it was answering with it.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    this.#log(messages.orphaned());
    const { shutdownTimeoutMs } = this.#assignment.config;
    setTimeout(() => process.exit(1), shutdownTimeoutMs).unref();
    void this.#finish('stop', Math.max(0, shutdownTimeoutMs - EXIT_MS));
  }

  async #finish(why: DrainReason, graceMs: number): Promise<void> {
    const start = performance.now();
    const drained = this.#drain?.finish(why, graceMs) ?? 0;
    if (this.#stage === 'draining') return; // a stop overtakes a replacement: the first call goes on, at the new pace
    this.#stage = 'draining';
    if (!this.#abort.signal.aborted) this.#abort.abort(why);
    const cut = await drained;
    if (cut > 0) this.#log(messages.cut(cut, performance.now() - start));
    await this.#close(Math.max(CLOSE_MS, start + graceMs - performance.now()));
    await Promise.all([this.#out.end(), this.#err.end()]);
    if (process.connected) cluster.worker?.disconnect();
    // A natural exit, as long as the deadline leaves time for one.
    const left = start + graceMs - performance.now();
    setTimeout(() => process.exit(0), Math.max(MIN_EXIT_MS, Math.min(EXIT_MS, left))).unref();
  }

  async #close(withinMs: number): Promise<void> {
    try {
      await Promise.race([
        this.#app?.close?.(),
        new Promise((resolve) => setTimeout(resolve, withinMs).unref()),
      ]);
    } catch (error) {
      this.#log(messages.appClosing(inOneLine(error), error instanceof Error ? error.stack : undefined));
    }
  }

  #send(message: FromWorker, sent: () => void = ignore, handle?: Server): void {
    if (!process.connected || !process.send) {
      sent();
      return;
    }
    process.send(seal(message), handle, undefined, sent);
  }
}
