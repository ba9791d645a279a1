// The primary's handle on one worker: its process, what it says, and its output on the way to the log.

import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import type { Ending } from '../core/ending.ts';
import { heapFlags } from '../core/memory-share.ts';
import {
  ASSIGNMENT_VARIABLE,
  type Assignment,
  fromWorker,
  SINCE_VARIABLE,
  seal,
  type ToWorker,
} from '../core/protocol.ts';
import type { WorkerEnv } from '../core/reading.ts';
import { closeRecord, openRecord, readRecord } from '../host/request-record.ts';
import { asObjects, Lines, type OutputName } from '../log/app-output.ts';
import { forkInto, stdio } from './fork-into.ts';
import { HeapFull } from './heap-full.ts';
import type { Pipes } from './pipes.ts';
import type { Sinks } from './sinks.ts';
import type { Found, Handle, Listeners, Socket } from './world.ts';

/** A worker whose channel closes is usually about to exit; one that has not by then goes on without it. */
const EXIT_MS = 500;
/** What Node prints when an inspector opens and closes. */
const INSPECTOR_LINE =
  /^(Debugger |For help, see: https:\/\/nodejs\.org|Waiting for the debugger to disconnect)/;

/** Node's own options for all workers. */
const EXEC_ARGV = ['--inspect-port=0', ...process.execArgv];

/** Prepares this process to fork workers that run `exec`; once, before the first fork. */
export function prepareForks(exec: string, roundRobin: boolean): void {
  // Workers accept from one shared socket; round robin is the user's own choice.
  cluster.schedulingPolicy = roundRobin ? cluster.SCHED_RR : cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec,
    args: [],
    stdio: [...stdio('pipe', 'pipe')],
    // A free port each, should a hung worker's inspector have to be opened: both are needed for that.
    inspectPort: 0,
    execArgv: EXEC_ARGV,
  });
}

/** The folder that workers forked from now on start in. */
export function startForksIn(folder: string): void {
  cluster.settings.cwd = folder;
}

/** What all workers have in common. */
export interface Shared {
  /** When the primary began, in seconds of the machine's monotonic clock. */
  readonly since: number;
  readonly sinks: Sinks;
  readonly pipes: Pipes;
  /** Node's own options for them, beside those of this process. */
  readonly options: readonly string[];
}

/** One forked worker. */
export class WorkerHandle implements Handle {
  readonly #worker: ClusterWorker;
  readonly closed: Promise<void>;
  /** What waits for the worker to listen to the channel; undefined once it does. */
  #outbox: [ToWorker, Socket | undefined][] | undefined = [];
  /** Where the address of the inspector goes, once it was asked to open. */
  #inspector: ((address: string) => void) | undefined;
  /** That address, as long as it is open. */
  #open: string | undefined;
  readonly #heap = new HeapFull();

