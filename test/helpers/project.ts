// A user's project: an empty folder, then an Express app, hello-server as npm packs it, and what init prints there.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { block, commands } from './manual.ts';
import { KINDS, type Kind, Meter, NOTHING_LOST } from './meter.ts';
import { eventually, launch, ROOT, type Running } from './server.ts';

/** A path that every tool has to take as it is: blanks, a letter that is no ASCII, what shells and systemd replace. */
export const ODD = "Büro Süd's 100% $HOME";
/** An Express app, which listens on the port that `port` says. */
const app = (port: string): string => `const express = require('express');
const app = express();
app.use(express.raw({ type: () => true }));
app.use((req, res) => res.send('Hello from Express'));
app.listen(${port});
`;
const NPM_MS = 120_000;
/** Requests that are answered before something is tried under load, and after it. */
const LOAD = 300;

/** What a command of the project's said. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class UserProject {
  readonly #top = mkdtempSync(join(tmpdir(), 'hello-server-project-'));
  readonly folder: string;

  /** An empty folder; `above` is the name of the folder that has it. */
  constructor(name = 'shop', above = ODD) {
    this.folder = join(this.#top, above, name);
    mkdirSync(this.folder, { recursive: true });
  }

  /** Makes it an Express app that has hello-server, whose port is another one than ours where nothing is set. */
  install(file = 'server.js'): this {
    this.write(file, app('process.env.PORT || 8000'));
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', 'express', this.#pack()];
    execFileSync('npm', install, { cwd: this.folder, stdio: 'pipe', timeout: NPM_MS });
    return this;
  }

  /** Makes it what the reader of README.md has: an Express app on port 3000, which `node server.js` runs. */
  async isReaders(): Promise<this> {
    this.write('server.js', app('process.env.PORT || 3000'));
    await this.types('npm init -y && npm install --no-audit --no-fund --prefer-offline express');
    return this;
  }

  /** Installs hello-server as README.md says. */
  async installs(): Promise<this> {
    const [install = ''] = commands(block('README.md#run-your-app'));
    await this.types(install);
    return this;
  }

  /** Runs what the reader types, fails if it does, and returns what it prints. npm's hello-server is that of this repository. */
  async types(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const running = this.starts(line, env);
    const { code } = await running.end(NPM_MS);
    expect(code, `${line}\n${running.log}`).to.equal(0);
    return running.out;
  }

  /** Starts what the reader types, with nothing in the environment but what a shell has, and `env`. */
  starts(line: string, env: Readonly<Record<string, string>> = {}): Running {
    const text = line.replace(/^npm install hello-server$/m, () => `npm install ${this.#pack()}`);
    const given = { PORT: undefined, WEB_CONCURRENCY: undefined, NODE_OPTIONS: undefined };
    const quiet = { npm_config_update_notifier: 'false' };
    return launch({
      line: text,
      cwd: this.folder,
      env: { ...given, ...quiet, ...env },
      detached: true,
    });
  }

  /** Puts the package into the folder, so that an image has it, too, and tells its path there. The build is there already. */
  #pack(): string {
    const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', this.folder];
    const packed = execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8', timeout: NPM_MS }).trim();
    return `./${packed}`;
  }

  /** Runs `npx hello-server init ...` in it, with nothing in the environment but what a shell has, and `env`. */
  init(args: readonly string[], env: Readonly<Record<string, string>> = {}): Said {
    const { PATH, HOME } = process.env;
    const options = {
      cwd: this.folder,
      env: { PATH, HOME, ...env },
      encoding: 'utf8',
      timeout: NPM_MS,
    } as const;
    const { status, stdout, stderr } = spawnSync('npx', ['--no', 'hello-server', 'init', ...args], options);
    return { code: status, out: stdout, err: stderr };
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  remove(): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}

/** The command that init has printed below such a word: `start it`. */
export function nextCommand(out: string, what: string): string {
  const [, command] = new RegExp(`^${what}.*:\n  (.+)$`, 'm').exec(out) ?? [];
  if (command === undefined) throw new Error(`expected a command to ${what}, got\n${out}`);
  return command;
}

/** Has clients ask while `work` goes on, and expects that none of their requests is lost. */
export async function losesNothing(
  port: number,
  work: () => Promise<void>,
  kinds: readonly Kind[] = KINDS,
): Promise<void> {
  const meter = new Meter(port, kinds);
  await eventually(() => meter.tally.ok > LOAD, 'load before the work');
  await work();
  const enough = meter.tally.ok + LOAD;
  await eventually(() => meter.tally.ok > enough, 'load after the work');
  const { ok, ...lost } = await meter.stop();
  process.stdout.write(`      ${JSON.stringify({ ok, ...lost })}\n`);
  expect(lost, JSON.stringify(meter.losses.slice(0, 5))).to.deep.equal(NOTHING_LOST);
}
