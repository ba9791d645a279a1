// Which names the managers take for an app.

import { printable } from '../core/config.ts';
import { CANNOT_SERVE } from '../core/exit-codes.ts';
import { type Kind, Refused } from './wish.ts';

const NAMES: Readonly<Record<Kind, { readonly takes: RegExp; readonly expected: string }>> = {
  pm2: {
    // `all` and numbers are words of pm2's own commands.
    takes: /^(?!all$|\d+$)[a-z\d][\w.-]{0,99}$/i,
    expected: 'letters, digits, `.`, `_` and `-`, no number and not `all`',
  },
  systemd: {
    // Also a folder below /run and an identifier in the journal; with an @ it would be an instance of another unit.
    takes: /^[a-z\d][\w.-]{0,99}$/i,
    expected: 'up to 100 letters, digits, `.`, `_` and `-`',
  },
  docker: {
    takes: /^(?=.{1,100}$)[a-z\d]+(?:(?:\.|__?|-+)[a-z\d]+)*$/,
    expected: 'small letters and digits, with a `.`, `_` or `-` between them',
  },
  kubernetes: {
    // A label of DNS by RFC 1035, as a Service has to have.
    takes: /^[a-z](?:[a-z\d-]{0,61}[a-z\d])?$/,
    expected: 'up to 63 small letters, digits and `-`, a letter first and no `-` last',
  },
  // It stands nowhere in a Procfile.
  procfile: { takes: /^/, expected: '' },
};

/** The same name; refuses one that the manager would refuse, or take for something else. */
export function checkedName(kind: Kind, name: string): string {
  const { takes, expected } = NAMES[kind];
  if (takes.test(name)) return name;
  throw new Refused(
    CANNOT_SERVE,
    `name: expected ${expected} for ${kind}, got \`${printable(name)}\`: give another with --name NAME`,
  );
}
