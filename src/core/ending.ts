// How a worker's process ended, what was found out about why, and what its end counts as.

import type { KillReason } from './notices.ts';

/** How a worker's process ended, or that it never began, with what was found out about it. */
export type Ending = HowEnded & {
  readonly cause?: Cause | undefined;
  /** The requests that it was working on, as `GET /path` without a query, as far as they are known. */
  readonly holding?: readonly string[] | undefined;
};

type HowEnded =
  | { readonly code: number | undefined }
  | { readonly signal: string }
  /** The process could not be created; the text says why, such as `EMFILE, too many open files`. */
  | { readonly cannotFork: string };

/** Why it ended. The names are those that metrics count by, `ours` apart. */
export type Cause =
  /** The app called Node's exit, at `place`: `file:line`. */
  | { readonly cause: 'exit called'; readonly code: number; readonly place: string | undefined }
  /** Nobody caught an error: `uncaughtException: no such table`. */
  | { readonly cause: 'fatal error'; readonly error: string }
  /** V8 gave up, as its heap was full at so many MiB. */
  | { readonly cause: 'heap out of memory'; readonly atMiB: number | undefined }
  /** The kernel killed it, as the memory of its cgroup, or of the machine, was used up. */
  | {
      readonly cause: 'out of memory';
      /** Of the worker, when it last said so. */
      readonly rssMiB: number | undefined;
      /** Of its cgroup; undefined = none. */
      readonly limitMiB: number | undefined;
    }
  /** Native code called abort(), or an assertion of its own failed; native code crashed; somebody outside killed it. */
  | { readonly cause: 'aborted' | 'native crash' | 'killed' }
  /** The primary killed it. */
  | { readonly cause: 'ours'; readonly kill: KillReason };

/** The ends of workers that had served, and that nobody had asked to end. */
export const UNASKED = [
  'crashed',
  'fatal error',
  'exit called',
  'heap out of memory',
  'out of memory',
  'aborted',
  'native crash',
  'killed',
  'hung',
] as const;

/** Why a worker's process ended, as far as it is counted: `asked` = it was told to, or ended in order. */
export const EXIT_REASONS = ['asked', ...UNASKED, 'not drained', 'boot failed', 'cannot fork'] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

/** What is known of a process that has ended, for whoever looks for the cause. */
export interface Remains {
  readonly ending: Ending;
  /** Where the app called Node's exit; undefined = it did not. */
  readonly exit?: { readonly place: string | undefined } | undefined;
  /** Whether V8 said that its heap was full, and how full it was where its trace says so, MiB. */
  readonly heapFull?: { readonly atMiB: number | undefined } | undefined;
  /** Whether the kernel has killed a process of the cgroup for memory; undefined = its counter cannot be read. */
  readonly oomKilled?: boolean | undefined;
  /** By the worker's last figures. */
  readonly rssMiB?: number | undefined;
  readonly heapLimitMiB?: number | undefined;
  /** The memory limit of the cgroup. */
  readonly limitMiB?: number | undefined;
}

/** With these V8 and abort() end a process: which of them depends on the version and the machine. */
const ABORTS: ReadonlySet<string> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL']);
const NATIVE: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS']);

/** Why it ended; undefined where nothing more can be said than how. */
export function causeOf({
  ending,
  exit,
  heapFull,
  oomKilled,
  rssMiB,
  heapLimitMiB,
  limitMiB,
}: Remains): Cause | undefined {
  if ('code' in ending) return exit && { cause: 'exit called', code: ending.code ?? 0, place: exit.place };
  if (!('signal' in ending)) return undefined;
  const { signal } = ending;
  if (heapFull && ABORTS.has(signal))
    return { cause: 'heap out of memory', atMiB: heapLimitMiB ?? heapFull.atMiB };
  if (signal === 'SIGABRT') return { cause: 'aborted' };
  if (NATIVE.has(signal)) return { cause: 'native crash' };
  if (signal !== 'SIGKILL' || oomKilled === undefined) return undefined;
  return oomKilled ? { cause: 'out of memory', rssMiB, limitMiB } : { cause: 'killed' };
}

/** What the end of a worker that nobody had asked to end counts as. */
export const unaskedReason = ({ cause }: Ending): ExitReason =>
  cause === undefined || cause.cause === 'ours' ? 'crashed' : cause.cause;

/**
 * Whether the end leaves open which request it came with: it came from one moment to the next, and nothing that runs in
 * JavaScript could say what it was working on. Of a heap that is full only where no request is known.
 */
export function isUnexplained(ending: Ending): boolean {
  if ('cannotFork' in ending) return false;
  if ('code' in ending) return ending.cause === undefined;
  return ending.cause?.cause !== 'heap out of memory' || !ending.holding?.length;
}
