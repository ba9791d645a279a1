// Runs the primary from its first signal handler to its exit code, in the real world.

import { getHeapStatistics } from 'node:v8';
import type { LogLevel } from '../core/config.ts';
import { FLUSH_MS } from '../core/deadlines.ts';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import { type Memory, setsHeap } from '../core/memory-share.ts';
import type { Notice } from '../core/notices.ts';
import type { Checked, WorkerEnv } from '../core/reading.ts';
import type { Succession } from '../core/succession.ts';
import { usableCpus } from '../host/cpus.ts';
import { memoryLeftMiB, memoryLimitMiB } from '../host/memory-limit.ts';
import { oomCount } from '../host/oom-kills.ts';
import { ownProcess } from '../host/own.ts';
import { StartFolder } from '../host/paths.ts';
import { tellPm2 } from '../host/pm2.ts';
import { residentBytes } from '../host/resident.ts';
import { type Inheritance, Notifier } from '../host/systemd.ts';
import { createLog, type Log } from '../log/logger.ts';
import { describeThrown } from '../log/thrown.ts';
import { cannotListen, lineOf } from '../log/wording.ts';
import { Caller } from './caller.ts';
import { Clock } from './clock.ts';
import type { Development } from './development.ts';
import { freePort } from './free-port.ts';
import { explainHang } from './hang.ts';
import { Pipes } from './pipes.ts';
import { heldSocket, type Predecessor, predecessorOf, tellPredecessor } from './predecessor.ts';
import { Primary } from './primary.ts';
import { profile, takeHeap } from './profile.ts';
import { Reserve } from './reserve.ts';
import { type Asked, onSignals } from './signals.ts';
import { openSinks, outputOf, type Sinks } from './sinks.ts';
import { successionWorld } from './succession-world.ts';
import { closeTerminal } from './terminal.ts';
import { Watch } from './watch.ts';
import { prepareForks, startForksIn, WorkerHandle } from './worker-handle.ts';
import type { World } from './world.ts';

/** What an interim primary does not log. */
const QUIET: ReadonlySet<Notice['notice']> = new Set(['received', 'closed']);

/** What the command line and the environment say. */
export interface Run {
  readonly environment: Checked;
  /** Reads the environment again; undefined = no env file that could have changed. Never rejects. */
  readonly readAgain: (() => Promise<Checked>) | undefined;
  readonly version: string;
  /** Absolute path of the app as typed; undefined = Hello. */
  readonly app: string | undefined;
  /** The app's own arguments. */
  readonly args: readonly string[];
  /** What systemd passed: a listening socket, and where to notify. */
  readonly systemd: Inheritance;
  /** The file that workers run, and the folder that they start in, as they were typed. */
  readonly exec: string;
  readonly cwd: string;
  /** The env files, where there are some, have these variables of the process's environment. */
  readonly same: readonly string[];
  /** What a predecessor handed on; undefined = this primary is the first. */
  readonly succession: Succession | undefined;
  /** undefined = this is no `hello-server dev`. */
  readonly development: Development | undefined;
  /** Whether `startFleet` started this process, which then is told all and may steer it. */
  readonly fromCode: boolean;
}

/** Runs this process as the primary until the fleet has stopped; resolves with the exit code. */
export async function runPrimary(run: Run): Promise<number> {
  const { environment, version, app, args, systemd, exec, succession, development } = run;
  const { reading, warnings } = environment;
  const { config } = reading;
  // First of all, so that no signal finds the process without its handlers.
  const early: Asked[] = [];
  let deliver = (asked: Asked): void => void early.push(asked);
  const signals = onSignals((asked) => deliver(asked));
  const caller = run.fromCode ? Caller.attached() : undefined;
  const sinks = openSinks(config);
  const logAt = (level: LogLevel): Log => createLog(config.logFormat, level, outputOf(sinks), {});
  let logNow = logAt(config.logLevel);
  const socket = succession && heldSocket(succession.fd);
  const predecessor = succession && socket && predecessorOf(succession, socket);
  if (succession) void tellPredecessor({ type: 'here', version, node: process.version });
  // What an interim primary does in its few seconds is no news of the server's.
  const log: Log = (notice) => {
    const told = development ? development.told(notice) : notice;
    // Why there is none is for the one that goes on to say.
    if (notice.notice === 'cannot serve' && predecessor && process.connected)
      void predecessor.failed(lineOf(notice).text);
    else if (told && (succession?.as !== 'interim' || !QUIET.has(notice.notice))) logNow(told);
    caller?.told(notice);
  };
  signals.log = log;
  for (const warning of warnings) log({ notice: 'long duration', ...warning });
  const roundRobin =
    (reading.env.NODE_CLUSTER_SCHED_POLICY ?? process.env.NODE_CLUSTER_SCHED_POLICY) === 'rr';
  prepareForks(exec, roundRobin);
  let port = succession?.port ?? config.port;
  const portGiven = succession?.portGiven ?? environment.portGiven;
  try {
    if (port === 0) port = await freePort(config.host);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = cannotListen(port, config.host, code, message);
    log({ notice: 'cannot serve', fault: { fault: 'failed', failure: { reason } } });
    sinks.err.flush(FLUSH_MS);
    await caller?.flushed();
    return CANNOT_SERVE;
  }
  const seed = Date.now() % 2_147_483_648;
  const start = {
    reading,
    version,
    app,
    args,
    fd: systemd.fd,
    port,
    portGiven,
    roundRobin,
    seed,
    socket,
    succession,
    dev: development !== undefined,
  };
  const setLevel = (level: LogLevel): void => {
    logNow = logAt(level);
  };
  const primary = new Primary(start, realWorld(run, sinks, log, setLevel, predecessor));
  deliver = (asked) => primary.ask(asked);
  process.on('uncaughtException', (error, origin) => {
    log({ notice: 'uncaught', origin, ...describeThrown(error) });
    primary.dispatch({ type: 'stop', what: undefined, exitCode: CANNOT_SERVE });
  });
  primary.dispatch({ type: 'wake' });
  development?.watch(() => primary.ask({ type: 'reload', saved: true }), log);
  if (!succession || succession.as === 'relayed') void primary.openAdmin();
  early.forEach(deliver);
  caller?.obey({ commands: primary.commands(), stop: (what) => primary.ask({ type: 'stop', what }) });
  const code = await primary.stopped;
  sinks.out.flush((FLUSH_MS * 3) / 4);
  sinks.err.flush(FLUSH_MS / 4);
  await caller?.flushed();
  if (signals.terminalGone()) closeTerminal();
  return code;
}

