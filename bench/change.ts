// What a run changes about a subject, and the name that it has then.

import type { Place, Sink, Subject } from './subject.ts';

/** What a run changes about a subject. */
export interface Change {
  /** Behind its name. */
  readonly tag?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The path of a Node of its own. */
  readonly node?: string;
  readonly stdout?: (place: Place) => Sink;
  /** The path of an app in Hello's place. */
  readonly app?: string;
  /** In place of "text request log into a file". */
  readonly log?: string;
}

export const plural = (workers: number): string => `${workers} worker${workers === 1 ? '' : 's'}`;

/** A name with its tag, and what else a change brings. */
export function named(
  name: string,
  { tag, node, stdout }: Change,
): Pick<Subject, 'name' | 'node' | 'stdout'> {
  return {
    name: tag === undefined ? name : `${name}, ${tag}`,
    ...(node === undefined ? {} : { node }),
    ...(stdout === undefined ? {} : { stdout }),
  };
}
