// The tables of README.md, and deploy/hello-server.env, against the code.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { DEFAULTS } from '../src/core/config.ts';
import * as codes from '../src/core/exit-codes.ts';
import { rowsBelow } from './helpers/manual.ts';
import { ROOT } from './helpers/server.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const found = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, one = '']) => one)),
];

describe('README.md', () => {
  it('lists the environment as the code reads it', () => {
    const rows = rowsBelow('README.md', 'settings').map(([name, value]) => [
      name,
      value === 'unset' ? '' : value,
    ]);
    expect(rows).to.deep.equal(Object.entries(DEFAULTS));
  });

  it('lists the exit codes of the code', () => {
    const { cutShortBy, ...fixed } = codes;
    const cut = (['SIGINT', 'SIGQUIT', 'SIGTERM'] as const).map(cutShortBy);
    const listed = rowsBelow('README.md', 'exit-codes').map(([code]) => Number(code));
    expect(listed).to.have.members([...Object.values(fixed), ...cut]);
  });

  it('lists the signals that the primary handles', () => {
    const handled = found(read('src/primary/signals.ts'), /'SIG([A-Z0-9]+)'/g);
    expect(handled).to.have.members(['TERM', 'INT', 'QUIT', 'HUP', 'TTIN', 'TTOU', 'USR1', 'USR2']);
    expect(rowsBelow('README.md', 'signals').map(([name]) => name)).to.have.members(handled);
  });

  it('names each dependency with its reason', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'));
    const listed = rowsBelow('README.md', 'requirements-and-dependencies').map(([name]) => name);
    const atRunTime = Object.keys(dependencies);
    expect(listed.slice(0, atRunTime.length)).to.have.members(atRunTime);
    const tools = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/'));
    expect(listed.slice(atRunTime.length)).to.have.members(
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
