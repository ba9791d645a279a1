// What the command line asks of init.

/** The managers and platforms that init writes a file for. */
export const KINDS = ['pm2', 'systemd', 'docker', 'kubernetes', 'procfile'] as const;
export type Kind = (typeof KINDS)[number];

export interface Wish {
  readonly kind: Kind;
  /** The app as typed; undefined = the one that package.json tells of. */
  readonly app: string | undefined;
  /** The name to run it under; undefined = the package's. */
  readonly name: string | undefined;
  /** Whether a file that is there already is written over. */
  readonly force: boolean;
  readonly envFiles: readonly string[];
}

/** Why there is nothing written, in a line each. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number, ...problems: readonly string[]) {
    super(problems.join('\n'));
    this.code = code;
  }
}
