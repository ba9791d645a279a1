// A user's project: an empty folder, then an Express app, hello-server as npm packs it, and what init prints there.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KINDS, type Kind, Meter, NOTHING_LOST } from './meter.ts';
import { eventually, ROOT } from './server.ts';

/** A path that every tool has to take as it is: blanks, a letter that is no ASCII, what shells and systemd replace. */
export const ODD = "Büro Süd's 100% $HOME";
const APP = `const express = require('express');
const app = express();
app.use(express.raw({ type: () => true }));
app.use((req, res) => res.send('Hello from Express'));
app.listen(process.env.PORT || 8000);
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

  /** Makes it an Express app, as the shell's commands of the first five minutes do. */
  install(file = 'server.js'): this {
    writeFileSync(join(this.folder, file), APP);
    // In the folder, so that an image has it, too. The build is there already.
    const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', this.folder];
    const packed = execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8', timeout: NPM_MS }).trim();
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', 'express', `./${packed}`];
    execFileSync('npm', install, { cwd: this.folder, stdio: 'pipe', timeout: NPM_MS });
    return this;
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
