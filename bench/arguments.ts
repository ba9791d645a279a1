// The command line of the bench. Pure.

/** What is asked for. */
export interface Wanted {
  /** Names of questions; none = all. */
  readonly names: readonly string[];
  readonly quick: boolean;
  /** The Node that subjects run on; undefined = the one of the bench. */
  readonly node: string | undefined;
}

const USAGE = '--quick, --node PATH or a question';

/** Reads the arguments; a string is what is wrong with them. */
export function parse(args: readonly string[], questions: readonly string[]): Wanted | string {
  let node: string | undefined;
  let quick = false;
  const names: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--quick') quick = true;
    else if (arg === '--node') {
      node = rest.shift();
      if (node === undefined) return 'expected --node PATH, got no path';
    } else if (questions.includes(arg)) names.push(arg);
    else if (arg.startsWith('-')) return `expected ${USAGE}, got \`${arg}\``;
    else return `expected a question, one of ${questions.join(', ')}, got \`${arg}\``;
  }
  return { names, quick, node };
}
