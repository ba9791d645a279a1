// Reads the text of an env file: the lines that Node, systemd and Docker read alike, and what is wrong with the others.

import { printable } from './config.ts';

/** What an env file says. */
export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  /** One line for each that is refused, with its number; never a value, which may be a secret. */
  readonly errors: readonly string[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const EXPECTED = 'expected NAME=value as Node, systemd and Docker read it alike';

/** Reads `text`; `path` is how its lines are named in errors. Of two lines with one name the later counts. */
export function readEnvFile(path: string, text: string): EnvFile {
  const values: Record<string, string> = Object.create(null);
  const errors: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/^[ \t]+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const read = readLine(line);
    if ('problem' in read) errors.push(`${path} line ${index + 1}: ${EXPECTED}, got ${read.problem}`);
    else values[read.name] = read.value;
  }
  return { values, errors };
}

function readLine(
  line: string,
): { readonly name: string; readonly value: string } | { readonly problem: string } {
  const equals = line.indexOf('=');
  if (line.startsWith(';')) return { problem: 'a ; where a comment begins with #' };
  // Without a = the whole line may be a value that was broken in two: none of it is shown.
  if (equals === -1) return { problem: 'no =' };
  const name = line.slice(0, equals);
  if (/^export\s/.test(name)) return { problem: `export before ${printable(name.slice(6).trim())}` };
  if (!NAME.test(name)) return { problem: `the name \`${printable(name)}\`` };
  const value = line.slice(equals + 1);
  const problem = problemOf(value);
  return problem === undefined ? { name, value } : { problem: `${problem} in the value of ${name}` };
}

/** What the three read differently in a value; undefined where they agree. */
function problemOf(value: string): string | undefined {
  if (/^[ \t]|[ \t]$/.test(value)) return 'a space at an end';
  if (/^["'`]/.test(value)) return 'quotes';
  if (value.includes('#')) return 'a #';
  if (value.includes('\\')) return 'a \\';
  return /\p{Cc}/u.test(value) ? 'a control character' : undefined;
}
