// What a worker says of the requests it is working on, and of why it is about to end: the form, and how it is read.
// The app has the same channel: whatever comes over it, what is made of it here is of its type, and bounded.

import type { Cause } from './ending.ts';

/** So many requests are told, each cut to so many characters. */
export const MOST_HELD = 10;
export const HELD_CHARS = 200;
const PLACE_CHARS = 300;
const ERROR_CHARS = 500;

/** What an app did that puts its worker in doubt, with the requests that the worker was working on. */
export interface Doubt {
  readonly cause: Extract<Cause, { cause: 'exit called' | 'fatal error' }>;
  readonly holding: readonly string[];
}

/** What a worker says when its process exits. */
export interface LastWords {
  /** As `GET /path`, without a query. */
  readonly holding: readonly string[];
  /** Where the app called Node's exit, as `file:line`; undefined = it did not. */
  readonly exit?: { readonly place: string | undefined } | undefined;
}

/** The requests in what a worker has sent. */
export const holdingIn = (value: unknown): string[] =>
  Array.isArray(value)
    ? value
        .slice(0, MOST_HELD)
        .flatMap((held) => (typeof held === 'string' ? [held.slice(0, HELD_CHARS)] : []))
    : [];

/** The last words in what a worker has sent. */
export function lastWordsIn({ holding, exit }: Fields): LastWords {
  const place = isObject(exit) ? textIn(exit.place, PLACE_CHARS) : undefined;
  return { holding: holdingIn(holding), ...(isObject(exit) && { exit: { place } }) };
}

/** The doubt in what a worker has sent; undefined where there is none. */
export function doubtIn(value: unknown): Doubt | undefined {
  if (!isObject(value) || !isObject(value.cause)) return undefined;
  const { cause, code, place, error } = value.cause;
  const holding = holdingIn(value.holding);
  if (cause === 'exit called' && typeof code === 'number' && Number.isSafeInteger(code))
    return { cause: { cause, code, place: textIn(place, PLACE_CHARS) }, holding };
  if (cause === 'fatal error' && typeof error === 'string')
    return { cause: { cause, error: error.slice(0, ERROR_CHARS) }, holding };
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const textIn = (value: unknown, most: number): string | undefined =>
  typeof value === 'string' ? value.slice(0, most) : undefined;
