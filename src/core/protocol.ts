// What primary and workers have agreed on: messages, the variables of the environment, and file descriptors.

import type { Config } from './config.ts';
import { type Stats, statsIn } from './figures.ts';
import { type Doubt, doubtIn, holdingIn, type LastWords, lastWordsIn } from './last-words.ts';
import type { Share } from './memory-share.ts';
import { type BootFailure, type Passed, REPLACE_REASONS, type ReplaceReason } from './notices.ts';

/** A worker's environment variable that carries its {@link Assignment} as JSON. */
export const ASSIGNMENT_VARIABLE = 'HELLO_SERVER_WORKER';
/** A worker's environment variable that says when the primary began, in seconds of the machine's monotonic clock. */
export const SINCE_VARIABLE = 'HELLO_SERVER_SINCE';

/** The file descriptors of the pipes that carry a worker's own log to the primary: what is expected, and errors. */
export const LOG_FD = 4;
export const ERROR_LOG_FD = 5;
/** The file descriptor of the file in which an armed worker records the requests that it holds. */
export const RECORD_FD = 6;

/** What a worker is told when it is forked. */
export interface Assignment {
  readonly slot: number;
  readonly generation: number;
  /** Version of the primary, which the worker's own must equal. */
  readonly version: string;
  /** Absolute path of the app's module as typed, symbolic links unresolved; undefined = Hello. */
  readonly app: string | undefined;
  /** The app's own arguments, as the process finds them. */
  readonly args: readonly string[];
  /** Whether to wait for the listening socket, which the primary holds; else this worker makes it. */
  readonly held: boolean;
  /** The listening socket as inherited by the primary (socket activation): a file descriptor. */
  readonly fd: number | undefined;
  /** Port to listen on; with `held` or `fd` the socket says which. */
  readonly port: number;
  /** Whether that port was asked for; else an app that listens itself says which. */
  readonly portGiven: boolean;
  /** Whether Node's own round robin deals out connections; then a worker has no socket that could be held. */
  readonly roundRobin: boolean;
  /** It records each request before the app has it, for so long, ms; 0 = it does not. */
  readonly armedMs: number;
  /** What it may use of the memory; undefined = as much as it gets. */
  readonly share?: Share | undefined;
  readonly config: Config;
}

/** Why a worker drains; also the `reason` of the abort signal that an app's `ready` is given. */
export type DrainReason = 'stop' | 'replace';

export type ToWorker =
  /** The fleet was asked to stop: fail health checks, go on accepting; with `linger` close each connection with its answer. */
  | { readonly type: 'stopping'; readonly linger: boolean }
  /** Leave the rotation: accept no more, keep open connections; with `linger` close each with its next answer. */
  | { readonly type: 'leave'; readonly linger: boolean }
  /** The listening socket comes with this message. */
  | { readonly type: 'socket' }
  /** Back into the rotation, the socket comes along: the reload that replaced this worker was abandoned. */
  | { readonly type: 'rejoin' }
  /** Call the app's `lead`, or have it hand over. */
  | { readonly type: 'lead' | 'yield' }
  /** Close the inspector that was opened from outside. */
  | { readonly type: 'close inspector' }
  /** Have so many connections go to other workers: it has more than its part. */
  | { readonly type: 'ease'; readonly connections: number }
  /** Answer this question. */
  | { readonly type: 'ask'; readonly question: Question }
  /** Finish what is open within `graceMs`, and stand by. */
  | { readonly type: 'sleep'; readonly graceMs: number }
  /** Finish what is open within `graceMs`, then exit. */
  | { readonly type: 'drain'; readonly why: DrainReason; readonly graceMs: number };

/** The requests that a worker has in flight, the longest first. */
export interface Held {
  readonly total: number;
  readonly requests: readonly {
    readonly ms: number;
    readonly method: string;
    readonly target: string;
    /** The address; null = the client has gone. */
    readonly client: string | null;
  }[];
}

/** More text than this from one worker's app is neither sent nor read. */
export const MOST_METRICS_CHARS = 1_048_576;
/** So much of a problem with it is sent and said. */
export const MOST_PROBLEM_CHARS = 300;

/** The app's own metrics as Prometheus text, or why there are none. */
export type AppMetrics = { readonly text: string } | { readonly problem: string };

/** What the primary may ask a worker that is ready, and what it is answered. */
export interface Answers {
  readonly held: Held;
  readonly metrics: AppMetrics;
}
export type Question = keyof Answers;

export type Answer = {
  readonly [Q in Question]: { readonly type: 'answer'; readonly question: Q; readonly answer: Answers[Q] };
}[Question];

export type FromWorker =
  /** To a question; the app's metrics also unasked, before it ends. */
  | Answer
  /** It listens to the channel from now on; what was sent before would be lost. */
  | { readonly type: 'hello' }
  /** It serves; one that made the listening socket sends it along, for the primary to hold. */
  | { readonly type: 'ready'; readonly port: number; readonly leads?: boolean }
  /** The app leads no more, as it was asked or because it failed. */
  | { readonly type: 'yielded'; readonly failed: boolean }
  | { readonly type: 'failed'; readonly failure: BootFailure }
  | { readonly type: 'beat'; readonly stats: Stats }
  /** It lives, and there is nothing new since its last beat. */
  | { readonly type: 'alive' }
  | { readonly type: 'left' }
  /** The requests that it has been working on for a while, when these are others than before. */
  | { readonly type: 'holding'; readonly requests: readonly string[] }
  /** Its process exits. */
  | ({ readonly type: 'last words' } & LastWords)
  /** `doubt` says what its app did, `passed` which memory is too much. */
  | {
      readonly type: 'replace';
      readonly why: ReplaceReason;
      readonly doubt?: Doubt;
      readonly passed?: Passed;
    };

