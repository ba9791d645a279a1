// What docs/systemd.md says to somebody without root.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { page } from '../helpers/manual.ts';
import { ROOT } from '../helpers/server.ts';

const NOBODY = 65_534;

describe('docs/systemd.md, without root', () => {
  // Where another user may not look into the folder of this repository.
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  after(() => rmSync(folder, { recursive: true }));

  it('scripts/install-systemd says in one line that it needs root, and does nothing', () => {
    mkdirSync(join(folder, 'scripts'));
    cpSync(join(ROOT, 'scripts/install-systemd'), join(folder, 'scripts/install-systemd'));
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const options = { cwd: folder, encoding: 'utf8', ...user } as const;
    const [, said] = /Without root it says `([^`]+)`/.exec(page('docs/systemd.md')) ?? [];
    for (const args of [[], ['--socket'], ['--uninstall']]) {
      const { status, stdout, stderr } = spawnSync('scripts/install-systemd', args, options);
      expect([status, stdout, stderr]).to.deep.equal([1, '', `${said}\n`]);
    }
  });
});
