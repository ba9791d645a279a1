// docs/architecture.md against the code: its picture, its diagrams, the policy's turns that it shows, and what its tables list.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stateOf } from '../../src/control/fleet-status.ts';
import type { Step } from '../core/rules.ts';
import { type Script, SETTINGS, serving } from '../core/script.ts';
import { randomFrom } from '../core/traffic.ts';
import { DEEDS, World } from '../core/world.ts';
import { FLOORS, files, folderOf } from '../helpers/floors.ts';
import { saidOf } from '../helpers/house.ts';
import { block, exchanges, page } from '../helpers/manual.ts';
import { exchange, request } from '../helpers/raw.ts';
import { launch, ROOT } from '../helpers/server.ts';

const PAGE = page('docs/architecture.md');
/** Fleets in a random world, enough of them for all that can follow from anything to happen. */
const WORLDS = 400;
const DEEDS_EACH = 30;
const INSTALL_MS = 60_000;

/** The arrows of a diagram: `ready --> standby`. */
const arrowsOf = (diagram: string): string[] =>
  [...diagram.matchAll(/^ +(\S+) --> (\S+?)(?::.*)?$/gm)].map(([, from, to]) => `${from} --> ${to}`).sort();

/** What is seen of workers and fleets from one step of the policy to the next, in the words of the diagrams. */
function seenInRandomWorlds(): { workers: string[]; fleets: string[] } {
  const [workers, fleets] = [new Set<string>(), new Set<string>()];
  const add = (arrows: Set<string>, from: string, to: string): void => {
    if (from !== to) arrows.add(`${from} --> ${to}`);
  };
  const hasEnded = ({ effects }: Step): boolean =>
    effects.some((effect) => effect.do === 'exit' || effect.do === 'succeed');
  const look = (step: Step): void => {
    const [was, is] = [stateOf(step.before), stateOf(step.after)];
    // A fleet without workers stops and is over in one step.
    if (!hasEnded(step) || step.after.stop) add(fleets, was, is);
    if (hasEnded(step)) add(fleets, step.after.stop ? is : was, '[*]');
    const before = new Map(step.before.workers.map((w) => [w.id, w.stage.name]));
    for (const { id, stage } of step.after.workers) add(workers, before.get(id) ?? '[*]', stage.name);
    const left = new Set(step.after.workers.map(({ id }) => id));
    for (const [id, stage] of before) if (!left.has(id)) add(workers, stage, '[*]');
  };
  for (let seed = 1; seed <= WORLDS; seed++) {
    const random = randomFrom(seed);
    const settings = { ...SETTINGS, bootMs: 3000, drainMs: 6000, stopMs: 2000, keepMs: seed % 2 ? 5000 : 0 };
    const world = new World(1 + (seed % 4), settings, seed, look);
    for (let done = 0; done < DEEDS_EACH; done++) {
      world.pass(random() < 0.3 ? 0 : 4000 * random());
      world.do(DEEDS[Math.floor(DEEDS.length * random())] ?? 'wait', Math.floor(60 * random()));
    }
  }
  fleets.add('[*] --> starting');
  return { workers: [...workers].sort(), fleets: [...fleets].sort() };
}

/** Has happen what a line of the block says; returns the effects in its words. */
function play(script: Script, what: string): string[] {
  const id = Number(/^worker (\d+)/.exec(what)?.[1]);
  if (what === 'a reload is asked for') return script.on({ type: 'reload' });
  if (what === 'time has passed') return script.on({ type: 'wake' });
  if (what.endsWith(' is ready')) return script.ready(id);
  if (what.endsWith(' has left')) return script.left(id);
  if (what.endsWith(' has exited')) return script.exits(id, { code: 0 });
  throw new Error(`expected something that can happen, got \`${what}\``);
}

describe('docs/architecture.md', () => {
  const seen = seenInRandomWorlds();

  it('has the life of a worker as the policy lets it be', () => {
    expect(seen.workers).to.deep.equal(arrowsOf(block('docs/architecture.md#the-life-of-a-worker')));
  });

  it('has the states of the fleet as they follow each other', () => {
    expect(seen.fleets).to.deep.equal(arrowsOf(block('docs/architecture.md#the-states-of-the-fleet')));
  });

  it('has the policy as it is declared', () => {
    const policy = readFileSync(join(ROOT, 'src', 'core', 'policy.ts'), 'utf8');
    expect(policy).to.include(block('docs/architecture.md#one-policy').trim());
  });

  it('has a reload as the policy goes through it', () => {
    const script = serving(1);
    const began = script.now;
    for (const line of block('docs/architecture.md#one-policy:2').trim().split('\n')) {
      const [, ms, what = '', effects] = /^at (\d+) ms +(\S.*?) +→ (.+)$/.exec(line) ?? [];
      script.now = began + Number(ms);
      expect(`${what}: ${play(script, what).join(', ') || 'nothing'}`).to.equal(`${what}: ${effects}`);
    }
    expect(script.stages).to.equal('2 ready');
  });

  it('has every folder of src/ in its table, and every file that is in none', () => {
    const folders = Object.keys(FLOORS).filter((name) => name !== '.');
    const top = files.filter((file) => folderOf(file) === '.');
    expect([...saidOf().keys()]).to.have.members([
      ...folders.map((name) => `src/${name}/`),
      ...top.map((name) => `src/${name}`),
    ]);
  });

  it('has every file of dist/ in its table', () => {
    const built = readdirSync(join(ROOT, 'dist'), { withFileTypes: true })
      .filter(({ name }) => !name.endsWith('.map') && name !== 'package.json')
      .map((entry) => `dist/${entry.name}${entry.isDirectory() ? '/' : ''}`);
    const listed = PAGE.split('\n')
      .filter((line) => line.startsWith('| `dist/'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(listed).to.have.members(built);
  });

  it('has every file at the top of the repository and in deploy/ that a manager reads', () => {
    const rest = PAGE.split('\n## The rest of the repository\n')[1] ?? '';
    const listed = [...rest.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    const deployed = readdirSync(join(ROOT, 'deploy')).filter((name) => !name.startsWith('tls.'));
    expect(listed).to.include.members(deployed.map((name) => `deploy/${name}`));
    const tracked = execFileSync('git', ['ls-files', '--', ':(glob)*'], { cwd: ROOT, encoding: 'utf8' });
    const forManagers = tracked
      .split('\n')
      .filter((name) => /^(?:[A-Z]\w+file|[\w-]+\.service|.*\.ya?ml|ecosystem.*)$/.test(name));
    expect(forManagers).to.include('Dockerfile');
    expect(listed).to.include.members(forManagers);
  });

  describe('a copy of what it names', function () {
    this.timeout(INSTALL_MS + 20_000);
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-copy-'));
    after(() => rmSync(folder, { recursive: true, maxRetries: 3 }));

    it('runs after the commands that it has', async () => {
      const [install, start] = exchanges(block('docs/architecture.md#a-file-for-each-role'));
      const [, named = ''] = /copy (.+?) there, and install/.exec(PAGE) ?? [];
      for (const [, name = ''] of named.matchAll(/`([^`]+)`/g))
        cpSync(join(ROOT, name), join(folder, name), { recursive: true });
      execFileSync('sh', ['-c', install?.command ?? ''], { cwd: folder, stdio: 'pipe', timeout: INSTALL_MS });
      expect(readdirSync(join(folder, 'node_modules'))).to.not.include('typescript');
      const server = await launch({ cwd: folder, line: `exec ${start?.command}` }).serving();
      expect((await exchange(server.port, request('GET', '/'))).body).to.equal('Hello, World!');
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });
  });
});
