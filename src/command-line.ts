// The command line as data: which command is meant, with what; or what is wrong with it, in one line.

import { parseArgs } from 'node:util';
import type { Command } from './client/commands.ts';
import { DEFAULT_SECONDS, MOST_SECONDS, parseSeconds, parseSlot } from './control/profile.ts';
import { MAX_WORKERS, parseWorkerCount, printable } from './core/config.ts';
import { KINDS, type Wish } from './init/wish.ts';

/** What the command line asks for. */
export type Asked =
  /** `args` are the app's own; with `dev` it is reloaded when a file is saved. */
  | {
      readonly asked: 'start';
      readonly app: string | undefined;
      readonly dev?: boolean;
      readonly args?: readonly string[];
      readonly envFiles?: readonly string[];
    }
  | { readonly asked: 'command'; readonly command: Command; readonly envFiles?: readonly string[] }
  | { readonly asked: 'init'; readonly wish: Omit<Wish, 'envFiles'>; readonly envFiles?: readonly string[] }
  | { readonly asked: 'print'; readonly text: string }
  | { readonly asked: 'version' }
  | { readonly asked: 'nothing'; readonly problem: string };

const USAGE = `Usage: hello-server [start] [APP]     serve APP, a server as it is or a module that exports one, from a cluster of
                                      workers; without APP, Hello World; what follows -- is the app's own
       hello-server dev APP           serve APP from one worker, and reload it when a file is saved
       hello-server status [--json] [--watch]
                                      what the running server does, with --watch every second
       hello-server top [--json]      the requests in flight, the longest first
       hello-server metrics           all figures, as Prometheus reads them
       hello-server reload            replace all workers by new ones, without losing a request
       hello-server rollback          put the generation before back, as long as it stands by
       hello-server scale N           run N workers
       hello-server upgrade           run new code of hello-server itself, a new Node, a new environment
       hello-server profile           write what a worker's CPU does, for Chrome DevTools
       hello-server heap              write the heap of a worker, for Chrome DevTools
       hello-server stop              drain and stop
       hello-server init KIND [APP]   write the file by which pm2, systemd, docker, kubernetes or a procfile runs APP
       hello-server COMMAND --help    more on one of them
       hello-server --help | --version

The environment configures it (PORT, WEB_CONCURRENCY, ...): see deploy/hello-server.env. --env-file FILE, with any of
these and more than once, reads such a file, at the start and again at each reload.
`;

/** The option that every command takes. */
const ENV_FILE = '--env-file';

const WHICH = `It talks to the server of the PORT in its environment (3000 if there is none), or at CONTROL_SOCKET.`;

/** One command: how it is called, what it does, and which options and arguments it takes. */
interface Form {
  readonly usage: string;
  readonly does: string;
  readonly options: Readonly<
    Record<string, { readonly type: 'boolean' } | { readonly type: 'string'; readonly short?: string }>
  >;
  readonly read: (
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
  ) => Asked | undefined;
}

const command = (it: Command): Asked => ({ asked: 'command', command: it });

