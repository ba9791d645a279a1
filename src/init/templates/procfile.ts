// The template of a Procfile, for platforms that run what stands in one: Heroku, Elastic Beanstalk and others.

export interface Procfile {
  /** hello-server's main.js, seen from the folder of the file. */
  readonly main: string;
  /** What follows it: options and the app. */
  readonly args: readonly string[];
}

/** `exec`, so that no shell stands between the platform's signals and the primary. */
export const procfile = ({ main, args }: Procfile): string =>
  `web: ${['exec', 'node', ...nodeEndsItsOptions(args), main, ...args].map(shellWord).join(' ')}\n`;

/** Node takes an --env-file for its own, wherever it stands. */
const nodeEndsItsOptions = (args: readonly string[]): string[] => (args.includes('--env-file') ? ['--'] : []);

/** A word as a shell reads it back; the text has no control characters. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
