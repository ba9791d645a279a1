// A deploy by symbolic link: new workers start in what the link names now, with the app and the hello-server of that release.

import { cpSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { Releases } from '../helpers/releases.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, ROOT, type Running, serve } from '../helpers/server.ts';

/** Where a release has its hello-server. */
const OWN = join('node_modules', 'hello-server', 'dist', 'main.js');

/** Makes a release that has its own copy of hello-server installed, and points the link at it; returns its folder. */
function deploy(releases: Releases): string {
  releases.deploy('tells-cwd.js');
  const release = realpathSync(join(releases.folder, 'current'));
  const modules = join(release, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  rmSync(join(modules, 'hello-server'), { force: true });
  mkdirSync(join(modules, 'hello-server'));
  for (const name of ['dist', 'package.json'])
    cpSync(join(ROOT, name), join(modules, 'hello-server', name), { recursive: true });
  symlinkSync(join('..', 'hello-server', 'dist', 'main.js'), join(modules, '.bin', 'hello-server'));
  return release;
}

async function told({ port }: Running): Promise<{ cwd: string; main: string }> {
  return JSON.parse((await exchange(port, request('GET', '/'))).body);
}

describe('a deploy by symbolic link', () => {
  let releases: Releases;
  beforeEach(() => {
    releases = new Releases();
  });
  afterEach(() => releases.remove());

  type Way = (
    current: string,
    release: string,
  ) => { main: string; args: string[]; env: Record<string, string> };
  const ways: Readonly<Record<string, Way>> = {
    'in the link, by the real path of the package, as npx and npm start do': (current, release) => ({
      main: join(release, OWN),
      args: ['app.mjs'],
      env: { PWD: current },
    }),
    'in the link, by node_modules/.bin': (current) => ({
      main: join(current, 'node_modules', '.bin', 'hello-server'),
      args: ['./app.mjs'],
      env: { PWD: current },
    }),
    'without $PWD, by paths through the link, as systemd does': (current) => ({
      main: join(current, OWN),
      args: [join(current, 'app.mjs')],
      env: {},
    }),
  };

  for (const [what, way] of Object.entries(ways)) {
    it(`is taken over by a reload, the first release pruned: started ${what}`, async () => {
      const first = deploy(releases);
      const current = join(releases.folder, 'current');
      const { main, args, env } = way(current, first);
      const server = await serve({ cwd: current, main, args, env: { WEB_CONCURRENCY: '1', ...env } });
      expect(await told(server)).to.deep.equal({ cwd: first, main: join(first, OWN) });
      const second = deploy(releases);
      rmSync(first, { recursive: true });
      await reload(server, 2);
      expect(await told(server)).to.deep.equal({ cwd: second, main: join(second, OWN) });
      for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
      await eventually(
        async () => (await told(server).catch(() => undefined))?.cwd === second,
        'a worker that crashed is respawned',
      );
      expect(server.err).not.to.contain('working directory');
    });
  }

  it('that leaves the link without a release has new workers start in /, said once', async () => {
    const release = deploy(releases);
    const current = join(releases.folder, 'current');
    const moved = join(releases.folder, `moved-${basename(release)}`);
    cpSync(release, moved, { recursive: true });
    const server = await serve({
      cwd: current,
      args: [join(moved, 'app.mjs')],
      env: { PWD: current, WEB_CONCURRENCY: '1' },
    });
    rmSync(current);
    rmSync(release, { recursive: true });
    await reload(server, 2);
    await reload(server, 3);
    expect((await told(server)).cwd).to.equal('/');
    const warning = `the working directory ${current} is gone: new workers start in /\n`;
    expect(server.err + server.out).to.contain(warning);
    expect((server.err + server.out).split(warning)).to.have.length(2);
  });
});