const FORMS: Readonly<Record<string, Form>> = {
  start: {
    usage: 'start [--env-file FILE] [APP]',
    does:
      'Serves APP from a cluster of workers, in the foreground until it is told to stop. APP is a file or package that has\n' +
      'an HTTP server listen, or whose default export is (req, res) => ...; without it Hello World is served. What follows -- is the\n' +
      "app's own, in process.argv. The environment configures the rest: PORT, WEB_CONCURRENCY and the others in\n" +
      'deploy/hello-server.env. --env-file FILE reads more of it from a file, at the start and again at each reload: one\n' +
      'NAME=value to a line. It may be given more than once: the last one counts, and before all of them the environment.',
    options: {},
    read: (_values, [app, ...rest]) => (rest.length === 0 ? { asked: 'start', app } : undefined),
  },
  dev: {
    usage: 'dev [--env-file FILE] APP',
    does:
      'Serves APP from one worker while you work on it, and reloads it when a file of its project is saved: code, JSON, .env or an\n' +
      'env file. The project is the nearest folder with a package.json; node_modules, folders with a dot and build output (dist,\n' +
      'build, out, coverage, the outDir of tsconfig.json) are left out, unless APP lies there. A version that does not boot is\n' +
      'shown with the code where it fails, the last good one serves on, and the next save is tried. APP may be TypeScript: tsx runs\n' +
      'it where it is installed in the project, else Node itself, from 22.6 on. What is in flight has 0.5 s in a reload and 1 s in\n' +
      "a stop, unless DRAIN_TIMEOUT and SHUTDOWN_TIMEOUT say otherwise. What follows -- is the app's own.",
    options: {},
    read: (_values, [app, ...rest]) =>
      app !== undefined && rest.length === 0 ? { asked: 'start', app, dev: true } : undefined,
  },
  status: {
    usage: 'status [--json] [--watch]',
    does:
      'Shows the fleet, one line for each worker, and what has happened last. A figure with ! behind it is too high. --json\n' +
      'prints the same as an object. --watch shows it anew every second until Ctrl-C, through restarts of the server; with\n' +
      `--json it prints one line a second.\n${WHICH}`,
    options: { json: { type: 'boolean' }, watch: { type: 'boolean' } },
    read: ({ json, watch }, rest) =>
      rest.length === 0 ? command({ name: 'status', json: json === true, watch: watch === true }) : undefined,
  },
  top: {
    usage: 'top [--json]',
    does:
      'Shows the requests that are being answered right now, the longest first: age, worker, pid, method, target and client.\n' +
      `--json prints the same as an object.\n${WHICH}`,
    options: { json: { type: 'boolean' } },
    read: ({ json }, rest) => (rest.length === 0 ? command({ name: 'top', json: json === true }) : undefined),
  },
  metrics: {
    usage: 'metrics',
    does: `Prints all figures of the server in the text format that Prometheus reads.\n${WHICH}`,
    options: {},
    read: (_values, rest) => (rest.length === 0 ? command({ name: 'metrics' }) : undefined),
  },
  reload: {
    usage: 'reload [--force]',
    does:
      'Replaces all workers by new ones, without losing a request. Returns when the whole new generation serves (0), or\n' +
      `was abandoned and the old one serves on (1, with the reason). Old workers may still be draining then. --force passes\nover the verdict on the new generation's traffic, never over a boot failure or a crash.\n${WHICH}`,
    options: { force: { type: 'boolean' } },
    read: ({ force }, rest) =>
      rest.length === 0 ? command({ name: 'reload', force: force === true }) : undefined,
  },
  rollback: {
    usage: 'rollback',
    does:
      'Puts the generation that the last reload replaced back into the rotation, within a second and without booting it. It\n' +
      `stands by for KEEP_PREVIOUS seconds after a reload; without that setting there is none.\n${WHICH}`,
    options: {},
    read: (_values, rest) => (rest.length === 0 ? command({ name: 'rollback' }) : undefined),
  },
  scale: {
    usage: `scale N with N an integer from 1 to ${MAX_WORKERS}`,
    does: `Runs N workers from now on, until the next start; returns when N workers serve.\n${WHICH}`,
    options: {},
    read: (_values, [count, ...rest]) => {
      const workers = parseWorkerCount(count ?? '');
      return workers === undefined || rest.length > 0 ? undefined : command({ name: 'scale', workers });
    },
  },
  upgrade: {
    usage: 'upgrade [--node FILE]',
    does:
      'Renews the server itself without losing a request: new code of hello-server, a new Node, a new environment. A successor\n' +
      'boots a whole fleet beside this one; when it serves, this one drains. Returns when the new one serves (0), or when it\n' +
      'cannot, and nothing has changed (1, with the reason). The process keeps its pid where Node can exchange its program\n' +
      '(22.15 and later); elsewhere the successor goes on with a pid of its own, which is refused under pm2 and as process 1 of\n' +
      `a container. --node FILE runs it on that Node from now on.\n${WHICH}`,
    options: { node: { type: 'string' } },
    read: ({ node }, rest) =>
      rest.length > 0 || node === ''
        ? undefined
        : command({ name: 'upgrade', node: node === undefined ? undefined : String(node) }),
  },
  profile: {
    usage: `profile [--worker N] [--seconds S] [-o FILE] with S an integer from 1 to ${MOST_SECONDS}`,
    does:
      `Profiles the CPU of a worker, the busiest one or that of slot N, for S seconds, ${DEFAULT_SECONDS} if it does not say, and writes\n` +
      'it into FILE, which must not be there yet, or with - to stdout. Chrome DevTools and VS Code open it. A worker that\n' +
      `hangs can be profiled too. Meanwhile its inspector listens on a free port of this machine alone.\n${WHICH}`,
    options: {
      worker: { type: 'string' },
      seconds: { type: 'string' },
      output: { type: 'string', short: 'o' },
    },
    read: ({ worker, seconds = String(DEFAULT_SECONDS), output: file }, rest) => {
      const slot = worker === undefined ? undefined : parseSlot(String(worker));
      const time = parseSeconds(String(seconds));
      if (
        rest.length > 0 ||
        time === undefined ||
        (worker !== undefined && slot === undefined) ||
        file === ''
      )
        return undefined;
      return command({ name: 'profile', worker: slot, seconds: time, file: file as string | undefined });
    },
  },
  heap: {
    usage: 'heap [--worker N] [-o FILE] [--force]',
    does:
      'Writes a snapshot of the heap of a worker, the one with the largest or that of slot N, into FILE, which must not be\n' +
      'there yet, or with - to stdout. Chrome DevTools opens it, in its Memory panel. Another worker takes its place first: it\n' +
      'answers nothing meanwhile, and goes then. The snapshot takes about ten times the heap of memory: where that is not\n' +
      `left it is refused, which --force passes over.\n${WHICH}`,
    options: {
      worker: { type: 'string' },
      output: { type: 'string', short: 'o' },
      force: { type: 'boolean' },
    },
    read: ({ worker, output: file, force }, rest) => {
      const slot = worker === undefined ? undefined : parseSlot(String(worker));
      if (rest.length > 0 || (worker !== undefined && slot === undefined) || file === '') return undefined;
      return command({
        name: 'heap',
        worker: slot,
        force: force === true,
        file: file as string | undefined,
      });
    },
  },
  stop: {
    usage: 'stop',
    does: `Drains all workers and stops the server; returns when all of it is gone.\n${WHICH}`,
    options: {},
    read: (_values, rest) => (rest.length === 0 ? command({ name: 'stop' }) : undefined),
  },
  init: {
    usage: `init ${KINDS.join('|')} [APP] [--name NAME] [--force]`,
    does:
      'Writes, into the folder it is called in, the file by which a manager runs the app of this folder: ecosystem.config.js,\n' +
      'NAME.service, Dockerfile (with a .dockerignore where there is none), kubernetes.yaml or Procfile; and prints what to type\n' +
      'next. APP is what `npm start` runs, the main file of package.json, or server.js and the like, unless it is given; NAME the\n' +
      'name of the package. Settings in the environment go into the file, PORT=8080 for one; those of --env-file FILE stay there,\n' +
      "for Kubernetes apart. The manager's deadlines are computed from both. A file that is there already stays as it is, but with\n" +
      '--force.',
    options: { name: { type: 'string' }, force: { type: 'boolean' } },
    read: ({ name, force }, [word, app, ...rest]) => {
      const kind = KINDS.find((known) => known === word);
      if (kind === undefined || rest.length > 0 || name === '' || app === '') return undefined;
      return { asked: 'init', wish: { kind, app, name: name as string | undefined, force: force === true } };
    },
  },
};