const TO_WORKER: Readonly<Record<ToWorker['type'], true>> = {
  socket: true,
  stopping: true,
  leave: true,
  rejoin: true,
  sleep: true,
  drain: true,
  lead: true,
  yield: true,
  ease: true,
  ask: true,
  'close inspector': true,
};

/** The name of the symbol under which a worker keeps the function that lists the requests it holds. */
export const HOLDING = 'hello-server.holding';

/** The mark of our messages: others, such as pm2's, may use the same channel. */
const MARK = 'hello-server';

/** Wraps a message for the channel. */
export const seal = (message: FromWorker | ToWorker): Record<string, unknown> => ({ [MARK]: message });

/** What carries our mark, if it has a type at all. */
function open(raw: unknown): Fields | undefined {
  const message = isObject(raw) ? raw[MARK] : undefined;
  return isObject(message) ? message : undefined;
}

/**
 * The worker's message in what came over the channel; undefined for anything that is not ours. The app has the same
 * channel, so every field is looked at: whatever it sends, what goes on from here is of its type.
 */
export function fromWorker(raw: unknown): FromWorker | undefined {
  const message = open(raw);
  switch (message?.type) {
    case 'hello':
    case 'alive':
    case 'left':
      return { type: message.type };
    case 'ready':
      return isCount(message.port) && message.port <= MAX_PORT
        ? { type: 'ready', port: message.port, ...(message.leads === true && { leads: true }) }
        : undefined;
    case 'yielded':
      return { type: 'yielded', failed: message.failed === true };
    case 'failed': {
      const failure = failureIn(message.failure);
      return failure && { type: 'failed', failure };
    }
    case 'beat': {
      const stats = statsIn(message.stats);
      return stats && { type: 'beat', stats };
    }
    case 'answer':
      return answerIn(message);
    case 'holding':
      return { type: 'holding', requests: holdingIn(message.requests) };
    case 'last words':
      return { type: 'last words', ...lastWordsIn(message) };
    case 'replace': {
      const why = REPLACE_REASONS.find((reason) => reason === message.why);
      if (!why) return undefined;
      const [passed, doubt] = [passedIn(message.passed), doubtIn(message.doubt)];
      return { type: 'replace', why, ...(doubt && { doubt }), ...(passed && { passed }) };
    }
    default:
      return undefined;
  }
}

/** The primary's message in what came over the channel; undefined for anything that is not ours. */
export function toWorker(raw: unknown): ToWorker | undefined {
  const message = open(raw);
  const isKnown = typeof message?.type === 'string' && Object.hasOwn(TO_WORKER, message.type);
  return isKnown ? (message as ToWorker) : undefined;
}

function failureIn(value: unknown): BootFailure | undefined {
  if (!isObject(value) || typeof value.reason !== 'string') return undefined;
  const { reason, stack, noPort } = value;
  return {
    reason: reason.slice(0, MAX_REASON_CHARS),
    stack: typeof stack === 'string' ? stack.slice(0, MAX_STACK_CHARS) : undefined,
    ...(noPort === true && { noPort }),
  };
}

function passedIn(value: unknown): Passed | undefined {
  if (!isObject(value) || !isAmount(value.usedMiB) || !isAmount(value.limitMiB)) return undefined;
  return { usedMiB: value.usedMiB, limitMiB: value.limitMiB };
}

function answerIn({ question, answer }: Fields): Answer | undefined {
  if (!isObject(answer)) return undefined;
  if (question === 'metrics') {
    const { text, problem } = answer;
    if (typeof text === 'string') return { type: 'answer', question, answer: { text } };
    return typeof problem === 'string' ? { type: 'answer', question, answer: { problem } } : undefined;
  }
  const { total, requests } = answer;
  if (question !== 'held' || !isCount(total) || !Array.isArray(requests)) return undefined;
  return { type: 'answer', question, answer: { total, requests: requests.filter(isHeld).map(pickHeld) } };
}

type HeldRequest = Held['requests'][number];
const isHeld = (value: unknown): value is HeldRequest =>
  isObject(value) &&
  isAmount(value.ms) &&
  typeof value.method === 'string' &&
  typeof value.target === 'string' &&
  (value.client === null || typeof value.client === 'string');
const pickHeld = ({ ms, method, target, client }: HeldRequest): HeldRequest => ({
  ms,
  method,
  target,
  client,
});

const MAX_PORT = 65_535;
/** What an app fails with may be of any length. */
const MAX_REASON_CHARS = 4000;
const MAX_STACK_CHARS = 20_000;

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
const isCount = (value: unknown): value is number => isAmount(value) && Number.isInteger(value);