  /** Forks it. Node throws where memory is short; every other failure is told to `listeners.exit`. */
  constructor(assignment: Assignment, env: WorkerEnv, shared: Shared, listeners: Listeners) {
    const { since, sinks, pipes, options } = shared;
    const two = pipes.takeTwo();
    const record = assignment.armedMs > 0 ? openRecord() : undefined;
    const armed = record === undefined ? { ...assignment, armedMs: 0 } : assignment;
    const heap = assignment.share ? heapFlags(assignment.share) : [];
    cluster.settings.execArgv = [...EXEC_ARGV, ...options, ...heap];
    try {
      this.#worker = forkInto(two, record, {
        ...env,
        [ASSIGNMENT_VARIABLE]: JSON.stringify(armed),
        [SINCE_VARIABLE]: String(since),
      });
    } catch (error) {
      if (two) pipes.giveBack(two);
      if (record !== undefined) closeRecord(record);
      throw error;
    }
    const { process: child } = this.#worker;
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      this.#onEnd((ending) => {
        if ('cannotFork' in ending) resolve();
        listeners.exit(ending, this.#found(record));
      });
    });
    const lines = this.#passOn(assignment, sinks);
    for (const [i, pipe] of (two ?? []).entries()) pipe.read = (chunk) => lines[i]?.take(chunk);
    this.closed = ended.then(async () => {
      if (!two) return;
      await inputRead();
      for (const output of lines) output.end();
      pipes.giveBack(two);
    });
    this.#worker.on('message', (raw: unknown, socket: Socket | undefined) => {
      const message = fromWorker(raw);
      if (!message) return;
      if (message.type === 'hello') this.#deliver();
      // What an app sends along may be anything.
      listeners.message(message, typeof socket?.close === 'function' ? socket : undefined);
    });
    this.#worker.once('disconnect', () => {
      const replace = (): void => listeners.message({ type: 'replace', why: 'disconnected' }, undefined);
      const waiting = setTimeout(replace, EXIT_MS).unref();
      this.#worker.once('exit', () => clearTimeout(waiting));
    });
    // Half a child, made when descriptors ran out, has no pipes.
    const [, stdout, stderr, , log, errors] = (child.stdio ?? []) as readonly (Readable | null)[];
    read(stdout, lines[0]);
    read(stderr, lines[1]);
    read(log, new Lines((logged) => sinks.out.write(logged)));
    read(errors, new Lines((logged) => sinks.err.write(logged)));
  }

  /** What the process leaves behind. */
  #found(record: number | undefined): Found {
    const recorded = record === undefined ? undefined : readRecord(record);
    if (record !== undefined) closeRecord(record);
    return { heapFull: this.#heap.found, recorded };
  }

  /** What makes lines of the app's stdout and stderr, in the format of the log. */
  #passOn({ config, slot: worker, generation }: Assignment, { out, err }: Sinks): [Lines, Lines] {
    const pass = (sink: Sinks['out'], name: OutputName) => (lines: Buffer) => {
      const { pid } = this;
      sink.write(config.logFormat === 'json' ? asObjects(lines, name, { pid, worker, generation }) : lines);
    };
    const toErr = pass(err, 'stderr');
    const withoutInspector = (lines: Buffer): void => {
      this.#heap.take(lines);
      const kept = this.#withoutInspector(lines);
      if (kept.length > 0) toErr(kept);
    };
    return [new Lines(pass(out, 'stdout')), new Lines(withoutInspector)];
  }

  /** Calls back once: with how the process ended, or with why there is none. */
  #onEnd(tell: (ending: Ending) => void): void {
    const worker = this.#worker;
    const { process: child } = worker;
    let told = false;
    const end = (ending: Ending): void => {
      if (told) return;
      told = true;
      tell(ending);
    };
    const cannotFork = (reason: string): void => {
      // Node keeps a worker that never was among the living ones.
      if (cluster.workers) delete cluster.workers[worker.id];
      end({ cannotFork: reason });
    };
    worker.once('exit', async (code, signal) => {
      // What it said last may be read after this is told.
      await inputRead();
      end(signal ? { signal } : { code: code ?? undefined });
    });
    // Node emits an error instead of an exit where the process could not be created. Of a process that there is, an
    // error is a message that came too late: its exit tells the rest.
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) cannotFork(forkError(error));
    });
    worker.on('error', () => {});
    if (child.pid !== undefined && (!child.stdio || !child.channel)) {
      child.kill('SIGKILL');
      cannotFork('it came without its pipes');
    } else if (child.pid === undefined) {
      // Should Node ever emit nothing at all.
      setImmediate(() => cannotFork('Node does not say why'));
    }
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

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  openInspector(ms: number): Promise<string | undefined> {
    if (this.#open !== undefined) return Promise.resolve(this.#open);
    return new Promise((resolve) => {
      setTimeout(() => resolve(undefined), ms).unref();
      this.#inspector = resolve;
      this.#worker.process.kill('SIGUSR1');
    });
  }

  /** Keeps what Node says of the inspector that we opened out of the log. */
  #withoutInspector(lines: Buffer): Buffer {
    if (!this.#inspector) return lines;
    const kept: string[] = [];
    for (const line of lines.toString('latin1').split(/(?<=\n)/)) {
      const [, address] = /^Debugger listening on (ws:[\w:/.[\]-]+)/.exec(line) ?? [];
      if (address) this.#inspector(address);
      if (address) this.#open = address;
      else if (line.startsWith('Debugger ending on ')) this.#open = undefined;
      if (!INSPECTOR_LINE.test(line)) kept.push(line);
    }
    return Buffer.from(kept.join(''), 'latin1');
  }
}

/** Why there is no process: `EMFILE, too many open files`. */
function forkError({ code, errno, message }: NodeJS.ErrnoException): string {
  const [, meaning] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return code !== undefined && meaning !== undefined ? `${code}, ${meaning}` : message;
}

/** Resolves when what had been written into pipes by now has been read: Node reads once between two immediates. */
const inputRead = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

function read(stream: Readable | null | undefined, lines: Lines): void {
  if (!stream) return;
  stream.on('data', (chunk: Buffer) => lines.take(chunk));
  stream.on('end', () => lines.end());
  stream.on('error', () => {});
}