/** What the arguments (those after the file) ask for. */
export function readCommandLine(all: readonly string[]): Asked {
  const end = all.indexOf('--');
  if (end === -1) return readOwn(all);
  const asked = readOwn(all.slice(0, end));
  if (asked.asked === 'start' && asked.app !== undefined) return { ...asked, args: all.slice(end + 1) };
  return asked.asked === 'nothing' || asked.asked === 'print' ? asked : refused('-- only after an APP', all);
}

/** Reads what is not the app's: the env files, which may stand anywhere, and the rest. */
function readOwn(all: readonly string[]): Asked {
  const args: string[] = [];
  const envFiles: string[] = [];
  for (let i = 0; i < all.length; i += 1) {
    const word = all[i] ?? '';
    const isOption = word === ENV_FILE;
    if (!isOption && !word.startsWith(`${ENV_FILE}=`)) {
      args.push(word);
      continue;
    }
    const file = isOption ? all[++i] : word.slice(ENV_FILE.length + 1);
    if (!file || (isOption && file.startsWith('-'))) return refused(`${ENV_FILE} FILE`, all);
    envFiles.push(file);
  }
  const asked = readRest(args);
  const takes = asked.asked === 'start' || asked.asked === 'command' || asked.asked === 'init';
  return takes && envFiles.length > 0 ? { ...asked, envFiles } : asked;
}

/** Reads what is left without the env files. */
function readRest(args: readonly string[]): Asked {
  const [first = ''] = args;
  const form = Object.hasOwn(FORMS, first) ? FORMS[first] : undefined;
  if (form) return read(form, args.slice(1), args);
  if (args.includes('--help')) return { asked: 'print', text: USAGE };
  if (args.includes('--version')) return { asked: 'version' };
  const option = args.find((arg) => arg.startsWith('-'));
  if (option !== undefined) return refused(`${ENV_FILE} FILE, --help or --version`, [option]);
  const start = FORMS.start?.read({}, args);
  return start ?? refused('one APP', args);
}

function read(form: Form, rest: readonly string[], all: readonly string[]): Asked {
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: { ...form.options, help: { type: 'boolean' } },
      allowPositionals: true,
    });
    if (values.help) return { asked: 'print', text: `Usage: hello-server ${form.usage}\n\n${form.does}\n` };
    return form.read(values, positionals) ?? refused(form.usage, all);
  } catch {
    return refused(form.usage, all);
  }
}

const refused = (expected: string, got: readonly string[]): Asked => ({
  asked: 'nothing',
  problem: `expected ${expected}, got \`${printable(got.join(' '))}\``,
});
