import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { losingNothing, reload } from '../helpers/reload.ts';
import { eventually, fixture, launch, MAIN, type Running, remove, serve } from '../helpers/server.ts';

describe('--env-file', () => {
  let place: string;
  let file: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    file = join(place, 'app.env');
  });
  afterEach(() => remove(place));

  const write = (...lines: string[]): void => writeFileSync(file, `${lines.join('\n')}\n`);
  const start = (): Promise<Running> =>
    serve({
      args: [`--env-file=${file}`, fixture('tells-env.js')],
      env: {
        CONTROL_SOCKET: join(place, 'control.sock'),
        DRAIN_TIMEOUT: '2',
        SETTLE_TIME: '0.1',
        ACCESS_LOG: 'false',
        // For the file to say.
        WEB_CONCURRENCY: undefined,
      },
    });
  const ask = async (server: Running, name: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${server.port}/${name}`, { headers: { connection: 'close' } })).text();
  const command = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env.PATH, CONTROL_SOCKET: join(place, 'control.sock') },
    });
  const status = (): Status => JSON.parse(command('status', '--json').stdout);

  it('brings the app what it says, behind the environment itself; the last of several files counts', async () => {
    write('GREETING=hello', 'OWN=file', '# a comment', '', '  PLACE=/srv/a b=c;d', 'EMPTY=');
    const other = join(place, 'other.env');
    writeFileSync(other, 'GREETING=moin\r\nMORE={"a":1}\r\n');
    const server = await serve({
      args: ['start', '--env-file', file, fixture('tells-env.js'), '--env-file', other],
      env: { OWN: 'process', ACCESS_LOG: 'false' },
    });
    const answers = ['GREETING', 'OWN', 'PLACE', 'EMPTY', 'MORE'].map((name) => ask(server, name));
    expect(await Promise.all(answers)).to.deep.equal(['moin', 'process', '/srv/a b=c;d', '', '{"a":1}']);
  });

  it('is what counts where the process has read the same file before, as under systemd', async () => {
    write('GREETING=hello', 'GONE=not yet');
    const env = { GREETING: 'hello', GONE: 'not yet', ACCESS_LOG: 'false', SETTLE_TIME: '0.1' };
    const server = await serve({ args: ['--env-file', file, fixture('tells-env.js')], env });
    write('GREETING=moin');
    await reload(server, 2);
    expect([await ask(server, 'GREETING'), await ask(server, 'GONE')]).to.deep.equal(['moin', 'unset']);
  });

  it('configures us at the start, and a command finds the server by it', async () => {
    write('WEB_CONCURRENCY=1', 'LOG_LEVEL=debug', `CONTROL_SOCKET=${join(place, 'other.sock')}`);
    const server = await serve({
      args: ['--env-file', file],
      env: { ACCESS_LOG: 'false', WEB_CONCURRENCY: undefined },
    });
    expect(server.workers()).to.have.length(1);
    expect(server.log).to.match(/worker 0 .* ready after/);
    const env = { PATH: process.env.PATH };
    const { stdout } = spawnSync(process.execPath, [MAIN, '--env-file', file, 'status', '--json'], { env });
    expect(JSON.parse(String(stdout)).pid).to.equal(server.pid);
  });

  it('is read again by a reload: the app has the new environment, without what is not in it any more', async () => {
    write('GREETING=hello', 'GONE=not yet', 'KEEP_ALIVE_TIMEOUT=7', 'WEB_CONCURRENCY=2');
    const server = await start();
    await losingNothing(server, async () => {
      write('GREETING=good day', 'KEEP_ALIVE_TIMEOUT=9', 'WEB_CONCURRENCY=3', 'LOG_LEVEL=debug');
      const { stdout } = command('reload');
      expect(stdout)
        .to.match(/scaling from 2 to 3 workers\n/)
        .and.match(/reloaded: generation 2 serves\n$/);
    });
    expect(await Promise.all([ask(server, 'GREETING'), ask(server, 'GONE')])).to.deep.equal([
      'good day',
      'unset',
    ]);
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/`);
    expect(headers.get('keep-alive')).to.equal('timeout=9');
    expect(status().wanted).to.equal(3);
    await server.says(/worker 2 \(pid \d+\) ready after/);
    write('WEB_CONCURRENCY=1');
    await reload(server, 3);
    await eventually(() => server.workers().length === 1, 'the fleet is as small as the file says');
  });

  it('leaves the number of workers that somebody has asked for meanwhile', async () => {
    write('WEB_CONCURRENCY=1');
    const server = await start();
    expect(command('scale', '2').status).to.equal(0);
    await reload(server, 2);
    expect(status().wanted).to.equal(2);
  });

  it('says in one warning what a reload cannot change, and goes on as it was', async () => {
    write('GREETING=hello');
    const server = await start();
    write('GREETING=moin', 'HOST=127.0.0.2', 'LOG_FORMAT=json', 'ADMIN_PORT=1');
    await reload(server, 2);
    expect(server.log.match(/.*takes effect with a restart.*\n/g)).to.deep.equal([
      'HOST, LOG_FORMAT, ADMIN_PORT: changed, which takes effect with a restart alone\n',
    ]);
    expect(await ask(server, 'GREETING')).to.equal('moin');
  });

  for (const [what, asked] of [
    ['the command', () => command('reload')],
    ['a signal', (server: Running) => server.signal('SIGHUP')],
  ] as const)
    it(`abandons a reload by ${what} with all errors of a file that is invalid, and nothing has changed`, async () => {
      write('GREETING=hello', 'SECRET=abc');
      const server = await start();
      const before = server.workers();
      write('GREETING=moin', 'SECRET="abc"', 'BOOT_TIMEOUT=soon', 'nothing');
      const ended = asked(server);
      const reason =
        `${file} line 2: expected NAME=value as Node, systemd and Docker read it alike, got quotes in the value of SECRET; ` +
        `${file} line 4: expected NAME=value as Node, systemd and Docker read it alike, got no =; ` +
        'BOOT_TIMEOUT: expected seconds from 0 to 86400, got `soon`\n';
      await eventually(() => server.log.includes(`the old generation goes on: ${reason}`), 'it says why');
      if (ended) expect(ended).to.include({ stderr: `reload abandoned: ${reason}`, status: 1 });
      expect(server.workers()).to.deep.equal(before);
      expect(status()).to.deep.include({ generation: 1, state: 'running' });
      expect(status().totals.reloads).to.deep.equal({ done: 0, abandoned: 1 });
      expect(await ask(server, 'GREETING')).to.equal('hello');
      rmSync(file);
      expect(command('reload').stderr).to.equal(
        `reload abandoned: ${file}: expected an env file, got no such file\n`,
      );
      write('GREETING=good day');
      expect(command('reload').status).to.equal(0);
      expect(await ask(server, 'GREETING')).to.equal('good day');
    });

  it('has a worker that is forked after an abandoned reload find the environment from before', async () => {
    write('GREETING=hello', 'WEB_CONCURRENCY=1');
    const server = await start();
    write('GREETING=moin', 'WEB_CONCURRENCY=1', 'BROKEN=yes', 'LOG_LEVEL=debug');
    expect(command('reload').stderr).to.match(/broken by its environment/);
    const [pid = 0] = server.workers();
    process.kill(pid, 'SIGKILL');
    await server.says(/crashed: SIGKILL/);
    expect(await ask(server, 'GREETING')).to.equal('hello');
    expect(server.log, 'and the level from before').not.to.match(/ready after/);
  });

  it('is that of the generation that a rollback puts back', async () => {
    write('GREETING=hello', 'KEEP_PREVIOUS=60', 'WEB_CONCURRENCY=1');
    const server = await start();
    write('GREETING=moin', 'KEEP_PREVIOUS=60', 'WEB_CONCURRENCY=2');
    await reload(server, 2);
    expect(await ask(server, 'GREETING')).to.equal('moin');
    expect(command('rollback').status).to.equal(0);
    expect(status()).to.include({ generation: 1, wanted: 1 });
    await eventually(() => server.workers().length === 1, 'the old one alone is left');
    process.kill(server.workers()[0] ?? 0, 'SIGKILL');
    await server.says(/crashed: SIGKILL/);
    expect(await ask(server, 'GREETING')).to.equal('hello');
  });

  it('is found anew by each reload where it is reached by a link', async () => {
    for (const release of ['1', '2']) {
      mkdirSync(join(place, release));
      writeFileSync(join(place, release, 'app.env'), `GREETING=release ${release}\n`);
    }
    const flip = (release: string): void => {
      rmSync(join(place, 'current'), { force: true });
      symlinkSync(release, join(place, 'current'));
    };
    flip('1');
    file = join(place, 'current', 'app.env');
    const server = await start();
    expect(await ask(server, 'GREETING')).to.equal('release 1');
    flip('2');
    await reload(server, 2);
    expect(await ask(server, 'GREETING')).to.equal('release 2');
  });

  describe('that cannot be read', () => {
    const refused: readonly (readonly [string, string, () => void])[] = [
      ['is not there', 'no such file', () => {}],
      ['is a folder', 'something that is no file', () => mkdirSync(file)],
      ['is a named pipe', 'something that is no file', () => void execFileSync('mkfifo', [file])],
      ['is too large', 'more than 1 MiB', () => writeFileSync(file, '#'.repeat(2_000_000))],
      ['is no text', 'bytes that are no UTF-8', () => writeFileSync(file, Buffer.from([0x41, 0x3d, 0xff]))],
    ];
    for (const [how, reason, make] of refused)
      it(`is refused in one line when it ${how}`, async () => {
        make();
        // As a shell runs it: Node itself ends where it sees --env-file behind a script's name and there is no such file.
        const { stderr, status: code } = spawnSync(MAIN, ['--env-file', file], {
          encoding: 'utf8',
          timeout: 10_000,
          env: { PATH: `${join(process.execPath, '..')}:${process.env.PATH}`, PORT: '0' },
        });
        expect({ stderr, code }).to.deep.equal({
          stderr: `${file}: expected an env file, got ${reason}\n`,
          code: 78,
        });
      });

    it('is refused together with all that is wrong in the environment', async () => {
      write('PORT=99999', ';', 'export A=1');
      const server = launch({ args: ['--env-file', file], env: { PORT: '', WEB_CONCURRENCY: 'many' } });
      expect(await server.end()).to.deep.equal({ code: 78, signal: null });
      expect(server.log.split('\n').filter((line) => /^\/|^[A-Z_]+:/.test(line))).to.have.length(3);
    });

    it('costs nothing when it happens to a server that runs', async () => {
      // Root may read whatever it likes.
      write('GREETING=hello');
      const server = await start();
      rmSync(file);
      execFileSync('mkfifo', [file]);
      expect(command('reload').stderr).to.match(/got something that is no file/);
      expect(await ask(server, 'GREETING')).to.equal('hello');
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });
  });
});
