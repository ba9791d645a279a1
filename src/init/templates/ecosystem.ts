// The template of pm2's ecosystem file. It computes pm2's deadlines itself, each time pm2 reads it.

export interface Ecosystem {
  readonly name: string;
  /** hello-server's main.js, seen from the folder of the file. */
  readonly main: string;
  /** The app, seen from there; empty = Hello. */
  readonly app: string;
  readonly envFiles: readonly string[];
  /** Settings that stand in the file itself. */
  readonly settings: Readonly<Record<string, string>>;
  /** How the package of the file writes its modules. */
  readonly modules: 'esm' | 'commonjs';
}

export function ecosystem({ name, main, app, envFiles, settings, modules }: Ecosystem): string {
  const esm = modules === 'esm';
  const folder = esm ? 'import.meta.dirname' : '__dirname';
  const head = esm
    ? `import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';`
    : `const { existsSync, readFileSync } = require('node:fs');
const { resolve } = require('node:path');`;
  const apps = esm ? 'export const apps = [' : 'module.exports.apps = [';
  return `// For pm2: pm2 start ecosystem.config.js
// hello-server forks its own workers, so pm2 runs one process, the primary, and leaves the rest to it.

${head}

/** The app to serve, by its path from this folder; empty = Hello. */
const APP = ${quoted(app)};

/** Settings, and what else the app is to find in its environment: read at the start and at each reload. */
const ENV_FILES = [${envFiles.map(quoted).join(', ')}];

/** Settings that stay until the next start: { PORT: '8080' }. They come before those in the environment of the command. */
const env = ${object(settings)};

/** What the files say of a setting now; of two that name it the last counts. */
const inFiles = (name) =>
  ENV_FILES.map((file) => resolve(${folder}, file))
    .map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
    .map((text) => new RegExp(\`^\${name}=(.*)$\`, 'm').exec(text)?.[1])
    .findLast((value) => value !== undefined);

/** A setting in ms; what is no number is for hello-server to refuse. */
const ms = (name, defaultSeconds) => {
  const seconds = Number(env[name] || process.env[name] || inFiles(name) || defaultSeconds);
  return 1000 * (Number.isFinite(seconds) ? seconds : defaultSeconds);
};

const DAY_MS = 86_400_000;
/** What pm2 and the primary take for themselves. */
const AIR_MS = 2000;

${apps}
  {
    name: ${quoted(name)},
    cwd: ${folder},
    script: ${quoted(main)},
    args: [...ENV_FILES.flatMap((file) => ['--env-file', file]), ...(APP === '' ? [] : [APP])],
    env,
    // In its cluster mode pm2 would be the primary: refused.
    exec_mode: 'fork',
    instances: 1,
    // Online when the fleet serves, not when the process runs. At listen_timeout pm2 calls it online whatever it is;
    // the primary has given up by then, if it is to. BOOT_TIMEOUT=0 is no limit.
    wait_ready: true,
    listen_timeout: (ms('BOOT_TIMEOUT', 30) || DAY_MS) + 2 * AIR_MS,
    // pm2's SIGINT goes to the primary alone, which drains its workers; pm2's SIGKILL would come after kill_timeout.
    treekill: false,
    kill_timeout: ms('SHUTDOWN_DELAY', 0) + ms('SHUTDOWN_TIMEOUT', 8) + AIR_MS,
    // Not started again: what stopped because it was asked to, and what cannot start before somebody mends its
    // settings (9 is Node's own, for an env file that is not there). (pm2 7 shows both as \`waiting restart\`, though it never comes: it does so where a delay is set.)
    stop_exit_codes: [0, 9, 78],
    // Anything else may pass, a port that is still taken for one: tried again after 1, 1.5, 2.25 ... at most 15 s,
    // without end. That is slow enough to stay below pm2's limit of 16 starts in 16 s, after which it would give up.
    exp_backoff_restart_delay: 1000,
  },
];
`;
}

/** A JavaScript string; the text has no control characters. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

const object = (values: Readonly<Record<string, string>>): string => {
  const fields = Object.entries(values).map(([name, value]) => `${name}: ${quoted(value)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
};
