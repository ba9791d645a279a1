// Which file a `start` script of package.json runs.

/** Options of Node's that have a value behind them. */
const WITH_VALUE = ['-r', '--require', '--import', '--loader', '--env-file', '--env-file-if-exists', '-C'];
/** What may stand before the program. */
const BEFORE = /^(?:[A-Za-z_]\w*=.*|cross-env|exec|npx)$/;

/** The file that the last command of a script has node or hello-server run; undefined where it runs something else. */
export function startedBy(script: string): string | undefined {
  const last = script.split(/&&|;/).at(-1) ?? '';
  const words = [...last.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  const program = words.findIndex((word) => !BEFORE.test(word));
  const name = words[program]?.split('/').at(-1);
  if (name !== 'node' && name !== 'hello-server') return undefined;
  const rest = words.slice(program + 1);
  const file = rest.find(
    (word, i) =>
      !word.startsWith('-') &&
      !WITH_VALUE.includes(rest[i - 1] ?? '') &&
      !(name === 'hello-server' && word === 'start'),
  );
  // A pattern or a variable is the shell's to fill in.
  return file === undefined || /[$*?|<>`]/.test(file) ? undefined : file;
}
