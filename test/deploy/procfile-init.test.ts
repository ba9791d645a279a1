// From an empty folder to an Express app under a Procfile runner, by what docs/platforms.md has for Heroku; no Heroku.

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block, commands } from '../helpers/manual.ts';
import { losesNothing, nextCommand, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';
import { launch, type Running } from '../helpers/server.ts';

const FOREMAN = createRequire(import.meta.url).resolve('foreman/nf.js');
const KILLED_AFTER_MS = 10_000;

describe('under a Procfile, by hello-server init', function () {
  this.timeout(120_000);
  const project = new UserProject();
  before(() => project.install());
  after(() => project.remove());

  /** Starts what the Procfile of a folder says, on a free port, and expects that the app answers. */
  const start = async (cwd: string): Promise<{ runner: Running; port: number }> => {
    const port = await freePort();
    const runner = launch({ main: FOREMAN, args: ['start'], cwd, env: { PORT: String(port) } });
    await runner.says(/Visit http:\/\/localhost/, 20_000);
    expect((await exchange(port, request('GET', '/'))).body).to.equal('Hello from Express');
    return { runner, port };
  };
  /** No shell stands between the runner and the primary. */
  const primaryOf = ({ pid }: Running): number =>
    Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0]);
  const stops = async (runner: Running): Promise<void> => {
    process.kill(primaryOf(runner), 'SIGTERM');
    expect(await runner.end(KILLED_AFTER_MS)).to.deep.equal({ code: 0, signal: null });
    expect(runner.out).to.match(/Server closed successfully/);
  };

  it('what is pushed runs where it is installed anew, is reloaded without a loss, and stopped', async () => {
    const [init = '', push = '', ...more] = commands(block('docs/platforms.md#heroku'));
    expect(more).to.deep.equal([]);
    const platform = join(project.folder, '..', 'heroku.git');
    const deployed = join(project.folder, '..', 'deployed');
    project.write('.gitignore', 'node_modules\n');
    await project.types(
      [
        'git init -q -b main && git config user.name Ada && git config user.email ada@example.com',
        "git add . && git commit -q -m 'An app'",
        'git init -q --bare -b main ../heroku.git && git remote add heroku ../heroku.git',
      ].join('\n'),
    );

    const out = await project.types(init);
    expect(out).to.include('wrote Procfile, to run ./server.js\n');
    expect(nextCommand(out, 'commit it and deploy')).to.equal(push);
    await project.types(push);

    execFileSync('git', ['clone', '-q', platform, deployed]);
    const install = ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'];
    execFileSync('npm', install, { cwd: deployed, stdio: 'pipe' });
    const { runner, port } = await start(deployed);
    await losesNothing(port, async () => {
      process.kill(primaryOf(runner), 'SIGHUP');
      await runner.says(/reloaded: generation 2 serves/, 30_000);
    });
    await stops(runner);
  });

  it('an app with an odd name is one word to the shell', async () => {
    const server = "it's my server.js";
    project.write(server, project.read('server.js'));
    rmSync(join(project.folder, 'Procfile'), { force: true });
    const { code, out, err } = project.init(['procfile', server]);
    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.include(`wrote Procfile, to run ./${server}\n`);
    await stops((await start(project.folder)).runner);
  });
});
