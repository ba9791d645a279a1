// docs/pm2.md under the real pm2: what each command does to clients, and what a broken start looks like.

import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { block, command, commands } from '../helpers/manual.ts';
import { Meter } from '../helpers/meter.ts';
import { type Entry, Pm2 } from '../helpers/pm2.ts';
import { type Answer, exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, ROOT } from '../helpers/server.ts';
import { otherNode } from '../helpers/upgrade.ts';

/** The commands of the page, for an app that is called `shop`. */
const START = command('docs/pm2.md', 'pm2 start ecosystem.config.js');
const HUP = command('docs/pm2.md', 'pm2 sendSignal SIGHUP shop');
const RELOAD = command('docs/pm2.md', 'npx hello-server reload');
const SCALE = command('docs/pm2.md', 'npx hello-server scale N');
const UPGRADE = command('docs/pm2.md', 'npx hello-server upgrade');
const STATUS = command('docs/pm2.md', 'npx hello-server status');
const LOGS = command('docs/pm2.md', 'pm2 logs shop');
const STOP = command('docs/pm2.md', 'pm2 stop shop');
const STOP_BY_US = command('docs/pm2.md', 'npx hello-server stop');
const RESTART = command('docs/pm2.md', 'pm2 restart shop');
const RESTART_ANEW = command('docs/pm2.md', 'pm2 restart ecosystem.config.js');
const PM2_RELOAD = command('docs/pm2.md', 'pm2 reload shop');
const DELETE = command('docs/pm2.md', 'pm2 delete shop');
const KILL = command('docs/pm2.md', 'pm2 kill');
const RUNTIME = command('docs/pm2.md', 'pm2-runtime start ecosystem.config.js');
const PM2_SCALE = command('docs/pm2.md', 'pm2 scale shop 2');
const CLUSTER = command('docs/pm2.md', 'pm2 start node_modules/hello-server/dist/main.js -i 2');
const SAVE = command('docs/pm2.md', 'pm2 save');
const RESURRECT = command('docs/pm2.md', 'pm2 resurrect');

/** Longer than the 1600 ms after which pm2 kills what has no kill_timeout of its own. */
const SLOW_MS = 2500;
/** Nothing may change for so long: more than pm2's first delay before it starts an app again. */
const QUIET_MS = 3000;
/** The meter's clients have asked often enough for a reload to hit them. */
const WARM = 500;
const RELOADS = 3;
const UPGRADES = 5;

const SEED = (port: number): string =>
  `Server listening on port ${port}\nVisit http://localhost:${port} or use curl -v http://localhost:${port}\n`;
const FAREWELL = 'Received SIGINT, shutting down gracefully...\nServer closed successfully\n';
const REQUEST_LINES = /^\d{4}-\d\d-\d\dT[\d:.]{12}Z - [A-Z]+ \/.*\n/gm;

