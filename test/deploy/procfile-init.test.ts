// From an empty folder to an Express app under a Procfile runner, by what init writes.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { losesNothing, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';
import { launch } from '../helpers/server.ts';

const FOREMAN = createRequire(import.meta.url).resolve('foreman/nf.js');
const KILLED_AFTER_MS = 10_000;

describe('under a Procfile, by hello-server init', function () {
  this.timeout(120_000);
  const project = new UserProject();
  after(() => project.remove());

  it('an Express app is started, reloaded without a loss, and stopped', async () => {
    project.install("it's my server.js");
    const { code, out, err } = project.init(['procfile', "it's my server.js"]);
    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.include("wrote Procfile, to run ./it's my server.js\n");

    const port = await freePort();
    const runner = launch({
      main: FOREMAN,
      args: ['start'],
      cwd: project.folder,
      env: { PORT: String(port) },
    });
    await runner.says(/Visit http:\/\/localhost/, 20_000);
    expect((await exchange(port, request('GET', '/'))).body).to.equal('Hello from Express');
    // No shell stands between the runner and the primary.
    const [primary = 0] = readFileSync(`/proc/${runner.pid}/task/${runner.pid}/children`, 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number);
    await losesNothing(port, async () => {
      process.kill(primary, 'SIGHUP');
      await runner.says(/reloaded: generation 2 serves/, 30_000);
    });
    process.kill(primary, 'SIGTERM');
    expect(await runner.end(KILLED_AFTER_MS)).to.deep.equal({ code: 0, signal: null });
    expect(runner.out).to.match(/Server closed successfully/);
  });
});
