// From an empty folder to an Express app under the real pm2, by README.md alone; and by what init writes in odd cases.

import { expect } from 'chai';
import { block, commands } from '../helpers/manual.ts';
import { Pm2 } from '../helpers/pm2.ts';
import { losesNothing, nextCommand, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';

const README_PORT = 3000;

describe('under pm2, from an empty folder', function () {
  this.timeout(180_000);
  let project: UserProject;
  let pm2: Pm2 | undefined;

  beforeEach(() => {
    project = new UserProject();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${pm2?.story}\n`);
    await pm2?.end();
    pm2 = undefined;
    project.remove();
  });

  const answer = async (port: number): Promise<string> => (await exchange(port, request('GET', '/'))).body;

  it('an Express app is started and reloaded without a loss by the commands of README.md', async () => {
    await project.isReaders();
    await project.installs();
    const opened = await Pm2.open({ PORT: '', CONTROL_SOCKET: '', WEB_CONCURRENCY: '' }, project.folder);
    pm2 = opened;
    const [init = '', start = '', reload = '', ...more] = commands(
      block('README.md#under-pm2-systemd-or-docker'),
    );
    expect(more).to.deep.equal([]);

    const written = await opened.type(init);
    expect([written.code, written.err]).to.deep.equal([0, '']);
    expect(written.out).to.include('wrote ecosystem.config.js, to run ./server.js as shop\n');
    expect(nextCommand(written.out, 'start it')).to.equal(start);
    expect(await opened.type(start)).to.include({ code: 0 });
    expect(await answer(README_PORT)).to.equal('Hello from Express');
    expect(await opened.entry()).to.include({ status: 'online', restarts: 0 });

    await losesNothing(README_PORT, async () => {
      const reloaded = await opened.type(reload);
      expect([reloaded.code, reloaded.err]).to.deep.equal([0, '']);
      expect(reloaded.out).to.match(/^reloaded: generation 2 serves$/m);
    });
    expect(opened.err).to.equal('');
  });

  it('an app in a package of ES modules, with an odd name and its settings in a file, is started, reloaded and stopped', async () => {
    const server = "it's my server.cjs";
    project.write('package.json', '{ "type": "module" }');
    project.install(server);
    const opened = await Pm2.open({}, project.folder);
    pm2 = opened;
    project.write('my settings.env', 'SHUTDOWN_DELAY=1.5\nBOOT_TIMEOUT=60\n');
    const { out, err } = project.init(['pm2', server, '--env-file', 'my settings.env']);
    expect(err).to.equal('');
    expect(out).to.include(`wrote ecosystem.config.js, to run ./${server} as shop\n`);

    expect(await opened.type(nextCommand(out, 'start it'))).to.include({ code: 0 });
    expect(await answer(opened.port)).to.equal('Hello from Express');
    const entry = await opened.entry();
    expect(entry).to.include({ status: 'online', restarts: 0 });
    expect(entry.killTimeoutMs).to.be.within(9501, 15_000);
    expect(entry.listenTimeoutMs).to.be.above(60_000);

    await losesNothing(opened.port, async () => {
      expect(await opened.type(nextCommand(out, 'reload it'))).to.include({ code: 0 });
      await opened.says(/^reloaded: generation 2 serves/m, 30_000);
    });
    expect(await opened.type('pm2 stop shop')).to.include({ code: 0 });
    expect(opened.out).to.match(/^Server closed successfully$/m);
    expect(opened.err).to.equal('');
    expect(opened.apps()).to.deep.equal([]);
  });
});
