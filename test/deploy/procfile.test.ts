// The Procfile under a Procfile runner, in a folder that has what a platform keeps: no development dependencies.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../src/primary/free-port.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, launch, ROOT, type Running } from '../helpers/server.ts';

const FOREMAN = createRequire(import.meta.url).resolve('foreman/nf.js');
/** The shortest time that a platform leaves between TERM and KILL: Cloud Run's; Heroku's is 30 s. */
const KILLED_AFTER_MS = 10_000;
const SLOW_MS = 1500;
const PROCFILE = readFileSync(join(ROOT, 'Procfile'), 'utf8');

const commandOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').filter(Boolean).join(' ');
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);

describe('Procfile', function () {
  this.timeout(60_000);
  let folder: string;

  const npm = (...args: string[]): void => {
    execFileSync('npm', [...args, '--offline', '--no-audit'], { cwd: folder, stdio: 'pipe' });
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-procfile-'));
    const files = ['Procfile', 'package.json', 'package-lock.json', 'dist', 'scripts', 'node_modules'];
    execFileSync('cp', ['-R', ...files.map((name) => join(ROOT, name)), folder]);
    // To be asked for slow answers, as an app of the user's.
    copyFileSync(fixture('wait.js'), join(folder, 'wait.js'));
    npm('prune', '--omit=dev');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the server said: the runner's lines with the runner's own marks taken off. */
  const said = (runner: Running): string[] =>
    runner.out.split('\n').flatMap((line) => / web\.1 +\| +(.*)$/.exec(line)?.[1] ?? []);
  const start = async (procfile: string): Promise<Running> => {
    const env = { PORT: String(await freePort(undefined)) };
    const runner = launch({ main: FOREMAN, args: ['-j', procfile, 'start'], cwd: folder, env });
    await runner.says(/Visit http:\/\/localhost/, 20_000);
    expect(runner.port).to.equal(Number(env.PORT));
    return runner;
  };
  /** TERM to every process of it but the runner, all at once: so Heroku and systemd stop an app. */
  const terminate = (runner: Running): void => {
    for (const pid of runner.pids().filter((pid) => pid !== runner.pid)) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // gone meanwhile
      }
    }
  };

  it('runs where the development dependencies are gone, and an install without them keeps the build', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const there = (name: string): boolean => existsSync(join(folder, 'node_modules', name));
    const built = statSync(join(folder, 'dist', 'main.js')).mtimeMs;
    npm('install', '--omit=dev');
    expect(Object.keys(devDependencies).filter(there)).to.deep.equal([]);
    expect(Object.keys(dependencies).filter(there)).to.deep.equal(Object.keys(dependencies));
    expect(statSync(join(folder, 'dist', 'main.js')).mtimeMs).to.equal(built);
  });

  it('serves on PORT, and a TERM to all its processes stops it within the time that platforms leave', async () => {
    const runner = await start('Procfile');
    const answer = await exchange(runner.port, request('GET', '/'));
    expect(answer).to.deep.include({ status: 200, body: 'Hello, World!' });
    // No shell between the runner and the primary, which would die of the signal and leave it behind.
    expect(childrenOf(runner.pid).map(commandOf)).to.deep.equal(['node dist/main.js']);

    await runner.says(/ - GET \//);
    const before = said(runner).length;
    terminate(runner);
    expect(await runner.end(KILLED_AFTER_MS)).to.deep.equal({ code: 0, signal: null });
    expect(said(runner).slice(before)).to.deep.equal([
      'Received SIGTERM, shutting down gracefully...',
      'Server closed successfully',
    ]);
    await eventually(() => runner.pids().length === 0, 'nothing is left running', 2000);
  });

  it('answers what is in flight when the TERM comes', async () => {
    const own = join(folder, 'Procfile.own');
    writeFileSync(own, `${PROCFILE.trim()} ./wait.js\n`);
    const runner = await start(own);
    const raw = (await Raw.open(runner.port)).send(request('GET', '/?ms=0'));
    await raw.answer();
    raw.send(request('GET', `/?ms=${SLOW_MS}`));
    terminate(runner);
    const answer = await raw.answer(SLOW_MS + 5000);
    expect(answer).to.deep.include({ status: 200, body: `waited ${SLOW_MS}` });
    expect(await runner.end(KILLED_AFTER_MS)).to.deep.equal({ code: 0, signal: null });
  });

  it('stops on the Ctrl-C that the runner hands on', async () => {
    const runner = await start('Procfile');
    const before = said(runner).length;
    runner.signal('SIGINT');
    expect(await runner.end(KILLED_AFTER_MS)).to.deep.equal({ code: 0, signal: null });
    expect(said(runner).slice(before)).to.deep.equal([
      'Received SIGINT, shutting down gracefully...',
      'Server closed successfully',
    ]);
  });
});
