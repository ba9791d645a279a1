// docs/systemd.md, the service that the repository installs: its commands under a real systemd, and what goes wrong.

import { createServer } from 'node:net';
import { expect } from 'chai';
import { Machine, type Result } from '../helpers/machine.ts';
import { block, command } from '../helpers/manual.ts';
import { KINDS, Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, stays } from '../helpers/server.ts';
import { otherNode, RELAYS } from '../helpers/upgrade.ts';

const INSTALL = command('docs/systemd.md', 'sudo scripts/install-systemd');
const INSTALL_SOCKET = command('docs/systemd.md', 'sudo scripts/install-systemd --socket');
const UNINSTALL = command('docs/systemd.md', 'sudo scripts/install-systemd --uninstall');
const UPGRADE = command('docs/systemd.md', 'cd /opt/hello-server && sudo node dist/main.js upgrade');
const STATUS = command('docs/systemd.md', 'sudo node /opt/hello-server/dist/main.js status');
/** The drop-in that names an app. */
const WITH_APP = block('docs/systemd.md#hello-from-a-clone-of-hello-server');

const PORT = 3000;
const SETTINGS = '/etc/hello-server.env';
const DROP_IN = '/etc/systemd/system/hello-server.service.d/test.conf';
const APP = '/srv/app/app.mjs';

/** Answers with its pid; hangs on /spin, takes memory on /grow, waits on /wait. */
const app = (ready = ''): string => `
import { setTimeout as pause } from 'node:timers/promises';
const kept = [];
function render() { for (;;); }
export const ready = async () => { ${ready} };
export default async (req, res) => {
  if (req.url === '/spin') render();
  if (req.url === '/grow') for (let i = 0; i < 32; i++) { kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); await pause(5); }
  if (req.url === '/wait') await pause(1500);
  if (req.url === '/greeting') return void res.end(process.env.GREETING ?? 'unset');
  res.end(String(process.pid));
};
`;