/** The world as it is: processes, clocks, the control socket, the service manager. */
function realWorld(
  run: Run,
  sinks: Sinks,
  log: Log,
  setLevel: (level: LogLevel) => void,
  predecessor: Predecessor | undefined,
): World {
  const { environment, readAgain, systemd, cwd, succession, development } = run;
  const { config } = environment.reading;
  const clock = new Clock();
  const since = Number(process.hrtime.bigint()) / 1e9 - process.uptime();
  const notifier = new Notifier(
    systemd,
    (reason) => log({ notice: 'systemd unreachable', reason }),
    succession?.as === 'successor' ? [`MAINPID=${process.pid}`] : [],
  );
  const folder = new StartFolder(cwd, () => log({ notice: 'no working directory', path: cwd }));
  const shared = { since, sinks, pipes: new Pipes(), options: development?.options ?? [] };
  shared.pipes.prepare(2 * (config.workers === 'auto' ? usableCpus() : config.workers));
  let reserve: Reserve | undefined;
  let watch: Watch | undefined;
  let graceMs = config.shutdownTimeoutMs;
  return {
    now: () => clock.now(),
    elapsed: () => Number(process.hrtime.bigint()) / 1e6,
    after,
    sleep: (ms, run) => {
      clock.expectWithin(ms);
      return after(ms, run);
    },
    tickMs: (systemd.watchdogMs ?? Infinity) / 3,
    fork: (assignment, env, listeners) => {
      startForksIn(folder.now());
      return new WorkerHandle(assignment, env, shared, listeners);
    },
    readAgain,
    cpus: usableCpus,
    memory: memoryFor,
    log,
    configure: ({ logLevel, shutdownTimeoutMs }) => {
      setLevel(logLevel);
      graceMs = shutdownTimeoutMs;
      watch?.allow(graceMs);
    },
    tellManager: (fleet) => notifier.show(fleet, clock.now()),
    // A caller is no pm2, whatever runs it: it hears that its fleet serves.
    tellServing: () => succession || run.fromCode || tellPm2(),
    openControl: async (commands, port) => {
      // Loaded only now: it needs node:http, and the first fork waits for nothing that it can do without.
      const { openControl } = await import('../control/open.ts');
      // Where systemd runs the caller, the folder of that service may be the place of another fleet's socket.
      const { RUNTIME_DIRECTORY, ...others } = process.env;
      const env = run.fromCode ? others : { ...others, RUNTIME_DIRECTORY };
      return openControl(commands, config.controlSocket, port, log, env);
    },
    watch: (pids) => {
      watch ??= new Watch(graceMs);
      watch.tell(pids);
    },
    openAdmin: async (views) => {
      const { adminPort: port, adminHost: host } = config;
      if (port === undefined) return undefined;
      const { openAdmin } = await import('../control/admin.ts');
      try {
        return await openAdmin({ port, host }, views);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        throw new Error(cannotListen(port, host, code, message));
      }
    },
    own: () => ({ ...ownProcess(), logLinesDropped: sinks.out.lost + sinks.err.lost }),
    residentBytes,
    oomCount,
    memoryLimitMiB,
    explainHang,
    profile,
    takeHeap,
    memoryLeft: memoryLeftMiB,
    checkDescriptors: () => {
      reserve ??= new Reserve();
      return reserve.check();
    },
    predecessor,
    succession: successionWorld(run, () => folder.now(), sinks, notifier),
    end: async () => {
      await Promise.all([watch?.end(), notifier.end()]);
      // Should the primary go on all the same, its next worker needs another.
      watch = undefined;
    },
  };
}

/** Calls `run` once after `ms`; the function that it returns prevents that. */
function after(ms: number, run: () => void): () => void {
  // Node runs its timers before it reads: after a pause of this process all workers would seem to have been silent,
  // with their beats waiting. An immediate runs when what has come in has been read.
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(run);
  }, ms);
  return () => {
    clearTimeout(timer);
    if (immediate) clearImmediate(immediate);
  };
}

/** The memory that workers with this environment have to share; undefined = they have no limit, or a heap of the user's. */
function memoryFor(env: WorkerEnv): Memory | undefined {
  const { NODE_OPTIONS } = { ...process.env, ...env };
  if (setsHeap([NODE_OPTIONS, ...process.execArgv])) return undefined;
  const limitMiB = memoryLimitMiB();
  // This process has no such option either: its heap is as large as V8 would have it.
  const heapMiB = getHeapStatistics().heap_size_limit / 1_048_576;
  return limitMiB === undefined ? undefined : { limitMiB, heapMiB };
}
