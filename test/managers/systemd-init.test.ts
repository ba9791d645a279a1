// From an empty folder to an Express app under a real systemd, by what init writes; and several apps by one template unit.

import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { Machine, type Result } from '../helpers/machine.ts';
import { KINDS } from '../helpers/meter.ts';
import { losesNothing, nextCommand, ODD, UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';

const CLIENTS = KINDS.filter((kind) => kind.thinkMs < 1000);
const UNITS = '/etc/systemd/system';

describe('under systemd, by hello-server init', function () {
  this.timeout(180_000);
  const machine = new Machine();
  const project = new UserProject();
  before(async () => {
    project.install();
    await machine.boot();
  });
  after(async () => {
    project.remove();
    await machine.powerOff();
  });

  /** Runs a line of shell as root in a folder of the machine's. */
  const shell = (folder: string, line: string): Result =>
    machine.run('sh', '-c', `cd "$0" && ${line.replaceAll('sudo ', '')}`, folder);
  /** The same, and fails if it does. */
  const must = (folder: string, line: string): string => {
    const { status, stdout, stderr } = shell(folder, line);
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
    expect(await machine.later('sh', '-c', `cd "$0" && ${line.replace('sudo ', '')}`, folder)).to.equal(0);
  };

  it('an Express app is started, reloaded without a loss, and stopped', async () => {
    const folder = join('/srv', ODD, 'shop');
    machine.bring(project.folder, folder);
    const port = await freePort();
    const settings = `PORT=${port} SHUTDOWN_DELAY=0.5 SHUTDOWN_TIMEOUT=30`;
    const out = must(folder, `${settings} npx --no hello-server init systemd`);
    expect(out).to.include('wrote shop.service, to run ./server.js as shop\n');

    must(folder, nextCommand(out, 'start it'));
    expect(complaints('shop.service')).to.deep.equal([]);
    expect(await answer(port)).to.equal('Hello from Express');
    expect(property('shop', 'StatusText')).to.match(/^running: \d+ of \d+ workers ready, generation 1$/);
    expect(property('shop', 'TimeoutStopUSec')).to.equal('38s');
    expect(property('shop', 'WorkingDirectory')).to.equal(folder);
    expect(exposure('shop.service')).to.be.at.most(1.2);

    const pid = property('shop', 'MainPID');
    expect(machine.run('cat', `/proc/${pid}/status`).stdout).to.not.match(/^Uid:\t0\t/m);
    await losesNothing(port, () => reload(folder, nextCommand(out, 'reload it')), CLIENTS);
    expect(property('shop', 'StatusText')).to.match(/generation 2$/);
    expect(property('shop', 'MainPID')).to.equal(pid);

    must(folder, 'systemctl stop shop');
    expect(property('shop', 'Result')).to.equal('success');
  });

  it('an app and a node in a home run as the user whose they are', async () => {
    const folder = '/home/ada/shop';
    const bin = '/home/ada/.node/bin';
    must('/', 'useradd --create-home ada && chmod 700 /home/ada');
    machine.bring(project.folder, folder);
    machine.bring(process.execPath, `${bin}/node`);
    must('/', 'chown -R ada: /home/ada');
    const port = await freePort();
    machine.write(`${folder}/app.env`, `PORT=${port}\n`);
    const init = 'npx --no hello-server init systemd --name ada-shop --env-file app.env';
    const out = must(folder, `PATH=${bin}:$PATH ${init}`);

    must(folder, nextCommand(out, 'start it'));
    expect(complaints('ada-shop.service')).to.deep.equal([]);
    expect(await answer(port)).to.equal('Hello from Express');
    const uid = must('/', 'id -u ada').trim();
    const status = machine.run('cat', `/proc/${property('ada-shop', 'MainPID')}/status`).stdout;
    expect(status).to.match(new RegExp(`^Uid:\\t${uid}\\t`, 'm'));
    expect(must('/', `readlink /proc/${property('ada-shop', 'MainPID')}/exe`).trim()).to.equal(`${bin}/node`);
    await reload(folder, nextCommand(out, 'reload it'));
    expect(property('ada-shop', 'StatusText')).to.match(/generation 2$/);
    must('/', 'systemctl stop ada-shop');
    expect(property('ada-shop', 'Result')).to.equal('success');
  });

  it('several apps run by one template unit, each by its own settings, and one reload is nothing to the other', async () => {
    const ports = { shop: await freePort(), blog: await freePort() };
    for (const name of ['shop', 'blog']) machine.bring(project.folder, `/srv/${name}`);
    // One says its app in its settings, the other in its package.json.
    machine.write('/etc/hello-server/shop.env', `PORT=${ports.shop}\nAPP=./server.js\n`);
    machine.write('/etc/hello-server/blog.env', `PORT=${ports.blog}\n`);
    must('/srv/blog', 'npm pkg set main=server.js');
    must('/srv/shop', `cp node_modules/hello-server/deploy/hello-server@.service ${UNITS}/`);
    must('/', 'systemctl daemon-reload && systemctl enable --now hello-server@shop hello-server@blog');
    for (const port of Object.values(ports)) expect(await answer(port)).to.equal('Hello from Express');
    expect(complaints('hello-server@shop.service')).to.deep.equal([]);
    expect(exposure('hello-server@shop.service')).to.be.at.most(1.2);

    const status = 'CONTROL_SOCKET=/run/hello-server-shop/control.sock npx --no hello-server status';
    expect(must('/srv/shop', status)).to.include(` pid ${property('hello-server@shop', 'MainPID')}, `);
    await losesNothing(ports.blog, () => reload('/', 'systemctl reload hello-server@shop'), CLIENTS);
    expect(property('hello-server@shop', 'StatusText')).to.match(/generation 2$/);
    expect(property('hello-server@blog', 'StatusText')).to.match(/generation 1$/);
    must('/', 'systemctl stop hello-server@shop hello-server@blog');
    for (const name of ['shop', 'blog'])
      expect(property(`hello-server@${name}`, 'Result')).to.equal('success');
  });
});
