// What a primary and the process that started it from code say to each other, over Node's channel between the two.

import type { FleetEvents, ToldEvent } from './fleet-events.ts';

/** A primary's environment variable that says it was started from code; its value is the version that did so. */
export const CALLER_VARIABLE = 'HELLO_SERVER_CALLER';

/** What the caller asks for. Every question has a number of its own, which its answer repeats. */
export type Question = { readonly id: number } & (
  | { readonly ask: 'status' | 'rollback' | 'stop' }
  | { readonly ask: 'reload'; readonly force: boolean }
  | { readonly ask: 'scale'; readonly workers: number }
);

/** What the primary says. */
export type ToCaller =
  /** Its whole first generation serves, on this port. */
  | { readonly type: 'serves'; readonly port: number }
  /** It cannot be started as it was asked to; one line for each reason. */
  | { readonly type: 'refused'; readonly reason: string }
  /** One notice, and the event that it is, if it is one. */
  | ({ readonly type: 'told'; readonly event?: ToldEvent | undefined } & FleetEvents['notice'])
  | ({ readonly type: 'missed' } & FleetEvents['missed'])
  /** To a question: its status as JSON, or how the command ended. */
  | { readonly type: 'answer'; readonly id: number; readonly ok: boolean; readonly result: unknown };

/** The mark of these messages. */
const MARK = 'hello-server.caller';

export const sealed = (message: Question | ToCaller): Record<string, unknown> => ({ [MARK]: message });

const open = (raw: unknown): Readonly<Record<string, unknown>> | undefined => {
  const message = isObject(raw) ? raw[MARK] : undefined;
  return isObject(message) ? message : undefined;
};

/** The caller's question in what came; undefined for anything that is none. */
export function questionIn(raw: unknown): Question | undefined {
  const message = open(raw);
  if (!message || !Number.isSafeInteger(message.id)) return undefined;
  const id = Number(message.id);
  switch (message.ask) {
    case 'status':
    case 'rollback':
    case 'stop':
      return { id, ask: message.ask };
    case 'reload':
      return { id, ask: 'reload', force: message.force === true };
    case 'scale':
      return { id, ask: 'scale', workers: Number(message.workers) };
    default:
      return undefined;
  }
}

/** The primary's message in what came; undefined for anything that is none. Both ends are of one version. */
export function fromPrimary(raw: unknown): ToCaller | undefined {
  const message = open(raw);
  return typeof message?.type === 'string' ? (message as ToCaller) : undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
