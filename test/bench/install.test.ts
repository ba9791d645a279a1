// scripts/build-bench: the packages of bench/ are installed where they are missing, and whoever waits is told so.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../helpers/server.ts';

/** In place of npm and npx: it notes what it is asked for, and an install leaves what npm leaves. */
const FAKE = `#!/bin/sh
echo "$(basename "$0") $*" >> asked
if [ "$1" = ci ]; then mkdir -p bench/node_modules && touch bench/node_modules/.package-lock.json; fi
mkdir -p build/bench
`;
const INSTALL = 'npm ci --prefix bench --ignore-scripts --no-audit --no-fund --loglevel=error';
const BUILD = ['npm run --silent build:tests', 'npx tsc -p bench'];

describe('the packages of bench/', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-build-bench-'));
  after(() => rmSync(folder, { recursive: true }));
  const lock = join(folder, 'bench', 'package-lock.json');

  before(() => {
    for (const name of ['scripts', 'bench', 'commands']) mkdirSync(join(folder, name));
    cpSync(join(ROOT, 'scripts', 'build-bench'), join(folder, 'scripts', 'build-bench'));
    writeFileSync(lock, '{}');
    utimesSync(lock, 1000, 1000);
    for (const name of ['npm', 'npx']) {
      writeFileSync(join(folder, 'commands', name), FAKE);
      chmodSync(join(folder, 'commands', name), 0o755);
    }
  });

  /** Runs the script; what it said, and the commands it ran. */
  function build(): { readonly said: string; readonly asked: string[] } {
    const asked = join(folder, 'asked');
    writeFileSync(asked, '');
    const { status, stdout, stderr } = spawnSync(join(folder, 'scripts', 'build-bench'), {
      env: { ...process.env, PATH: `${join(folder, 'commands')}${delimiter}${process.env.PATH}` },
      encoding: 'utf8',
    });
    expect(status, stderr).to.equal(0);
    return { said: stdout + stderr, asked: readFileSync(asked, 'utf8').trim().split('\n') };
  }

  it('are installed when they are missing, which one line says', () => {
    const { said, asked } = build();
    expect(said).to.match(/^installing the packages of bench\/package\.json[^\n]*\n$/);
    expect(asked).to.deep.equal([INSTALL, ...BUILD]);
  });

  it('are left as they are when they are there, without a word', () => {
    expect(build()).to.deep.equal({ said: '', asked: BUILD });
  });

  it('are installed anew when the lockfile has changed since', () => {
    const later = Date.now() / 1000 + 1000;
    utimesSync(lock, later, later);
    expect(build().asked).to.deep.equal([INSTALL, ...BUILD]);
  });
});
