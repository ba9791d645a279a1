// A user's project in which `npx hello-server` is the one of this repository, without an install; what pages show runs in it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exchanges, hasShape } from './manual.ts';
import { type Exit, launch, ROOT, type Running } from './server.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A command takes a second or two; a profile as long as it is told to. */
const RUN_MS = 30_000;
/** What npx says about itself, and nothing of what Node's stacks are for the tests of src/. */
const QUIET: Environment = { npm_config_update_notifier: 'false', NODE_OPTIONS: undefined };
/** The same app in every page that shows none of its own. */
const SERVER = `import express from 'express';
const app = express();
app.get('/', (req, res) => res.send('Tea\\n'));
app.listen(process.env.PORT ?? 3000);
`;

/** How a command of a project ended, and all that it printed. */
export interface Printed extends Exit {
  readonly out: string;
}

export class Shop {
  readonly #top = mkdtempSync(join(tmpdir(), 'hello-server-'));
  readonly folder: string;

  /** @param folder of the project, below one of its own; it is named `shop`, and has `server.js`, an Express app */
  constructor(folder = 'shop') {
    this.folder = join(this.#top, folder);
    mkdirSync(this.folder, { recursive: true });
    this.install(this.folder);
    const shop = {
      name: 'shop',
      version: '1.0.0',
      type: 'module',
      dependencies: { 'hello-server': '^1.0.0' },
    };
    this.write('package.json', JSON.stringify(shop));
    this.write('server.js', SERVER);
  }

  /** The folder that has the project's. */
  get above(): string {
    return this.#top;
  }

  /** Puts hello-server and what the pages' apps need where npm would. */
  install(folder: string): void {
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    symlinkSync(ROOT, join(modules, 'hello-server'));
    symlinkSync('../hello-server/dist/main.js', join(modules, '.bin', 'hello-server'));
    for (const name of ['express', 'tsx']) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }

  write(file: string, text: string): void {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  /** Starts what a user types, without waiting; both of its outputs are in `out`, in their order. */
  start(line: string, env: Environment = {}): Running {
    return launch({
      line: `exec 2>&1\n${line}`,
      cwd: this.folder,
      env: { ...QUIET, ...env },
      detached: true,
    });
  }

  /** Starts a server by what a user types, and waits until it serves. */
  serve(line: string, env: Environment = {}): Promise<Running> {
    return this.start(line, env).serving();
  }

  /** Runs what a user types to its end. */
  async run(line: string, env: Environment = {}): Promise<Printed> {
    const running = this.start(line, env);
    const exit = await running.end(RUN_MS);
    return { ...exit, out: running.out };
  }

  /**
   * Runs the commands of a block in one shell, one after the other, and fails unless each prints what the block shows below it.
   * Returns how the last one ended, and what all of them printed.
   */
  async shows(text: string, env: Environment = {}): Promise<Printed> {
    const shown = exchanges(text);
    const mark = '--- the end of a command';
    // The code of each is there for the next one, which may ask for it.
    const line = shown.map(({ command }) => `${command}\nended=$?; echo '${mark}'; (exit $ended)`).join('\n');
    const printed = await this.run(line, env);
    const outputs = printed.out.split(`${mark}\n`);
    for (const [i, { command, output }] of shown.entries()) {
      const got = outputs[i] ?? '';
      if (!hasShape(got, output))
        throw new Error(`expected \`${command}\` to print\n${output}\n--- got\n${got}`);
    }
    return printed;
  }

  /** The pid of the primary that serves this port. */
  async primary(server: Running): Promise<number> {
    const { out } = await this.run('npx hello-server status --json', { PORT: String(server.port) });
    return JSON.parse(out).pid;
  }

  /** Stops a server of this project, and waits for its end. */
  async stop(server: Running): Promise<Exit> {
    await this.run('npx hello-server stop', { PORT: String(server.port) });
    return server.end();
  }

  remove(): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}
