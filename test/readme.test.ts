// The tables of README.md, and deploy/hello-server.env, against the code.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { DEFAULTS } from '../src/core/config.ts';
import * as codes from '../src/core/exit-codes.ts';
import { ROOT } from './helpers/server.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const README = read('README.md');

/** The text below a heading, up to the next one of its level or above. */
function section(heading: string): string {
  const level = heading.indexOf(' ');
  const [, rest] = README.split(`\n${heading}\n`);
  if (rest === undefined) throw new Error(`expected a section \`${heading}\` in README.md`);
  return rest.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? '';
}

/** The cells of the first table in a text, code marks taken off, its heading left out. */
function table(text: string): string[][] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rows = lines.slice(first);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  const cellsOf = (row: string): string[] =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
  return rows.slice(2, end === -1 ? undefined : end).map(cellsOf);
}

const found = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, one = '']) => one)),
];

describe('README.md', () => {
  it('lists the environment as the code reads it', () => {
    const rows = table(section('## Settings')).map(([name, value]) => [name, value === 'unset' ? '' : value]);
    expect(rows).to.deep.equal(Object.entries(DEFAULTS));
  });

  it('lists the exit codes of the code', () => {
    const { cutShortBy, ...fixed } = codes;
    const cut = (['SIGINT', 'SIGQUIT', 'SIGTERM'] as const).map(cutShortBy);
    const listed = table(section('## Exit codes')).map(([code]) => Number(code));
    expect(listed).to.have.members([...Object.values(fixed), ...cut]);
  });

  it('lists the signals that the primary handles', () => {
    const handled = found(read('src/primary/signals.ts'), /'SIG([A-Z0-9]+)'/g);
    expect(handled).to.have.members(['TERM', 'INT', 'QUIT', 'HUP', 'TTIN', 'TTOU', 'USR1', 'USR2']);
    expect(table(section('## Signals')).map(([name]) => name)).to.have.members(handled);
  });

  it('names each dependency with its reason', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'));
    const [atRunTime = '', forDevelopment = ''] = section('## Requirements and dependencies').split(
      '| for development',
    );
    expect(table(atRunTime).map(([name]) => name)).to.have.members(Object.keys(dependencies));
    const tools = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/'));
    expect(table(`| for development${forDevelopment}`).map(([name]) => name)).to.have.members(
      tools.map((name) => name.replace('@biomejs/', '')),
    );
  });
});

describe('deploy/hello-server.env', () => {
  const text = read('deploy/hello-server.env');

  it('lists every variable with its default, in the order of the code', () => {
    expect(parseEnv(text)).to.deep.equal({});
    expect(found(text, /^#([A-Z_]+)=/gm)).to.deep.equal(Object.keys(DEFAULTS));
    expect(parseEnv(text.replace(/^#(?=[A-Z_]+=)/gm, ''))).to.deep.equal(DEFAULTS);
  });

  it('has only lines that systemd, docker, Compose and Node read alike', () => {
    const odd = text.split('\n').filter((line) => !/^(|# .*[^\\]|#[A-Z_]+=[\w./-]*)$/.test(line));
    expect(odd).to.deep.equal([]);
  });
});
