// From an empty folder to an Express app under the real pm2, by what init writes.

import { expect } from 'chai';
import { Pm2 } from '../helpers/pm2.ts';
import { losesNothing, nextCommand, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';

const SETTINGS = { SHUTDOWN_DELAY: '1.5', BOOT_TIMEOUT: '60' };
/** A package of each kind, with the name that its server, written in CommonJS, has there; and where its settings are. */
const PACKAGES = [
  ['CommonJS', {}, 'server.js', 'the environment'],
  ['ES modules', { type: 'module' }, "it's my server.cjs", 'a file'],
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

  for (const [modules, manifest, server, place] of PACKAGES) {
    it(`an Express app in a package of ${modules}, set up in ${place}, is started, reloaded without a loss, and stopped`, async () => {
      project = new UserProject();
      project.write('package.json', JSON.stringify(manifest));
      project.install(server);
      const ofFile = place === 'a file';
      // Where the file of pm2 has a PORT it comes before that in the environment of pm2's user.
      const opened = await Pm2.open(ofFile ? {} : { PORT: '1' }, project.folder);
      pm2 = opened;

      const lines = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}\n`);
      project.write('my settings.env', lines.join(''));
      const { out, err } = ofFile
        ? project.init(['pm2', server, '--env-file', 'my settings.env'])
        : project.init(['pm2'], { ...SETTINGS, PORT: String(opened.port) });
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
