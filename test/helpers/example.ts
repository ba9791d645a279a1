// An example as its user has it: a copy of its folder, outside of this repository, where the commands of its README run.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KINDS, type Kind } from './meter.ts';
import { losingNothing } from './reload.ts';
import { eventually, launch, ROOT, type Running } from './server.ts';

const EXAMPLES = join(ROOT, 'examples');
/** What every example is installed by: the versions of all that they depend on. */
const LOCK = join(ROOT, 'test', 'examples', 'package-lock.json');
const START = 'npm start';
const RELOAD = 'npx hello-server reload';
const STOP = 'npx hello-server stop';
/** How a README says that a command goes on until its user ends it. */
const GOES_ON = /# .*Ctrl-C ends it/;
/** The clients of the loss meter that ask for a page. */
const CLIENTS: readonly Kind[] = KINDS.filter(({ bodyBytes }) => bodyBytes === 0);
/** A command that takes longer hangs: the longest is the install of Next, over the network. */
const RUN_MS = 120_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** A command of a README, and what it shows of its output; `...` at its beginning stands for lines of any number. */
export interface Command {
  readonly line: string;
  readonly shows: readonly string[];
}

/** The names of all examples. */
export const exampleNames = (): string[] =>
  readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** A file of an example, as it is in the repository. */
export const exampleFile = (name: string, file: string): string =>
  readFileSync(join(EXAMPLES, name, file), 'utf8');

/** The commands of an example's README. */
export function commandsOf(name: string): Command[] {
  const [, block = ''] = /^```\n(.*?)^```$/ms.exec(exampleFile(name, 'README.md')) ?? [];
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => text.trimEnd().split('\n'))
    .map(([line = '', ...shows]) => ({ line, shows }));
}

/** Copies of examples, and the package of this repository that they are installed with. */
export class Examples {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hello-server-examples-'));
  readonly #package: string;

  constructor() {
    const packed = execFileSync(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', this.#folder],
      { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#package = join(this.#folder, JSON.parse(packed)[0].filename);
  }

  /** Copies an example and runs what its README has before its start. */
  async install(name: string, env: Environment = {}): Promise<Example> {
    const folder = join(this.#folder, name);
    const filter = (path: string): boolean => !/\/(?:node_modules|dist|\.next|[^/]*\.log)$/.test(path);
    cpSync(join(EXAMPLES, name), folder, { recursive: true, filter });
    cpSync(LOCK, join(folder, 'package-lock.json'));
    const own = JSON.parse(exampleFile(name, 'package.json'));
    own.dependencies['hello-server'] = `file:${this.#package}`;
    writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
    const example = new Example(name, folder, env);
    await example.prepare();
    return example;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** An installed example. */
export class Example {
  readonly folder: string;
  readonly #commands: readonly Command[];
  readonly #env: Environment;

  constructor(name: string, folder: string, env: Environment) {
    this.folder = folder;
    this.#commands = commandsOf(name);
    this.#env = env;
  }

  get #start(): number {
    return this.#commands.findIndex(({ line }) => line === START);
  }

  /** Runs what its README has before the start; npm finds its registry in this environment. */
  async prepare(): Promise<void> {
    const env = { ...process.env, ...this.#env, NEXT_TELEMETRY_DISABLED: '1' };
    for (const command of this.#commands.slice(0, this.#start)) await this.#run(command, env);
  }

  /** Runs a line in its folder, without waiting; `env` is set beside what the example needs. */
  launch(line: string, env: Environment = {}): Running {
    const given = { ACCESS_LOG: 'false', npm_config_update_notifier: 'false', NODE_OPTIONS: undefined };
    return launch({ line, cwd: this.folder, env: { ...given, ...this.#env, ...env }, detached: true });
  }

  /** Starts it by the command of its README, and waits until it serves. */
  serve(env: Environment = {}): Promise<Running> {
    return this.launch(START, env).serving();
  }

  /** Reloads it by the command of its README; resolves when the new generation serves. */
  reload(server: Running): Promise<void> {
    return this.#run({ line: RELOAD, shows: [] }, { PORT: String(server.port) });
  }

  /** Stops it by the command of its README, and expects that it ends in order. */
  async stop(server: Running): Promise<void> {
    await this.#run({ line: STOP, shows: [] }, { PORT: String(server.port) });
    expect(await server.end(), server.log).to.deep.equal({ code: 0, signal: null });
    expect(server.out, server.log).to.match(/\nServer closed successfully\n$/);
  }

  /** Starts it and does all that its README says; while it is reloaded nothing may be lost. */
  async walk(): Promise<void> {
    const server = await this.serve();
    const env = { PORT: String(server.port) };
    for (const command of this.#commands.slice(this.#start + 1)) {
      if (command.line === RELOAD) await losingNothing(server, () => this.#run(command, env), CLIENTS);
      else if (command.line === STOP) await this.stop(server);
      else if (GOES_ON.test(command.line)) await this.#runUntilShown(command, env);
      else await this.#run(command, env);
    }
    expect(server.err).to.equal('');
  }

  /** Runs a command to its end, and expects that it succeeds and shows what its README says. */
  async #run({ line, shows: [first, ...rest] }: Command, env: Environment): Promise<void> {
    const running = this.launch(here(line, env.PORT), env);
    expect(await running.end(RUN_MS), `${line}\n${running.log}`).to.deep.equal({ code: 0, signal: null });
    const lines = running.out.trimEnd().split('\n');
    if (first === '...') expect(lines.slice(-rest.length)).to.deep.equal(rest);
    else if (first !== undefined) expect(lines).to.deep.equal([first, ...rest]);
  }

  /** Runs a command that goes on until it has shown what its README says, and ends it. */
  async #runUntilShown({ line, shows }: Command, env: Environment): Promise<void> {
    const running = this.launch(here(line, env.PORT), env);
    const shown = shows.join('\n');
    await eventually(() => running.out.startsWith(shown), `\`${line}\` shows ${shown}`).catch((error) => {
      throw new Error(`${error.message}\n${running.log}`);
    });
    running.interrupt();
    await running.end();
  }
}

/** A command's line, for an example that serves on another port than its README's. */
const here = (line: string, port = ''): string => line.replace('localhost:3000', `localhost:${port}`);
