// A folder of releases with a link `current`, as deployments have it; the app in it can be broken and mended.

import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture } from './server.ts';

/** Releases of one app. */
export class Releases {
  readonly folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  #count = 0;

  /** The app's path through the link. */
  get app(): string {
    return join(this.folder, 'current', 'app.mjs');
  }

  /** Makes a release of a fixture and points the link at it. */
  deploy(name: string): void {
    const release = join(this.folder, String(++this.#count));
    mkdirSync(release);
    copyFileSync(fixture(name), join(release, 'app.mjs'));
    symlinkSync(release, join(this.folder, 'next'));
    renameSync(join(this.folder, 'next'), join(this.folder, 'current'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
