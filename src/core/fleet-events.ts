// What a program that runs a fleet by startFleet() hears of it: the notices that its users ask for, as events of plain data. Pure.

import type { Notice, WorkerName } from './notices.ts';

/** What every event has beside its own data. */
interface Said {
  /** The sentence that the log has for it. */
  readonly text: string;
}

/** The events of a fleet, by name. Times are milliseconds. */
export interface FleetEvents {
  /** All workers of the first generation listen. */
  listening: Said & { readonly port: number };
  /** A worker serves, so long after its fork. */
  ready: Said & WorkerName & { readonly afterMs: number };
  /** A worker leaves the rotation and finishes what it has open. */
  draining: Said & WorkerName & { readonly why: string };
  /** A worker asks to be replaced, before it is: its memory, its number of requests, a TERM of its own. */
  replacing: Said & WorkerName & { readonly why: string };
  /** A worker ended that nobody had asked to; `nextMs` = when its slot is forked again, where it is on account of this. */
  crashed: Said & WorkerName & { readonly nextMs: number | undefined };
  /** A worker was silent for `HANG_TIMEOUT`; it is killed and replaced. */
  hung: Said & WorkerName & { readonly silentMs: number; readonly place: string | undefined };
  /** The primary killed a worker. */
  killed: Said & WorkerName & { readonly why: string };
  /** A drained worker has gone. */
  gone: Said & WorkerName;
  /** A worker did not get ready. */
  'boot failed': Said & WorkerName;
  /** What the app's `healthy()` says of a worker has changed. */
  unwell: Said & WorkerName & { readonly reason: string };
  'well again': Said & WorkerName;
  /** A reload begins; its generation serves; or the old one goes on, and the text says why. */
  reloading: Said & { readonly generation: number };
  reloaded: Said & { readonly generation: number; readonly tookMs: number };
  abandoned: Said & { readonly generation: number };
  'rolled back': Said & { readonly generation: number; readonly tookMs: number };
  scaled: Said & { readonly from: number; readonly to: number };
  /** A stop was asked for. */
  stopping: Said;
  /** The fleet cannot serve, or has crashed in a loop: it ends. */
  failed: Said;
}

export type FleetEventName = keyof FleetEvents;

/** The names of all events. */
export const FLEET_EVENTS: readonly FleetEventName[] = [
  'listening',
  'ready',
  'draining',
  'replacing',
  'crashed',
  'hung',
  'killed',
  'gone',
  'boot failed',
  'unwell',
  'well again',
  'reloading',
  'reloaded',
  'abandoned',
  'rolled back',
  'scaled',
  'stopping',
  'failed',
];

/** An event with its name. */
export type FleetEvent = {
  [Name in FleetEventName]: { readonly name: Name; readonly data: FleetEvents[Name] };
}[FleetEventName];

/** The event that a notice is; undefined for one that is none. `text` is what the log says of it. */
export function eventOf(notice: Notice, text: string): FleetEvent | undefined {
  switch (notice.notice) {
    case 'listening':
      return { name: 'listening', data: { text, port: notice.port } };
    case 'ready':
      return { name: 'ready', data: { text, ...notice.of, afterMs: notice.afterMs } };
    case 'draining':
    case 'replacing':
      return { name: notice.notice, data: { text, ...notice.of, why: notice.why } };
    case 'crashed':
      return { name: 'crashed', data: { text, ...notice.of, nextMs: notice.nextMs } };
    case 'hung':
      return { name: 'hung', data: { text, ...notice.of, silentMs: notice.silentMs, place: notice.place } };
    case 'killed':
      return { name: 'killed', data: { text, ...notice.of, why: notice.kill.why } };
    case 'gone':
    case 'boot failed':
    case 'well again':
      return { name: notice.notice, data: { text, ...notice.of } };
    case 'unwell':
      return { name: 'unwell', data: { text, ...notice.of, reason: notice.reason } };
    case 'reloading':
    case 'abandoned':
      return { name: notice.notice, data: { text, generation: notice.generation } };
    case 'reloaded':
    case 'rolled back':
      return { name: notice.notice, data: { text, generation: notice.generation, tookMs: notice.tookMs } };
    case 'scaled':
      return { name: 'scaled', data: { text, from: notice.from, to: notice.to } };
    case 'received':
      return { name: 'stopping', data: { text } };
    case 'cannot serve':
    case 'crash loop':
      return { name: 'failed', data: { text } };
    default:
      return undefined;
  }
}

/** Names the variable by which startFleet() tells a primary that a program owns it. */
export const OWNER_VARIABLE = 'HELLO_SERVER_OWNER';

/** What the primary sends to its owner. */
export type ToOwner =
  | ({ readonly type: 'event' } & FleetEvent)
  /** The start is refused: one line for each problem. */
  | { readonly type: 'refused'; readonly problems: readonly string[] };

/** The mark of these messages: others, such as pm2's, use the same channel. */
const MARK = 'hello-server fleet';

/** Wraps a message for the channel. */
export const toOwner = (message: ToOwner): Record<string, unknown> => ({ [MARK]: message });
/** What asks the primary to stop. */
export const STOP = { [MARK]: 'stop' } as const;

const marked = (raw: unknown): unknown =>
  typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>)[MARK] : undefined;

/** Whether what came over the channel asks to stop. */
export const isStop = (raw: unknown): boolean => marked(raw) === 'stop';

/** The primary's message in what came over the channel; undefined for anything else. Who owns a primary trusts what it sends. */
export const fromPrimary = (raw: unknown): ToOwner | undefined => marked(raw) as ToOwner | undefined;
