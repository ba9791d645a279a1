// From an empty folder to an Express app that is reloaded without a loss, by the commands of README.md, "Run your app".

import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block, exchanges } from '../helpers/manual.ts';
import { losesNothing, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';

/** An install of packages over the network, and a start. */
const INSTALL_MS = 60_000;

describe('README.md, in the folder of an app', function () {
  this.timeout(2 * INSTALL_MS);
  const project = new UserProject();
  after(() => project.remove());

  it('installs hello-server, serves the app as it is, shows it, reloads it without a loss, and stops it', async () => {
    await project.isReaders();
    const env = { PORT: String(await freePort()) };
    const server = project.starts(block('README.md#run-your-app'), env);
    await server.says(/^Visit http:\/\/localhost/m, INSTALL_MS);
    expect((await exchange(server.port, request('GET', '/'))).body).to.equal('Hello from Express');

    const [status, reload, stop, ...more] = exchanges(block('README.md#run-your-app:2'));
    expect(more).to.deep.equal([]);
    expect(await project.types(status?.command ?? '', env)).to.match(
      /^hello-server \S+ running on port \d+.* \d+ of \d+ workers ready/,
    );
    await losesNothing(server.port, async () => {
      const said = await project.types(reload?.command ?? '', env);
      expect(said).to.match(/^reloaded: generation 2 serves$/m);
    });
    await project.types(stop?.command ?? '', env);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.match(/^Server closed successfully$/m);
  });
});