describe('under systemd', function () {
  this.timeout(120_000);
  const machine = new Machine();
  before(async () => {
    await machine.boot();
  });
  after(() => machine.powerOff());

  const systemctl = (...args: string[]): Result => machine.run('systemctl', ...args);
  /** Sets the service up with an app, settings and lines of its unit; a restart takes them up. */
  const configure = (lines: string[], settings: string[] = [], code = app()): void => {
    machine.write(APP, code);
    machine.run('chmod', '-R', 'a+rX', '/srv/app');
    machine.write(SETTINGS, `${settings.join('\n')}\n`);
    const unit = WITH_APP.replace('/srv/app/current/app.js', APP);
    machine.write(DROP_IN, `${unit}${lines.map((line) => `${line}\n`).join('')}`);
    systemctl('daemon-reload');
    systemctl('reset-failed', 'hello-server');
  };
  const restart = (): void => {
    systemctl('reset-failed', 'hello-server'); // the many starts of these tests are no storm
    const { status, stderr } = systemctl('restart', 'hello-server');
    expect(
      status,
      `${stderr}\n${machine.run('journalctl', '-u', 'hello-server', '-n', '30').stdout}`,
    ).to.equal(0);
  };
  const says = async (cursor: string, pattern: RegExp, ms = 20_000): Promise<void> => {
    const deadline = Date.now() + ms;
    while (!pattern.test(machine.journal(cursor))) {
      if (Date.now() > deadline)
        throw new Error(`expected the journal to say ${pattern}\n${machine.journal(cursor)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const answer = async (path = '/'): Promise<string> => (await exchange(PORT, request('GET', path))).body;
  const allReady = (): Promise<void> =>
    eventually(() => /running: (\d+) of \1 workers/.test(machine.property('StatusText')), 'all are ready');

  // In this order: mocha runs what is outside of any inner group first.
  describe('in operation', () => {
    it('is not installed over settings that the service could not read', () => {
      machine.write(SETTINGS, '');
      machine.run('chmod', '600', SETTINGS);
      const { status, stderr } = machine.type(INSTALL);
      expect(status).to.equal(1);
      expect(stderr).to.match(/^expected \/etc\/hello-server\.env to be readable by all,.*\n$/);
      expect(machine.run('test', '-e', '/opt/hello-server').status).to.equal(1);
      machine.run('rm', SETTINGS);
    });

    it('is installed by one command, which may be run again', async () => {
      const first = machine.type(INSTALL);
      expect(first.status, first.stderr).to.equal(0);
      expect(first.stdout).to.match(/^copying the program to \/opt\/hello-server\n/);
      expect(first.stdout).to.include(`writing ${SETTINGS}, all of it commented out\n`);
      expect(first.stdout).to.match(/Active: active \(running\)/);
      expect(await answer()).to.equal('Hello, World!');
      const again = machine.type(INSTALL);
      expect(again.status, again.stderr).to.equal(0);
      expect(again.stdout).to.include(`keeping your ${SETTINGS}\n`);
      expect(again.stdout).to.match(/^upgrading what runs\n(.*\n)*renewed .*: generation 2 serves\n/m);
      expect(await answer()).to.equal('Hello, World!');
    });

    it('says in the journal and in its status what a user looks for', () => {
      const cursor = machine.cursor();
      restart();
      expect(machine.journal(cursor)).to.match(
        /Server listening on port 3000\nVisit http:\/\/localhost:3000 or use curl -v http:\/\/localhost:3000\n/,
      );
      const { stdout } = systemctl('status', 'hello-server', '--no-pager');
      expect(stdout).to.match(/Status: "running: \d+ of \d+ workers ready, generation 1"/);
      expect(stdout).to.match(/ hello-server\[\d+\]: Server listening on port 3000\n/);
    });

    it('is found by the command line, as root, from anywhere', () => {
      const { stdout, stderr } = machine.type(STATUS, '/');
      expect(stdout, stderr).to.include(` pid ${machine.property('MainPID')}, `);
    });

    it('runs confined, with an exposure of at most 1.2', () => {
      const unit = 'systemd-analyze security --offline=true --no-pager hello-server.service';
      const { stdout, stderr } = machine.type(unit);
      const [, exposure] = /exposure level for hello-server\.service: ([\d.]+)/.exec(stdout) ?? [];
      expect(Number(exposure), stderr).to.be.at.most(1.2);
      const status = machine.run('cat', `/proc/${machine.property('MainPID')}/status`).stdout;
      expect(status).to.match(/^CapEff:\t0+$/m);
      expect(status).to.match(/^NoNewPrivs:\t1$/m);
      expect(status).to.match(/^Seccomp:\t2$/m);
      expect(status).to.not.match(/^Uid:\t0\t/m);
    });

    it('is ready only when the fleet serves', async () => {
      configure([], ['BOOT_TIMEOUT=10'], app('await pause(1500);'));
      systemctl('stop', 'hello-server');
      systemctl('start', '--no-block', 'hello-server');
      await eventually(() => machine.property('ActiveState') === 'activating', 'it is activating');
      await eventually(() => machine.property('ActiveState') === 'active', 'it is active');
      expect(await answer()).to.match(/^\d+$/);
    });

    it('brings a killed worker back', async () => {
      configure([]);
      restart();
      const cursor = machine.cursor();
      const [victim] = machine.workers();
      machine.run('kill', '-9', String(victim));
      await says(
        cursor,
        /worker \d \(pid \d+\) crashed: SIGKILL after .*, (?:killed from outside|out of memory\?), respawning\n/,
      );
      await allReady();
      expect(machine.property('NRestarts')).to.equal('0');
    });

    it('explains a hung worker and replaces it', async () => {
      configure([], ['HANG_TIMEOUT=1']);
      restart();
      const cursor = machine.cursor();
      (await Raw.open(PORT)).send(request('GET', '/spin'));
      await says(cursor, /worker \d hung for 1 s in render \(app\.mjs:4\), holding GET \/spin\n/);
      await allReady();
      expect(machine.property('NRestarts')).to.equal('0');
    });

    it('survives the OOM kill of a worker', async () => {
      configure([], ['WEB_CONCURRENCY=1']);
      restart();
      const cursor = machine.cursor();
      const primary = machine.property('MainPID');
      // The primary too, as it is in one cgroup with its workers: that is the one whose count of kills it reads.
      for (const pid of [Number(primary), ...machine.workers()]) machine.limitMemory(pid, 300 * 1024 * 1024);
      const raw = (await Raw.open(PORT)).send(request('GET', '/grow'));
      await says(
        cursor,
        /crashed: SIGKILL after .*, (?:the kernel killed for memory .*|out of memory\?).*, respawning\n/,
        60_000,
      );
      raw.destroy();
      await allReady();
      expect(machine.property('MainPID')).to.equal(primary);
      expect(machine.property('ActiveState')).to.equal('active');
    });

    it('reload waits for the rolling reload and loses nothing', async () => {
      configure([], ['ACCESS_LOG=false']);
      restart();
      const before = machine.property('MainPID');
      const meter = new Meter(
        PORT,
        KINDS.filter((kind) => kind.thinkMs < 1000),
      );
      await eventually(() => meter.tally.ok > 300, 'load');
      for (let i = 0; i < 3; i++) {
        // Beside this process, so that the meter runs on.
        expect(await machine.later('systemctl', 'reload', 'hello-server')).to.equal(0);
        expect(machine.property('StatusText')).to.match(new RegExp(`generation ${i + 2}$`));
      }
      const { ok, ...lost } = await meter.stop();
      expect(ok).to.be.greaterThan(300);
      expect(lost, JSON.stringify(meter.losses)).to.deep.equal(NOTHING_LOST);
      expect(machine.property('MainPID')).to.equal(before);
    });

    it('is upgraded to another Node and there again, without a loss, and is the same service', async () => {
      // The journal drops what comes too fast, for this test and those after it.
      configure([], ['ACCESS_LOG=false']);
      restart();
      const node = '/usr/local/bin/node-24';
      machine.bring(otherNode(24), node);
      const meter = new Meter(
        PORT,
        KINDS.filter((kind) => kind.thinkMs < 1000),
      );
      await eventually(() => meter.tally.ok > 300, 'load');
      const pids = [machine.property('MainPID')];
      const cursor = machine.cursor();
      // By hand-over from the Node of this test, where that is too old for the relay; then by relay.
      for (const line of [`${UPGRADE} --node ${node}`, UPGRADE, UPGRADE, UPGRADE, UPGRADE]) {
        expect(await machine.typeLater(line), machine.journal(cursor)).to.equal(0);
        await eventually(
          () => /^running: 2 of 2 workers ready, generation \d+$/.test(machine.property('StatusText')),
          `systemd knows it: ${machine.property('StatusText')}`,
        );
        pids.push(machine.property('MainPID'));
      }
      const { ok, ...lost } = await meter.stop();
      expect(ok).to.be.greaterThan(300);
      expect(lost, JSON.stringify(meter.losses)).to.deep.equal(NOTHING_LOST);
      const [first, second, ...rest] = pids;
      expect(first === second, String(pids)).to.equal(RELAYS);
      expect(new Set(rest), String(pids)).to.deep.equal(new Set([second]));
      expect(machine.property('NRestarts')).to.equal('0');
      // The exec is no end of the watchdog, of reloads or of a stop.
      expect(systemctl('reload', 'hello-server').status).to.equal(0);
      const stopped = machine.cursor();
      expect(systemctl('stop', 'hello-server').status).to.equal(0);
      await says(stopped, /^Server closed successfully$/m);
      expect(machine.property('Result')).to.equal('success');
    });

    it('reload takes up what has changed in the settings, and fails visibly with all that is wrong in them', async () => {
      configure([], ['GREETING=hello', 'GONE=soon', 'WEB_CONCURRENCY=2']);
      restart();
      expect(await answer('/greeting')).to.equal('hello');
      machine.write(SETTINGS, 'GREETING=good day\nWEB_CONCURRENCY=1\n');
      expect(systemctl('reload', 'hello-server').status).to.equal(0);
      expect(await answer('/greeting')).to.equal('good day');
      await eventually(() => machine.workers().length === 1, 'as many workers as the file says');
      const cursor = machine.cursor();
      machine.write(SETTINGS, 'GREETING="moin"\nBOOT_TIMEOUT=soon\n');
      expect(systemctl('reload', 'hello-server').status).to.not.equal(0);
      await says(
        cursor,
        /reload abandoned, the old generation goes on: .*GREETING; BOOT_TIMEOUT: expected seconds/,
      );
      expect(machine.property('ActiveState')).to.equal('active');
      expect(await answer('/greeting')).to.equal('good day');
    });

    it('reload fails visibly when it was abandoned, while the old generation goes on', async () => {
      configure([]);
      restart();
      const cursor = machine.cursor();
      const before = machine.workers();
      machine.write(APP, app('throw new Error("no database");'));
      expect(systemctl('reload', 'hello-server').status).to.not.equal(0);
      await says(
        cursor,
        /reload abandoned, the old generation goes on: \/srv\/app\/app\.mjs: ready failed: no database\n/,
      );
      expect(machine.property('ActiveState')).to.equal('active');
      expect(await answer()).to.match(/^\d+$/);
      await eventually(() => String(machine.workers()) === String(before), 'the same workers');
      machine.write(APP, app());
      expect(systemctl('reload', 'hello-server').status).to.equal(0);
    });

    it('a stop answers what is in flight and ends with success', async () => {
      configure([]);
      restart();
      const cursor = machine.cursor();
      const raw = (await Raw.open(PORT)).send(request('GET', '/wait'));
      await eventually(
        () => machine.type(`${STATUS} --json`).stdout.includes('"inFlight": 1'),
        'it is in flight',
      );
      expect(systemctl('stop', '--no-block', 'hello-server').status).to.equal(0);
      expect((await raw.answer()).status).to.equal(200);
      await says(
        cursor,
        /Received SIGTERM, shutting down gracefully\.\.\.\n(.*\n)*Server closed successfully\n/,
      );
      await eventually(() => machine.property('ActiveState') === 'inactive', 'it is inactive');
      expect(machine.property('Result')).to.equal('success');
    });

    it('the watchdog restarts it when the primary itself hangs', async () => {
      configure(['WatchdogSec=2']);
      restart();
      const cursor = machine.cursor();
      const before = machine.property('MainPID');
      await stays(() => machine.property('MainPID') === before, 'it is fed, and the same', 5000);
      machine.run('kill', '-STOP', before);
      await says(cursor, /Watchdog timeout/, 30_000);
      const back = (): boolean =>
        machine.property('ActiveState') === 'active' && machine.property('MainPID') !== before;
      await eventually(back, 'it is back', 40_000);
      expect(await answer()).to.match(/^\d+$/);
    });
  });

  describe('a start that cannot be', () => {
    const failed = (): Promise<void> =>
      eventually(() => machine.property('ActiveState') === 'failed', 'it has failed for good', 40_000);

    it('for a port that is taken: one line a try, at most five tries', async () => {
      systemctl('stop', 'hello-server');
      configure([]);
      const other = createServer();
      await new Promise<void>((resolve) => {
        other.listen(PORT, resolve);
      });
      const cursor = machine.cursor();
      expect(systemctl('start', 'hello-server').status).to.not.equal(0);
      await failed();
      other.close();
      const lines = machine.journal(cursor).match(/^Port 3000 is already in use$/gm) ?? [];
      expect(lines.length).to.be.within(1, 5);
    });

    const cases: [what: string, setUp: () => void, line: RegExp][] = [
      [
        'an app that the service may not read',
        () => void machine.run('chmod', '600', APP),
        /^\/srv\/app\/app\.mjs: expected a module, got not readable$/m,
      ],
      [
        'an app that is not there',
        () => void machine.run('rm', APP),
        /^\/srv\/app\/app\.mjs: expected a module, got no such file$/m,
      ],
      [
        'a setting that is invalid',
        () => machine.write(SETTINGS, 'PORT=80a\n'),
        /^PORT: expected an integer from 0 to 65535, got `80a`$/m,
      ],
    ];
    for (const [what, setUp, line] of cases) {
      it(`for ${what}: one line, and no second try`, async () => {
        configure([]);
        setUp();
        const cursor = machine.cursor();
        expect(systemctl('start', 'hello-server').status).to.not.equal(0);
        await failed();
        expect(machine.journal(cursor)).to.match(line);
        expect(machine.property('NRestarts')).to.equal('0');
        expect(machine.property('ExecMainStatus')).to.equal('78');
      });
    }

    it('for a node that is not there: one line, and no second try', async () => {
      configure([]);
      machine.write(DROP_IN, '[Service]\nExecStart=\nExecStart=/nowhere/node dist/main.js\n');
      systemctl('daemon-reload');
      const cursor = machine.cursor();
      expect(systemctl('start', 'hello-server').status).to.not.equal(0);
      await failed();
      await says(cursor, /status=203\/EXEC/);
      // The line that names it comes from a process so short-lived that journald may not know its unit.
      const journal = machine.run('journalctl', '--no-pager', '-o', 'cat', `--after-cursor=${cursor}`).stdout;
      expect(journal).to.match(/\/nowhere\/node: No such file or directory/);
      expect(machine.property('NRestarts')).to.equal('0');
    });
  });

  describe('with the socket', () => {
    it('is installed by one command, and a restart under load of fresh connections refuses nobody', async () => {
      machine.run('rm', '-f', DROP_IN, SETTINGS);
      const { status, stderr } = machine.type(INSTALL_SOCKET);
      expect(status, stderr).to.equal(0);
      expect(await answer()).to.equal('Hello, World!');
      const meter = new Meter(
        PORT,
        KINDS.filter((kind) => kind.fresh),
      );
      for (let i = 0; i < 3; i++) {
        const before = meter.tally.ok;
        await eventually(() => meter.tally.ok > before + 300, 'load');
        systemctl('reset-failed', 'hello-server');
        expect(await machine.later('systemctl', 'restart', 'hello-server')).to.equal(0);
      }
      const { ok, ...lost } = await meter.stop();
      expect(ok).to.be.greaterThan(900);
      expect(lost, JSON.stringify(meter.losses)).to.deep.equal(NOTHING_LOST);
    });

    it('starts the service with the first connection', async () => {
      systemctl('stop', 'hello-server.service');
      expect(machine.property('ActiveState')).to.equal('inactive');
      expect(await answer()).to.equal('Hello, World!');
      await eventually(() => machine.property('ActiveState') === 'active', 'it is active');
    });

    it('brings its only worker back', async () => {
      machine.write(SETTINGS, 'WEB_CONCURRENCY=1\n');
      restart();
      const cursor = machine.cursor();
      for (let i = 0; i < 2; i++) {
        await allReady();
        machine.run('kill', '-9', String(machine.workers()[0]));
        expect(await answer()).to.equal('Hello, World!');
      }
      await says(cursor, /crashed: SIGKILL(.*\n)*.*crashed: SIGKILL/);
      expect(machine.property('NRestarts')).to.equal('0');
    });
  });

  describe('at last', () => {
    it('is uninstalled by one command, which may be run again', () => {
      for (let i = 0; i < 2; i++) {
        const { status, stderr } = machine.type(UNINSTALL);
        expect(status, stderr).to.equal(0);
      }
      expect(machine.run('ls', '/opt/hello-server').status).to.not.equal(0);
      expect(systemctl('cat', 'hello-server.service').status).to.not.equal(0);
      expect(machine.run('ls', SETTINGS).status).to.equal(0);
    });
  });
});
