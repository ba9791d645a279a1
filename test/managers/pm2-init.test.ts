// From an empty folder to an Express app under the real pm2, by what init writes.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Pm2 } from '../helpers/pm2.ts';
import { losesNothing, nextCommand, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';

/** A package of each kind, with the name that its server has to have there, as it is written in CommonJS. */
const PACKAGES = [
  ['CommonJS', 'server.js', {}],
  ['ES modules', 'server.cjs', { type: 'module' }],
] as const;

describe('under pm2, by hello-server init', function () {
  this.timeout(180_000);
  let project: UserProject;
  let pm2: Pm2 | undefined;

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${pm2?.story}\n`);
    await pm2?.end();
    pm2 = undefined;
    project.remove();
  });

  for (const [modules, server, manifest] of PACKAGES) {
    it(`an Express app in a package of ${modules} is started, reloaded without a loss, and stopped`, async () => {
      project = new UserProject();
      writeFileSync(join(project.folder, 'package.json'), JSON.stringify(manifest));
      project.install(server);
      // Another PORT in the environment of pm2's user: the file's own comes first.
      const opened = await Pm2.open({ PORT: '1' }, project.folder);
      pm2 = opened;
      const port = String(opened.port);

      const { out, err } = project.init(['pm2'], { PORT: port, SHUTDOWN_DELAY: '1.5', BOOT_TIMEOUT: '60' });
      expect(err).to.equal('');
      expect(out).to.include(`wrote ecosystem.config.js, to run ./${server} as shop\n`);
      const run = (what: string) => opened.run(...nextCommand(out, what).split(' ').slice(1));

      expect(await run('start it')).to.include({ code: 0 });
      expect((await exchange(opened.port, request('GET', '/'))).body).to.equal('Hello from Express');
      const entry = await opened.entry();
      expect(entry).to.include({ status: 'online', restarts: 0 });
      expect(entry.killTimeoutMs).to.be.within(9501, 15_000);
      expect(entry.listenTimeoutMs).to.be.above(60_000);

      await losesNothing(opened.port, async () => {
        expect(await run('reload it')).to.include({ code: 0 });
        await opened.says(/^reloaded: generation 2 serves/m, 30_000);
      });
      expect(await opened.run('stop', 'shop')).to.include({ code: 0 });
      expect(opened.out).to.match(/^Server closed successfully$/m);
      expect(opened.err).to.equal('');
      expect(opened.apps()).to.deep.equal([]);
    });
  }
});
