// From an empty folder to an Express app under a real systemd, by README.md and docs/systemd.md; several apps by one unit.

import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { Machine } from '../helpers/machine.ts';
import { block, command, commands, page } from '../helpers/manual.ts';
import { KINDS } from '../helpers/meter.ts';
import { losesNothing, nextCommand, ODD, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';

const CLIENTS = KINDS.filter((kind) => kind.thinkMs < 1000);
const README_PORT = 3000;
const UNITS = '/etc/systemd/system';

describe('under systemd, from an empty folder', function () {
  this.timeout(180_000);
  const machine = new Machine();
  /** What the reader of README.md has after the first command, on its port. */
  const reader = new UserProject();
  /** The same app, on the port that its settings say. */
  const project = new UserProject();
  before(async () => {
    await (await reader.isReaders()).installs();
    project.install();
    await machine.boot();
  });
  after(async () => {
    reader.remove();
    project.remove();
    await machine.powerOff();
  });

  /** Runs what the user types in a folder, and fails if it does. */
  const must = (folder: string, line: string): string => {
    const { status, stdout, stderr } = machine.type(line, folder);
    const journal = status === 0 ? '' : machine.run('journalctl', '-n', '30', '--no-pager').stdout;
    expect(status, `${line}\n${stderr}\n${journal}`).to.equal(0);
    return stdout;
  };
  const answer = async (port: number): Promise<string> => (await exchange(port, request('GET', '/'))).body;
  const property = (unit: string, name: string): string =>
    machine.run('systemctl', 'show', unit, '-p', name, '--value').stdout.trim();
  const exposure = (unit: string): number => {
    const { stdout } = machine.run('systemd-analyze', 'security', '--offline=true', '--no-pager', unit);
    return Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
  };
  /** What systemd has against the unit itself. */
  const complaints = (unit: string): string[] => {
    const { stderr } = machine.run('systemd-analyze', 'verify', `${UNITS}/${unit}`);
    return stderr.split('\n').filter((line) => line.includes(unit));
  };
  /** Reloads without waiting here, so that the meter's clients go on. */
  const reload = async (folder: string, line: string): Promise<void> => {
    expect(await machine.typeLater(line, folder)).to.equal(0);
  };
  /** What `sudo systemctl edit shop` leaves behind. */
  const edit = (text: string): void => {
    machine.write(`${UNITS}/shop.service.d/override.conf`, text);
    must('/', 'sudo systemctl daemon-reload');
  };

  describe('a reader of README.md, in /srv/shop', () => {
    const folder = '/srv/shop';
    const [initLine = '', startLine = '', reloadLine = ''] = commands(
      block('README.md#under-pm2-systemd-or-docker:2'),
    );
    before(() => machine.bring(reader.folder, folder));
    after(() =>
      must('/', `systemctl disable --now shop; rm -r ${folder} ${UNITS}/shop.* && systemctl daemon-reload`),
    );

    it('starts the app and reloads it without a loss', async () => {
      const out = must(folder, initLine);
      expect(out).to.include('wrote shop.service, to run ./server.js as shop\n');
      expect(nextCommand(out, 'start it')).to.equal(startLine);
      expect(nextCommand(out, 'reload it')).to.equal(reloadLine);
      must(folder, startLine);
      expect(complaints('shop.service')).to.deep.equal([]);
      expect(await answer(README_PORT)).to.equal('Hello from Express');
      const pid = property('shop', 'MainPID');
      expect(machine.run('cat', `/proc/${pid}/status`).stdout).to.not.match(/^Uid:\t0\t/m);
      await losesNothing(README_PORT, () => reload(folder, reloadLine), CLIENTS);
      expect(property('shop', 'StatusText')).to.match(/generation 2$/);
      expect(property('shop', 'MainPID')).to.equal(pid);
    });

    it('has the exposure that the page says', () => {
      const { stdout } = machine.type('systemd-analyze security --no-pager shop');
      const [, measured] = /exposure level for shop\.service: ([\d.]+)/.exec(stdout) ?? [];
      expect(page('docs/systemd.md')).to.include(`gives it an exposure of ${measured},`);
      expect(exposure('shop.service')).to.be.at.most(1.2);
    });

    it('steers it by the commands of the page', async () => {
      const serving = async (): Promise<void> => {
        expect(await answer(README_PORT)).to.equal('Hello from Express');
        expect(must('/', command('docs/systemd.md', 'systemctl status shop'))).to.match(
          /Status: "running: (\d+) of \1 workers ready, generation 1"/,
        );
      };
      const pid = property('shop', 'MainPID');
      must('/', command('docs/systemd.md', 'sudo systemctl restart shop'));
      await serving();
      expect(property('shop', 'MainPID')).to.not.equal(pid);
      must('/', command('docs/systemd.md', 'sudo systemctl stop shop'));
      expect(property('shop', 'Result')).to.equal('success');
      expect(property('shop', 'ActiveState')).to.equal('inactive');
      must('/', command('docs/systemd.md', 'sudo systemctl start shop'));
      await serving();
      must('/', command('docs/systemd.md', 'sudo systemctl reload shop'));
      expect(property('shop', 'StatusText')).to.match(/generation 2$/);
      expect(
        must(
          folder,
          command(
            'docs/systemd.md',
            'sudo CONTROL_SOCKET=/run/hello-server-shop/control.sock npx hello-server status',
          ),
        ),
      ).to.include(` pid ${property('shop', 'MainPID')}, `);
      expect(
        must(
          folder,
          command(
            'docs/systemd.md',
            'sudo CONTROL_SOCKET=/run/hello-server-shop/control.sock npx hello-server upgrade',
          ),
        ),
      ).to.match(/: generation \d+ serves\n/);
      // It follows the log until it is told to end.
      const { stdout } = machine.type(`timeout 2 ${command('docs/systemd.md', 'journalctl -u shop -f')}`);
      expect(stdout).to.match(/ shop\[\d+\]: .*generation \d+ serves/);
    });

    it('may not steer it without root, and is told so', () => {
      const { status, stderr } = machine.run('runuser', '-u', 'nobody', '--', 'systemctl', 'reload', 'shop');
      expect(status).to.not.equal(0);
      expect(stderr).to.match(/Access denied|authentication required/i);
    });

    it('has its settings in a file that a reload reads again', () => {
      machine.write(`${folder}/shop.env`, 'SHUTDOWN_DELAY=0.5\nSHUTDOWN_TIMEOUT=30\n');
      for (const line of commands(block('docs/systemd.md#settings'))) must(folder, line);
      must(folder, startLine);
      must('/', 'systemctl restart shop');
      expect(property('shop', 'TimeoutStopUSec')).to.equal('38s');
      machine.write(`${folder}/shop.env`, 'WEB_CONCURRENCY=3\n');
      must('/', 'sudo systemctl reload shop');
      expect(property('shop', 'StatusText')).to.match(/of 3 workers ready, .*generation 2$/);
    });

    it('takes up secrets, a folder to write to and a list of clients from the drop-ins of the page', async () => {
      machine.write('/etc/shop-secrets.env', 'SHOP_SECRET=tea\n');
      must('/', 'chmod 600 /etc/shop-secrets.env');
      edit(block('docs/systemd.md#settings:2') + block('docs/systemd.md#what-the-service-may-do'));
      must('/', 'systemctl restart shop');
      const pid = property('shop', 'MainPID');
      expect(must('/', `tr '\\0' '\\n' </proc/${pid}/environ`)).to.match(/^SHOP_SECRET=tea$/m);
      expect(must('/', `nsenter -t ${pid} -m stat -L -c '%F %u' /var/lib/shop`)).to.equal(
        `directory ${must('/', `stat -c %u /proc/${pid}`)}`,
      );
      expect(property('shop', 'IPAddressAllow')).to.equal('127.0.0.1/32');
      expect(await answer(README_PORT)).to.equal('Hello from Express');
    });

    it('has systemd hold a port below 1024, so that a restart refuses nobody', async () => {
      const port = await freePort(80, 900);
      for (const line of commands(block('docs/systemd.md#a-restart-without-a-gap-and-ports-below-1024')))
        must(folder, line.replace('ListenStream=80/', `ListenStream=${port}/`));
      expect(await answer(port)).to.equal('Hello from Express');
      const fresh = CLIENTS.filter((kind) => kind.fresh);
      await losesNothing(port, () => reload(folder, 'sudo systemctl restart shop'), fresh);
      must('/', 'systemctl disable --now shop.socket');
    });
  });

  // Not outside of a group: mocha would run them before the reader's.
  describe('other projects', () => {
    it('an app and a node in a home with an odd name run as the user whose they are', async () => {
      const folder = join('/home/ada', ODD, 'shop');
      const bin = '/home/ada/.node/bin';
      must('/', 'useradd --create-home ada && chmod 700 /home/ada');
      machine.bring(project.folder, folder);
      machine.bring(process.execPath, `${bin}/node`);
      must('/', 'chown -R ada: /home/ada');
      const port = await freePort();
      machine.write(`${folder}/app.env`, `PORT=${port}\n`);
      const [init = '', start = '', again = ''] = commands(block('docs/systemd.md#make-your-app-a-service'));
      must(folder, `SHUTDOWN_TIMEOUT=30 PATH=${bin}:$PATH ${init} --env-file app.env`);

      must(folder, start);
      expect(complaints('shop.service')).to.deep.equal([]);
      expect(await answer(port)).to.equal('Hello from Express');
      expect(property('shop', 'WorkingDirectory')).to.equal(folder);
      expect(property('shop', 'TimeoutStopUSec')).to.equal('37s');
      const pid = property('shop', 'MainPID');
      const uid = must('/', 'id -u ada').trim();
      expect(machine.run('cat', `/proc/${pid}/status`).stdout).to.match(new RegExp(`^Uid:\\t${uid}\\t`, 'm'));
      expect(must('/', `readlink /proc/${pid}/exe`).trim()).to.equal(`${bin}/node`);
      await reload(folder, again);
      expect(property('shop', 'StatusText')).to.match(/generation 2$/);
      must('/', 'systemctl stop shop');
      expect(property('shop', 'Result')).to.equal('success');
    });

    it('several apps run by one template unit, each by its own settings, and one reload is nothing to the other', async () => {
      const ports = { shop: await freePort(), blog: await freePort() };
      for (const name of ['shop', 'blog']) machine.bring(project.folder, `/srv/${name}`);
      // One says its app in its settings, the other in its package.json.
      machine.write('/etc/hello-server/shop.env', `PORT=${ports.shop}\nAPP=./server.js\n`);
      machine.write('/etc/hello-server/blog.env', `PORT=${ports.blog}\n`);
      must('/srv/blog', 'npm pkg set main=server.js');
      const said = must('/srv/shop', block('docs/app.md#several-apps-under-systemd'));
      expect(said).to.include(` pid ${property('hello-server@shop', 'MainPID')}, `);
      for (const port of Object.values(ports)) expect(await answer(port)).to.equal('Hello from Express');
      expect(complaints('hello-server@shop.service')).to.deep.equal([]);
      expect(exposure('hello-server@shop.service')).to.be.at.most(1.2);

      await losesNothing(ports.blog, () => reload('/', 'systemctl reload hello-server@shop'), CLIENTS);
      expect(property('hello-server@shop', 'StatusText')).to.match(/generation 2$/);
      expect(property('hello-server@blog', 'StatusText')).to.match(/generation 1$/);
      must('/', 'systemctl stop hello-server@shop hello-server@blog');
      for (const name of ['shop', 'blog'])
        expect(property(`hello-server@${name}`, 'Result')).to.equal('success');
    });
  });
});
