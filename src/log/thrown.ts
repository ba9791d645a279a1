// What was thrown, in words. Anything may be thrown: whatever it does when it is looked at, none of this throws.

import { inspect } from 'node:util';

/** What is said of something thrown: one line, and the whole as Node prints it where it is an error. */
export interface Thrown {
  /** One line, never empty. */
  readonly message: string;
  /** The stack with causes, the errors of an AggregateError and the error's own properties; undefined for no error. */
  readonly stack: string | undefined;
}

/** Describes what was thrown, or what a promise was rejected with. */
export function describeThrown(thrown: unknown): Thrown {
  const isError = attempt(() => thrown instanceof Error, false);
  const message = attempt(() => (isError ? messageOf(thrown as Error) : textOf(thrown)), '');
  return {
    message: oneLine(message) || 'no reason given',
    stack: isError ? attempt(() => inspect(thrown), undefined) : undefined,
  };
}

/** The `code` of an error; undefined where there is none. */
export const codeOf = (thrown: unknown): string | undefined =>
  attempt(() => {
    const { code } = thrown as { code?: unknown };
    return typeof code === 'string' ? code : undefined;
  }, undefined);

/** An error says little where others made it: what those say is part of its message. */
function messageOf(error: Error, depth = 0): string {
  const own = typeof error.message === 'string' ? oneLine(error.message) : textOf(error.message);
  if (depth === 3) return own;
  const below = (inner: unknown): string =>
    inner instanceof Error ? messageOf(inner, depth + 1) : oneLine(textOf(inner));
  const causes = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  const others = [...causes, ...(error.cause === undefined ? [] : [error.cause])].map(below);
  const unsaid = others.filter((text) => text !== '' && !own.includes(text));
  const because = [...new Set(unsaid)].join(', ');
  if (own !== '' && because !== '') return `${own} (${because})`;
  return own || because || codeOf(error) || (error.name === 'Error' ? '' : error.name);
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity });

const oneLine = (text: string): string => text.split(/\r\n|[\r\n\u2028\u2029]/, 1)[0] ?? '';

function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}