describe('under pm2', () => {
  let pm2: Pm2;

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${pm2.story}\n`);
    await pm2.end();
  });

  /** A request that is being answered, on a connection that a worker has. */
  async function inFlight(): Promise<{ answer: () => Promise<Answer> }> {
    const raw = await Raw.open(pm2.port);
    await raw.send(request('GET', '/?ms=0')).answer();
    raw.send(request('GET', `/?ms=${SLOW_MS}`));
    return { answer: () => raw.answer(SLOW_MS + 5000) };
  }

  /** That request was answered although the fleet was draining. */
  function expectDrained(answer: Answer): void {
    expect(answer).to.include({ status: 200, body: `waited ${SLOW_MS}` });
    expect(answer.headers).to.include({ connection: 'close' });
  }

  /** pm2 asked the primary alone, and it ended by itself, with 0. */
  function expectCleanEnd(): void {
    expect(pm2.out.replaceAll(REQUEST_LINES, '')).to.contain(FAREWELL);
    expect(pm2.err).to.equal('');
    expect(pm2.daemon)
      .to.match(/exited with code \[0\]/)
      .and.match(/process tree killed \(1 pids\)/)
      .and.not.match(/SIGKILL/);
  }

  /** Fails when the entries stop to be as they are to be before QUIET_MS have passed. */
  async function staysSo(expected: (entries: readonly Entry[]) => void): Promise<void> {
    for (const deadline = Date.now() + QUIET_MS; Date.now() < deadline; ) expected(await pm2.entries());
  }

  const answers = async (): Promise<void> => {
    expect((await exchange(pm2.port, request('GET', '/'))).body).to.equal('Hello, World!');
  };

  const errLines = (): string[] => pm2.err.split('\n').slice(0, -1);

  it('what the page begins with starts and reloads the app of a project, and keeps a file that is there', async () => {
    pm2 = await Pm2.open();
    const [init = '', start = '', reload = ''] = commands(block('docs/pm2.md#start-and-reload-your-app'));
    const kept = await pm2.type(init);
    expect([kept.code, kept.err]).to.match(/^1,ecosystem\.config\.js is there already: --force /);
    rmSync(join(pm2.shop, 'ecosystem.config.js'));
    expect(await pm2.type(init)).to.include({ code: 0, err: '' });
    expect(await pm2.type(start)).to.include({ code: 0 });
    await answers();
    expect((await pm2.type(reload)).out).to.match(/^reloaded: generation 2 serves$/m);
  });

  describe('pm2 start', () => {
    it('returns when the fleet serves, with its two lines in the log and no other', async () => {
      pm2 = await Pm2.open();
      expect((await pm2.type(START)).code).to.equal(0);
      await answers();
      expect(await pm2.entry()).to.include({ status: 'online', restarts: 0 });
      await pm2.says(/ - GET \/\n/);
      expect(pm2.out.replaceAll(REQUEST_LINES, '')).to.equal(SEED(pm2.port));
      expect(pm2.err).to.equal('');
    });

    it('waits for an app that is slow to be ready, `launching` until then', async () => {
      pm2 = await Pm2.open();
      const file = join(pm2.folder, 'boot');
      // The daemon first: two commands at once would start two.
      await pm2.type('pm2 ping');
      const told = pm2.otherFile({ args: [fixture('boots-when-told.js')] });
      const start = pm2.type(`pm2 start ${told}`, { BOOTS_WHEN: file });
      let returned = false;
      void start.then(() => {
        returned = true;
      });
      await eventually(async () => (await pm2.entries()).length > 0, 'pm2 to have the app');
      await staysSo((entries) => expect(entries.map(({ status }) => status)).to.deep.equal(['launching']));
      expect(returned).to.equal(false);
      expect(pm2.out).to.equal('');
      writeFileSync(file, '');
      expect((await start).code).to.equal(0);
      expect((await exchange(pm2.port, request('GET', '/'))).body).to.equal('told');
      expect(await pm2.entry()).to.include({ status: 'online' });
    });

    it('leaves the fleet the time that its settings ask for', async () => {
      pm2 = await Pm2.open({ BOOT_TIMEOUT: '60', SHUTDOWN_DELAY: '1.5', SHUTDOWN_TIMEOUT: '20' });
      await pm2.type(START);
      const long = await pm2.entry();
      expect(long.listenTimeoutMs).to.be.above(60_000);
      expect(long.killTimeoutMs).to.be.above(21_500);
      const others = { BOOT_TIMEOUT: '0', SHUTDOWN_DELAY: '', SHUTDOWN_TIMEOUT: '' };
      await pm2.type(RESTART_ANEW, others);
      const short = await pm2.entry();
      expect(short.listenTimeoutMs).to.be.above(3_600_000);
      expect(short.killTimeoutMs).to.be.within(8001, 15_000);
      expectCleanEnd();
    });

    it('comes back as it was after pm2 save, pm2 kill and pm2 resurrect', async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      await pm2.type(SAVE);
      await pm2.type(KILL);
      expect(pm2.apps()).to.deep.equal([]);
      expectCleanEnd();
      await pm2.type(RESURRECT);
      await answers();
      expect(await pm2.entry()).to.include({ status: 'online' });
    });
  });

  describe('while a request is in flight', () => {
    for (const line of [STOP, RESTART, PM2_RELOAD, DELETE, KILL]) {
      it(`${line} answers it and leaves no process behind`, async () => {
        pm2 = await Pm2.open();
        await pm2.startWith({ args: [fixture('wait.js')] });
        expect(pm2.apps()).to.have.lengthOf.at.least(3);
        const old = [...pm2.processes()].filter(([, line]) => !line.includes('God Daemon'));
        const slow = await inFlight();
        const [done, answer] = await Promise.all([pm2.type(line), slow.answer()]);
        expect(done.code).to.equal(0);
        expectDrained(answer);
        expectCleanEnd();
        expect([...pm2.processes().keys()]).to.not.include.members(old.map(([pid]) => pid));
        if (line === RESTART || line === PM2_RELOAD) {
          expect(await pm2.entry()).to.include({ status: 'online', restarts: 1 });
          expect((await exchange(pm2.port, request('GET', '/'))).body).to.equal('waited 0');
          return;
        }
        expect((await pm2.entries()).map(({ status }) => status)).to.deep.equal(
          line === STOP ? ['stopped'] : [],
        );
        expect(pm2.apps()).to.deep.equal([]);
      });
    }

    it('Ctrl-C of pm2-runtime answers it and leaves no process behind', async () => {
      pm2 = await Pm2.open();
      const file = pm2.otherFile({ args: [fixture('wait.js')] });
      const runtime = pm2.start(`exec ${RUNTIME}`.replace('ecosystem.config.js', file));
      let out = '';
      runtime.stdout?.on('data', (chunk) => {
        out += chunk;
      });
      await eventually(() => /Visit http/.test(out), 'pm2-runtime to show the log of a fleet that serves');
      const slow = await inFlight();
      const ended = once(runtime, 'close');
      pm2.ctrlC(runtime);
      expectDrained(await slow.answer());
      expect(await ended).to.deep.equal([0, null]);
      expect(out)
        .to.contain('Server closed successfully')
        .and.match(/exited with code \[0\]/)
        .and.not.match(/SIGKILL/);
      expect([...pm2.processes().values()]).to.deep.equal([]);
    });
  });

  describe('under load', () => {
    let meter: Meter | undefined;

    afterEach(async () => {
      await meter?.stop();
      meter = undefined;
    });

    const warm = async (counting: Meter): Promise<void> => {
      const enough = counting.tally.ok + WARM;
      await eventually(() => counting.tally.ok > enough, `${WARM} more requests to be answered`);
    };

    /** The meter's account of some reloads: how many requests were lost, and of how many. */
    async function measure(
      reload: (generation: number) => Promise<void>,
      times = RELOADS,
    ): Promise<{ lost: number; of: number }> {
      const counting = new Meter(pm2.port);
      meter = counting;
      await warm(counting);
      for (let i = 0; i < times; i++) {
        await reload(i + 2);
        await warm(counting);
      }
      const tally = await counting.stop();
      return { lost: counting.lost, of: counting.lost + tally.ok };
    }

    const told = (how: string, { lost, of }: { lost: number; of: number }, times = RELOADS): void => {
      process.stdout.write(`      ${times} × ${how}: ${lost} of ${of} requests lost\n`);
    };

    it(`${HUP} is the rolling reload and loses none`, async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      const account = await measure(async (generation) => {
        expect((await pm2.type(HUP)).code).to.equal(0);
        await pm2.says(new RegExp(`^reloaded: generation ${generation} serves`, 'm'));
      });
      told(HUP, account);
      expect(account.lost, JSON.stringify(meter?.losses)).to.equal(0);
      expect(await pm2.entry()).to.include({ status: 'online', restarts: 0 });
    });

    it('hello-server reload takes up what the env file says now', async () => {
      pm2 = await Pm2.open();
      const file = join(pm2.folder, 'app.env');
      writeFileSync(file, 'GREETING=hello\n');
      await pm2.startWith({ args: ['--env-file', file, fixture('tells-env.js')] });
      const greeting = async (): Promise<string> =>
        (await exchange(pm2.port, request('GET', '/GREETING'))).body;
      expect(await greeting()).to.equal('hello');
      writeFileSync(file, 'GREETING=good day\n');
      expect(await pm2.type(RELOAD)).to.include({ code: 0 });
      expect(await greeting()).to.equal('good day');
      writeFileSync(file, 'GREETING="moin"\n');
      expect((await pm2.type(RELOAD)).err).to.match(
        /^reload abandoned: .* quotes in the value of GREETING\n$/,
      );
      expect(await greeting()).to.equal('good day');
    });

    it('hello-server reload is the rolling reload and loses none', async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      const account = await measure(async (generation) => {
        const { code, out } = await pm2.type(RELOAD);
        expect(code).to.equal(0);
        expect(out).to.match(new RegExp(`^reloaded: generation ${generation} serves$`, 'm'));
      });
      told(RELOAD, account);
      expect(account.lost, JSON.stringify(meter?.losses)).to.equal(0);
      expect(await pm2.entry()).to.include({ status: 'online', restarts: 0 });
    });

    it('hello-server upgrade renews the primary in its process, and loses none', async () => {
      pm2 = await Pm2.open();
      await pm2.startWith({ interpreter: otherNode(24) });
      const { pid } = await pm2.entry();
      const account = await measure(async () => {
        const { code, out } = await pm2.type(UPGRADE);
        expect(code, out).to.equal(0);
        expect(out).to.match(/^renewed hello-server \S+ on Node v24\.\S+: generation \d+ serves$/m);
      }, UPGRADES);
      told(UPGRADE, account, UPGRADES);
      expect(account.lost, JSON.stringify(meter?.losses)).to.equal(0);
      expect(await pm2.entry()).to.include({ pid, status: 'online', restarts: 0 });
      // It goes on as pm2's: its log, its commands.
      expect((await pm2.type(HUP)).code).to.equal(0);
      await pm2.says(/^reloaded: generation \d+ serves/m);
      await pm2.type(STOP);
      await pm2.says(/^Server closed successfully$/m);
      expect([...pm2.processes().values()].filter((line) => line.includes('main.js'))).to.deep.equal([]);
    });

    it('hello-server upgrade is refused on a Node that cannot exchange the program of a process', async () => {
      pm2 = await Pm2.open();
      await pm2.startWith({ interpreter: otherNode(20) });
      const { pid } = await pm2.entry();
      const { code, err } = await pm2.type(UPGRADE);
      expect(code).to.equal(1);
      expect(err).to.match(/^upgrade abandoned: pm2 would take the end of this process for a crash, .*\n$/);
      expect(await pm2.entry()).to.include({ pid, status: 'online', restarts: 0 });
    });

    it('pm2 reload is a restart, and what comes in its gap is lost', async () => {
      pm2 = await Pm2.open({ LOG_FORMAT: 'json' });
      await pm2.type(START);
      const account = await measure(async () => {
        expect((await pm2.type(PM2_RELOAD)).code).to.equal(0);
      });
      const times = (msg: RegExp): number[] =>
        pm2.out
          .split('\n')
          .filter((line) => msg.test(line))
          .map((line) => Date.parse(JSON.parse(line).time));
      const began = times(/"msg":"Received SIGINT/);
      const ended = times(/"msg":"Server listening/).slice(1);
      const gaps = began.map((at, i) => (ended[i] ?? Number.NaN) - at);
      told(PM2_RELOAD, account);
      process.stdout.write(`      gaps: ${gaps.join(', ')} ms\n`);
      expect(account.lost).to.be.above(0);
      expect(await pm2.entry()).to.include({ status: 'online', restarts: RELOADS });
      expect(pm2.err).to.equal('');
    });

    it('hello-server scale changes the number of workers and loses none', async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      const account = await measure(async (workers) => {
        expect((await pm2.type(SCALE.replace('N', String(workers)))).code).to.equal(0);
      });
      expect(account.lost, JSON.stringify(meter?.losses)).to.equal(0);
      const { out } = await pm2.type(`${STATUS} --json`);
      expect(JSON.parse(out)).to.include({ wanted: RELOADS + 1, state: 'running' });
    });

    it('pm2 scale starts a second server, which finds the port taken and disturbs nobody', async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      const counting = new Meter(pm2.port);
      meter = counting;
      await pm2.type(PM2_SCALE);
      await eventually(() => errLines().length >= 2, 'two tries of the second server');
      await warm(counting);
      await counting.stop();
      expect(counting.lost, JSON.stringify(counting.losses)).to.equal(0);
      expect(new Set(errLines())).to.deep.equal(new Set([`Port ${pm2.port} is already in use`]));
      await pm2.type('pm2 delete 1');
      expect((await pm2.entry()).status).to.equal('online');
      await answers();
    });

    it('the log arrives line by line, in text', async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      const account = await measure(async () => {});
      await pm2.type(STOP);
      expect(pm2.out.replaceAll(REQUEST_LINES, '')).to.equal(SEED(pm2.port) + FAREWELL);
      expect(pm2.out.match(REQUEST_LINES)).to.have.lengthOf(account.of);
    });

    it('the log arrives line by line, in json', async () => {
      pm2 = await Pm2.open({ LOG_FORMAT: 'json' });
      await pm2.type(START);
      const account = await measure(async () => {});
      await pm2.type(STOP);
      const said = pm2.out
        .split('\n')
        .slice(0, -1)
        .map((line): unknown => JSON.parse(line).msg);
      expect(said.filter((msg) => msg !== 'request').join('\n')).to.equal(
        (SEED(pm2.port) + FAREWELL).trimEnd(),
      );
      expect(said.filter((msg) => msg === 'request')).to.have.lengthOf(account.of);
    });
  });

  it('hello-server stop stops it for good', async () => {
    pm2 = await Pm2.open();
    await pm2.type(START);
    expect((await pm2.type(STOP_BY_US)).code).to.equal(0);
    await staysSo(([entry]) => expect(entry).to.include({ pid: 0, restarts: 0, exitCode: 0 }));
    expect(pm2.apps()).to.deep.equal([]);
    await pm2.type('pm2 start shop');
    await answers();
  });

  describe('settings', () => {
    const wanted = async (): Promise<number> => JSON.parse((await pm2.type(`${STATUS} --json`)).out).wanted;

    it('of the environment stay as they are in a restart, unless the file is named', async () => {
      pm2 = await Pm2.open();
      await pm2.type(START);
      await pm2.type(RESTART, { WEB_CONCURRENCY: '3' });
      expect(await wanted()).to.equal(2);
      await pm2.type(RESTART_ANEW, { WEB_CONCURRENCY: '3' });
      expect(await wanted()).to.equal(3);
      await pm2.type(START, { WEB_CONCURRENCY: '1', BOOT_TIMEOUT: '60' });
      expect(await wanted()).to.equal(1);
      expect((await pm2.entry()).listenTimeoutMs).to.be.above(60_000);
    });

    it('are where the page shows them in the file that init writes, and come before the environment', async () => {
      pm2 = await Pm2.open();
      const envFile = join(pm2.shop, 'app.env');
      writeFileSync(envFile, 'WEB_CONCURRENCY=2\nBOOT_TIMEOUT=40\n');
      const [init = ''] = commands(block('docs/pm2.md#settings'));
      expect(await pm2.type(init, { PORT: '', CONTROL_SOCKET: '' })).to.include({ code: 0 });
      const written = readFileSync(join(pm2.shop, 'ecosystem.config.js'), 'utf8').split('\n');
      expect(written).to.include.members(block('docs/pm2.md#settings:2').trimEnd().split('\n'));
      await pm2.type(START, { WEB_CONCURRENCY: '1' });
      expect(await wanted()).to.equal(4);
      expect((await pm2.entry()).listenTimeoutMs).to.be.within(40_001, 50_000);
      // A reload reads that file again.
      writeFileSync(envFile, 'KEEP_PREVIOUS=60\n');
      expect(await pm2.type(HUP)).to.include({ code: 0 });
      await pm2.says(/^reloaded: generation 2 serves/m);
      expect(await pm2.type('npx hello-server rollback')).to.include({ code: 0 });
    });
  });

  it('the file of the repository itself starts Hello, in a clone', async () => {
    pm2 = await Pm2.open({}, ROOT);
    const [start = '', reload = '', end = ''] = commands(
      block('docs/pm2.md#hello-from-a-clone-of-hello-server'),
    );
    expect(await pm2.type(start)).to.include({ code: 0 });
    await answers();
    await pm2.says(/ - GET \/\n/);
    expect(pm2.out.replaceAll(REQUEST_LINES, '')).to.equal(SEED(pm2.port));
    expect(await pm2.type(reload)).to.include({ code: 0 });
    expect((await pm2.entry()).restarts).to.equal(0);
    expect(await pm2.type(end)).to.include({ code: 0 });
    expectCleanEnd();
    expect(await pm2.entries()).to.deep.equal([]);
  });

  describe('a start that cannot be', () => {
    it('in the cluster mode of pm2 is refused, where pm2 logs shows it, and not tried again', async () => {
      const refusal = 'hello-server forks its own workers: use exec_mode fork';
      pm2 = await Pm2.open();
      await pm2.type(CLUSTER);
      await eventually(
        async () => (await pm2.entries()).every(({ status }) => status === 'stopped'),
        'both processes to be refused',
      );
      await staysSo((entries) => {
        expect(entries).to.have.lengthOf(2);
        for (const entry of entries)
          expect(entry).to.include({ pid: 0, status: 'stopped', restarts: 0, exitCode: 78 });
      });
      expect(errLines()).to.deep.equal([refusal, refusal]);
      expect(
        (await pm2.type(`${LOGS.replace('shop', 'main')} --nostream`)).out.split(refusal),
      ).to.have.lengthOf(3);
      expect(pm2.daemon).to.not.match(/SIGKILL/);
      expect(pm2.apps()).to.deep.equal([]);
    });

    const BROKEN = [
      { what: 'an app that is not there', args: ['./nope.js'], says: 'expected a module, got no such file' },
      { what: 'a folder for an app', args: ['./node_modules'], says: 'expected a module, got a folder' },
      {
        what: 'an invalid setting',
        env: { WEB_CONCURRENCY: 'many' },
        says: 'WEB_CONCURRENCY: expected auto or',
      },
    ];
    for (const { what, args = [], env = {}, says } of BROKEN) {
      it(`with ${what} says so in one line and is not tried again`, async () => {
        pm2 = await Pm2.open(env);
        await pm2.startWith({ args });
        await staysSo(([entry]) => {
          expect(entry).to.include({ pid: 0, restarts: 0, exitCode: 78 });
          expect(entry?.status).to.not.equal('online');
        });
        expect(errLines()).to.have.lengthOf(1);
        expect((await pm2.type(`${LOGS} --nostream`)).out).to.contain(says);
        expect(pm2.apps()).to.deep.equal([]);
      });
    }

    it('with an app that may not be read says so in one line and is not tried again', async () => {
      pm2 = await Pm2.open();
      const app = join(pm2.folder, 'secret.js');
      writeFileSync(app, '', { mode: 0 });
      // Root may read everything: then somebody else is to run it.
      chmodSync(pm2.folder, 0o755);
      const uid = process.getuid?.() === 0 ? { uid: 'nobody' } : {};
      await pm2.startWith({ args: [app], ...uid });
      await staysSo(([entry]) => expect(entry).to.include({ pid: 0, restarts: 0, exitCode: 78 }));
      expect(errLines()).to.deep.equal([`${app}: expected a module, got not readable`]);
      expect((await pm2.type(`${LOGS} --nostream`)).out).to.contain('got not readable');
    });

    it('with an app that fails to load says why and is tried again after a while', async () => {
      pm2 = await Pm2.open();
      await pm2.startWith({ args: [fixture('broken/throws.js')] });
      await eventually(async () => (await pm2.entry()).restarts >= 2, 'two more tries');
      expect((await pm2.type(`${LOGS} --nostream`)).out).to.contain('throws.js');
      expectPauses(1000, 1500);
    });

    it('with its port taken says so in one line, is tried again after growing pauses, and serves when it is free', async () => {
      pm2 = await Pm2.open();
      const other = createServer().listen(pm2.port);
      await once(other, 'listening');
      await pm2.type(START);
      await eventually(async () => (await pm2.entry()).restarts >= 3, 'three more tries', 20_000);
      expectPauses(1000, 1500, 2250);
      other.close();
      await once(other, 'close');
      await eventually(() => pm2.out.includes(SEED(pm2.port)), 'it to serve', 20_000);
      await answers();
      const taken = `Port ${pm2.port} is already in use`;
      expect(errLines()).to.deep.equal(errLines().map(() => taken));
      expect(errLines()).to.have.lengthOf((await pm2.entry()).restarts);
      expect((await pm2.type(`${LOGS} --nostream`)).out).to.contain(taken);
    });

    function expectPauses(...expected: readonly number[]): void {
      const pauses = [...pm2.daemon.matchAll(/will restart in (\d+)ms/g)].map(([, ms]) => Number(ms));
      expect(pauses.slice(0, expected.length)).to.deep.equal(expected);
    }
  });
});
