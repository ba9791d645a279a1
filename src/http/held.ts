// The requests that a service holds, by name: as the log says of a death what the worker was working on.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { HELD_CHARS, MOST_HELD } from '../core/last-words.ts';
import { isEventStream } from './long-lived.ts';
import type { Service } from './service.ts';

/** Of so many requests at most the latest, or the longest, are looked for. */
const MOST_LOOKED_AT = 100;

/** A request as `GET /report`: without its query, as it came, though a router may have cut the target since. */
export function nameOf(req: IncomingMessage & { readonly originalUrl?: unknown }): string {
  const { method = '-', url = '-', originalUrl } = req;
  const target = typeof originalUrl === 'string' ? originalUrl : url;
  const query = target.indexOf('?');
  return `${method} ${query === -1 ? target : target.slice(0, query)}`.slice(0, HELD_CHARS);
}

/** Those held now, the latest first: the one whose listener runs is the first of them. */
export function heldNow({ current, inFlight }: Service): string[] {
  const latest = [...inFlight.keys()].slice(-MOST_LOOKED_AT).reverse();
  const held = latest.filter((res) => !isEventStream(res)).map(({ req }) => req);
  return (current ? [current, ...held] : held).slice(0, MOST_HELD).map(nameOf);
}

/** The answers that were begun before `since` (ms of `performance.now()`) and are not finished, the longest first. */
export function heldSince({ inFlight }: Service, since: number): ServerResponse[] {
  const held: ServerResponse[] = [];
  let looked = 0;
  // In the order in which they began.
  for (const [res, startedAt] of inFlight) {
    if (startedAt > since || held.length === MOST_HELD || ++looked > MOST_LOOKED_AT) break;
    if (!isEventStream(res)) held.push(res);
  }
  return held;
}
