// The primary's handle on one worker: its process, what it says, and its output on the way to the log.

import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import {
  ASSIGNMENT_VARIABLE,
  type Assignment,
  type FromWorker,
  fromWorker,
  type Stats,
  seal,
  type ToWorker,
} from '../core/protocol.ts';
import type { Sinks } from './sinks.ts';

/** stdin, stdout and stderr of the app, the channel, and the two pipes of the worker's own log. */
const STDIO = ['ignore', 'pipe', 'pipe', 'ipc', 'pipe', 'pipe'] as const;
/** The app's output is passed on by lines; one longer than this is broken. */
const LONGEST_LINE_BYTES = 65_536;
const NEWLINE = 10;
/** What Node prints when an inspector opens and closes. */
const INSPECTOR_LINE =
  /^(Debugger |For help, see: https:\/\/nodejs\.org|Waiting for the debugger to disconnect)/;

/** A listening socket as it passes between processes: bound, and watched by nobody here. */
export type Socket = { readonly close: () => void };

export interface Listeners {
  readonly message: (message: FromWorker, socket: Socket | undefined) => void;
  readonly exit: (code: number | null, signal: string | null) => void;
}

/** Prepares this process to fork workers that run `exec`; once, before the first fork. */
export function prepareForks(exec: string): void {
  // Workers accept from one shared socket; NODE_CLUSTER_SCHED_POLICY=rr is the user's own choice.
  if (process.env.NODE_CLUSTER_SCHED_POLICY !== 'rr') cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec,
    args: [],
    stdio: [...STDIO],
    // A free port each, should a hung worker's inspector have to be opened: both are needed for that.
    inspectPort: 0,
    execArgv: ['--inspect-port=0', ...process.execArgv],
  });
}

/** One forked worker. */
export class WorkerHandle {
  readonly #worker: ClusterWorker;
  /** Resolves when the process has ended and all its output has been read. */
  readonly closed: Promise<void>;
  stats: Stats | undefined;
  /** What waits for the worker to listen to the channel; undefined once it does. */
  #outbox: [ToWorker, Socket | undefined][] | undefined = [];
  /** Where the address of the inspector goes, once it was asked to open. */
  #inspector: ((address: string) => void) | undefined;

  constructor(assignment: Assignment, since: number, sinks: Sinks, listeners: Listeners) {
    this.#worker = cluster.fork({
      [ASSIGNMENT_VARIABLE]: JSON.stringify(assignment),
      HELLO_SERVER_SINCE: String(since),
    });
    const { process: child } = this.#worker;
    this.closed = new Promise((resolve) => child.once('close', () => resolve()));
    this.#worker.once('exit', (code, signal) => listeners.exit(code ?? null, signal ?? null));
    this.#worker.on('error', () => {}); // a send that came too late; a failed fork exits as well
    this.#worker.on('message', (raw: unknown, socket: Socket | undefined) => {
      const message = fromWorker(raw);
      if (!message) return;
      if (message.type === 'beat') this.stats = message.stats;
      if (message.type === 'hello') this.#deliver();
      listeners.message(message, socket);
    });
    const [, , , , log, errors] = child.stdio as readonly (Readable | null)[];
    forward(child.stdout, sinks.out);
    forward(child.stderr, { write: (lines) => sinks.err.write(this.#withoutInspector(lines)) });
    forward(log ?? null, sinks.out);
    forward(errors ?? null, sinks.err);
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  /** Sends as soon as the worker listens; unless it is gone: then its exit tells the rest. */
  send(message: ToWorker, socket?: Socket): void {
    if (this.#outbox) this.#outbox.push([message, socket]);
    else if (this.#worker.isConnected())
      this.#worker.process.send(seal(message), socket as Server | undefined, () => {});
  }

  #deliver(): void {
    const waiting = this.#outbox ?? [];
    this.#outbox = undefined;
    for (const [message, socket] of waiting) this.send(message, socket);
  }

  kill(signal: NodeJS.Signals): void {
    this.#worker.process.kill(signal);
  }

  /** Opens the worker's inspector; resolves with its address, or undefined when it is not open within `ms`. */
  openInspector(ms: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      setTimeout(() => resolve(undefined), ms).unref();
      this.#inspector = resolve;
      this.kill('SIGUSR1');
    });
  }

  /** Keeps what Node says of the inspector that we opened out of the log. */
  #withoutInspector(lines: Buffer): Buffer {
    if (!this.#inspector) return lines;
    const kept: string[] = [];
    for (const line of lines.toString('latin1').split(/(?<=\n)/)) {
      const [, address] = /^Debugger listening on (ws:\S+)/.exec(line) ?? [];
      if (address) this.#inspector(address);
      if (!INSPECTOR_LINE.test(line)) kept.push(line);
    }
    return Buffer.from(kept.join(''), 'latin1');
  }
}

/** Passes whole lines on as they come. */
function forward(stream: Readable | null, sink: { readonly write: (lines: Buffer) => void }): void {
  if (!stream) return;
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      sink.write(rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([rest, chunk.subarray(0, end)]));
      rest = chunk.subarray(end);
    } else rest = Buffer.concat([rest, chunk]);
    if (rest.length > LONGEST_LINE_BYTES) flush();
  });
  const flush = (): void => {
    if (rest.length > 0) sink.write(Buffer.concat([rest, Buffer.from('\n')]));
    rest = Buffer.alloc(0);
  };
  stream.on('end', flush);
  stream.on('error', () => {});
}
