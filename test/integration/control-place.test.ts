// The control socket: which server a command reaches, what it survives, and where it is.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, launch, MAIN, remove, serve } from '../helpers/server.ts';

const command = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH, ...env },
  });

describe('the control socket', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(() => remove(place));

  /** Sends bytes to a control socket; resolves with what came back when the connection ends. */
  const send = (path: string, bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = connect(path, () => socket.write(bytes));
      socket.setEncoding('latin1').on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(answer));
    });

  describe('whatever it is sent', () => {
    it('disturbs nothing: odd targets, methods, upgrades, expectations and bytes', async () => {
      const path = join(place, 'control.sock');
      const server = await serve({ env: { CONTROL_SOCKET: path } });
      const workers = server.workers();
      const targets = [
        '//',
        '///',
        '*',
        '//:0/',
        '/%',
        '/status/%zz',
        'http://[',
        'http://%',
        '?',
        '/\\',
        '//[::1',
        '',
      ];
      const heads = [
        ...targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n`),
        ...targets.map((target) => `POST ${target} HTTP/1.1\r\nHost: x\r\n`),
        'POST /scale?workers=%ff%00 HTTP/1.1\r\nHost: x\r\n',
        'POST /scale?workers=1e3&workers=2 HTTP/1.1\r\nHost: x\r\n',
        'CONNECT //:0 HTTP/1.1\r\nHost: x\r\n',
        'OPTIONS * HTTP/1.1\r\nHost: x\r\n',
        'GET /status HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n',
        'GET /status HTTP/1.1\r\nHost: x\r\nExpect: the unexpected\r\n',
        'POST /reload HTTP/1.1\r\nHost: x\r\nHello-Server-Port: 1\r\n',
        'GET /status HTTP/1.1\r\n',
        'garbage\r\n',
        '\u0000\u0001\u0002\r\n',
      ];
      await Promise.all(heads.map((head) => send(path, `${head}\r\n`)));
      for (const head of [
        'POST /reload HTTP/1.1\r\nHost: x\r\nHello-Server-Port: 1\r\n\r\n',
        'GET /status',
      ]) {
        const gone = connect(path, () => gone.write(head, () => gone.destroy()));
        gone.on('error', () => {});
      }
      expect(command({ CONTROL_SOCKET: path }, 'status').status, server.log).to.equal(0);
      expect(server.workers()).to.deep.equal(workers);
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(server.err).to.equal('');
    });
  });

  describe('a command meant for another server', () => {
    it('says whom it found instead, and does nothing', async () => {
      // What root would find at systemd's place: a socket that says nothing of its port.
      const runtime = join(place, 'hello-server');
      mkdirSync(runtime, { mode: 0o700 });
      const server = await serve({ env: { XDG_RUNTIME_DIR: place } });
      const path = join(runtime, `${server.port}.sock`);
      const other = server.port === 65_535 ? 1 : server.port + 1;
      // The place of the other port leads to this server.
      spawnSync('ln', ['-s', path, join(runtime, `${other}.sock`)]);
      for (const name of ['status', 'reload', 'stop']) {
        const { status, stderr, stdout } = command({ XDG_RUNTIME_DIR: place, PORT: String(other) }, name);
        expect(status).to.equal(1);
        expect(stdout).to.equal('');
        expect(stderr).to.match(new RegExp(`^no server on port ${other} answers; looked at .*\n$`));
        expect(stderr).to.include(`is the server on port ${server.port} (pid ${server.pid}), left alone`);
      }
      expect(command({ XDG_RUNTIME_DIR: place, PORT: String(server.port) }, 'status').status).to.equal(0);
      expect(
        await send(path, `POST /stop HTTP/1.1\r\nHost: x\r\nHello-Server-Port: ${other}\r\n\r\n`),
      ).to.match(/^HTTP\/1\.1 409 /);
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    });

    it('is one to another address, where the command has a HOST', async () => {
      const env = { XDG_RUNTIME_DIR: place };
      const server = await serve({ env: { ...env, HOST: '127.0.0.1' } });
      const asked = { ...env, PORT: String(server.port) };
      expect(command({ ...asked, HOST: '127.0.0.1' }, 'status').status).to.equal(0);
      expect(command(asked, 'status').status).to.equal(0);
      const { status, stderr } = command({ ...asked, HOST: '127.0.0.2' }, 'stop');
      expect(status).to.equal(1);
      expect(stderr).to.match(new RegExp(`^no server on port ${server.port} of 127\\.0\\.0\\.2 answers; `));
      expect(stderr).to.include(
        `is the server on port ${server.port} of 127.0.0.1 (pid ${server.pid}), left alone`,
      );
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    });

    it('is none to CONTROL_SOCKET, or in the RuntimeDirectory= of the same unit, whatever the port', async () => {
      const server = await serve({ env: { RUNTIME_DIRECTORY: place } });
      expect(command({ RUNTIME_DIRECTORY: place, PORT: '1' }, 'status').status).to.equal(0);
      expect(command({ CONTROL_SOCKET: join(place, 'control.sock'), PORT: '1' }, 'stop').status).to.equal(0);
      expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    });
  });

  describe('a path that is too long for the kernel', () => {
    it('is exit 1 as CONTROL_SOCKET, for the server and for a command, and leaves no file behind', async () => {
      const path = join(place, 'x'.repeat(108 - place.length - 1));
      const server = launch({ env: { CONTROL_SOCKET: path } });
      expect(await server.end()).to.deep.equal({ code: 1, signal: null });
      expect(server.err).to.equal(
        `CONTROL_SOCKET: cannot use ${path}: expected a path of at most 107 bytes, got 108\n`,
      );
      expect(command({ CONTROL_SOCKET: path }, 'status')).to.include({
        status: 1,
        stderr: 'CONTROL_SOCKET: expected a path of at most 107 bytes, got 108\n',
      });
      expect(spawnSync('ls', [place], { encoding: 'utf8' }).stdout).to.equal('');
    });

    it('is passed over as a default place, said once, and the next place serves both', async () => {
      const long = join(place, 'y'.repeat(100));
      mkdirSync(long);
      const env = { XDG_RUNTIME_DIR: long, TMPDIR: place };
      const server = await serve({ env });
      expect(server.out).to.match(
        /the control socket is not at its usual place: .* at most 107 bytes, got \d+; it is /,
      );
      expect(command({ ...env, PORT: String(server.port) }, 'status').status).to.equal(0);
    });

    it('may be 107 bytes long', async () => {
      const path = join(place, 'z'.repeat(107 - place.length - 1));
      await serve({ env: { CONTROL_SOCKET: path } });
      expect(command({ CONTROL_SOCKET: path }, 'status').status).to.equal(0);
    });
  });

  describe('when somebody deletes it', () => {
    it('is made again, and so is its folder', async () => {
      const env = { XDG_RUNTIME_DIR: place };
      const server = await serve({ env });
      const path = join(place, 'hello-server', `${server.port}.sock`);
      const asked = () => command({ ...env, PORT: String(server.port) }, 'status').status;
      rmSync(path);
      await eventually(() => existsSync(path) && asked() === 0, `a new socket\n${server.log}`);
      rmSync(join(place, 'hello-server'), { recursive: true });
      await eventually(() => existsSync(path) && asked() === 0, `a new folder\n${server.log}`);
      expect(statSync(path).mode & 0o777).to.equal(0o600);
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(existsSync(path)).to.equal(false);
    });

    it('is made again with its folder where CONTROL_SOCKET says', async () => {
      const path = join(place, 'folder', 'control.sock');
      mkdirSync(join(place, 'folder'));
      await serve({ env: { CONTROL_SOCKET: path } });
      rmSync(join(place, 'folder'), { recursive: true });
      await eventually(
        () => existsSync(path) && command({ CONTROL_SOCKET: path }, 'status').status === 0,
        'it is back',
      );
      expect(statSync(join(place, 'folder')).mode & 0o777).to.equal(0o700);
    });

    it('and cannot be made, that is said once, until it can', async () => {
      const path = join(place, 'folder', 'control.sock');
      mkdirSync(join(place, 'folder'));
      const server = await serve({ env: { CONTROL_SOCKET: path } });
      rmSync(join(place, 'folder'), { recursive: true });
      writeFileSync(join(place, 'folder'), 'in the way');
      await server.says(/no control socket, so .*: E\w+: .*\n/);
      rmSync(join(place, 'folder'));
      await eventually(
        () => existsSync(path) && command({ CONTROL_SOCKET: path }, 'status').status === 0,
        'it is back',
      );
      expect(server.out.match(/no control socket/g)).to.have.length(1);
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });

    it('is not taken back from another server that has bound it since', async () => {
      const path = join(place, 'control.sock');
      const first = await serve({ env: { CONTROL_SOCKET: path } });
      rmSync(path);
      const second = await serve({ env: { CONTROL_SOCKET: path } });
      expect(await first.stop()).to.deep.equal({ code: 0, signal: null });
      const { stdout } = command({ CONTROL_SOCKET: path }, 'status', '--json');
      expect(JSON.parse(stdout).pid).to.equal(second.pid);
    });
  });

  it('turns away more clients than it can hold, and serves again when they have gone', async () => {
    const path = join(place, 'control.sock');
    await serve({ env: { CONTROL_SOCKET: path } });
    const script = `for (let i = 0; i < 200; i++) require('node:net').connect(${JSON.stringify(path)}).on('error', () => {});
      setTimeout(() => process.exit(), 4000); console.log('connected')`;
    const crowd = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => crowd.stdout.once('data', resolve));
    crowd.kill('SIGKILL');
    await eventually(() => command({ CONTROL_SOCKET: path }, 'status').status === 0, 'status answers');
  });
});
