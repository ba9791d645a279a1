import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fixture, launch, MAIN, ROOT, serve, VERSION } from '../helpers/server.ts';

const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 15_000,
    env: { PATH: process.env.PATH, PORT: '0', ...env },
  });

describe('start', () => {
  it('says its two lines once, when every worker listens, and nothing else', async () => {
    const server = await serve({ env: { WEB_CONCURRENCY: '3' } });
    expect(server.workers()).to.have.length(3);
    await server.stop();
    expect(server.err).to.equal('');
    expect(server.out).to.equal(
      `Server listening on port ${server.port}\n` +
        `Visit http://localhost:${server.port} or use curl -v http://localhost:${server.port}\n` +
        'Received SIGTERM, shutting down gracefully...\nServer closed successfully\n',
    );
  });

  it('says the same in json, one pino line each', async () => {
    const server = await serve({ env: { LOG_FORMAT: 'json' } });
    await fetch(`http://127.0.0.1:${server.port}/path?query`, { headers: { 'User-Agent': 'a "test"' } });
    await server.stop();
    const lines = server.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.msg)).to.deep.equal(
      [
        `Server listening on port ${server.port}`,
        `Visit http://localhost:${server.port} or use curl -v http://localhost:${server.port}`,
        'Received SIGTERM, shutting down gracefully...',
        'request',
        'Server closed successfully',
      ].sort((a, b) => lines.findIndex((line) => line.msg === a) - lines.findIndex((line) => line.msg === b)),
    );
    for (const line of lines) {
      expect(line).to.include({ level: 'info' }).and.not.have.property('hostname');
      expect(line.time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(line.pid).to.be.a('number');
    }
    const request = lines.find((line) => line.msg === 'request');
    expect(request.req).to.include({
      method: 'GET',
      url: '/path?query',
      userAgent: 'a "test"',
      remoteAddress: '::ffff:127.0.0.1',
    });
    expect(request.res).to.deep.equal({ statusCode: 200 });
    expect(request).to.include({ generation: 1 });
    expect(request.responseTime).to.be.a('number');
    expect(request.worker).to.be.oneOf([0, 1]);
  });

  for (const host of ['', '127.0.0.1']) {
    it(`says once that the port is taken${host && ' on HOST'}, and exits with 1`, async () => {
      const other = createServer().listen(host ? { port: 0, host } : { port: 0 });
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const server = launch({ env: { PORT: String(port), HOST: host, WEB_CONCURRENCY: '4' } });
      const exit = await server.end();
      other.close();
      expect(server.err).to.equal(`Port ${port} is already in use\n`);
      expect(server.out).to.equal('');
      expect(exit).to.deep.equal({ code: 1, signal: null });
    });
  }

  for (const port of ['0', '8099']) {
    it(`says in one line that it cannot bind HOST, PORT=${port}, and exits with 1`, () => {
      const { stderr, status } = run([], { PORT: port, HOST: '192.0.2.1' });
      expect(stderr).to.match(/^Cannot listen on 192\.0\.2\.1, port \d+: .*EADDRNOTAVAIL.*\n$/);
      expect(status).to.equal(1);
    });
  }

  it('says that it may not bind the port, and exits with 1', () => {
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const limit = execFileSync('cat', ['/proc/sys/net/ipv4/ip_unprivileged_port_start'], {
      encoding: 'utf8',
    }).trim();
    const env = { PATH: process.env.PATH, PORT: '81' };
    const { stderr, status } = spawnSync(process.execPath, [readableCopy(), 'start'], {
      encoding: 'utf8',
      env,
      cwd: '/',
      ...asNobody,
    });
    expect(Number(limit), 'ports below are privileged').to.be.greaterThan(81);
    expect(stderr).to.equal('Permission denied - cannot bind to port 81\n');
    expect(status).to.equal(1);
  });

  it('reports every bad variable at once, and exits with 78', () => {
    const { stderr, stdout, status } = run([], {
      PORT: '80a',
      WEB_CONCURRENCY: '0',
      REQUEST_TIMEOUT: '-1',
      LOG_FORMAT: 'xml',
    });
    expect(stderr).to.equal(
      'PORT: expected an integer from 0 to 65535, got `80a`\n' +
        'WEB_CONCURRENCY: expected auto or an integer from 1 to 512, got `0`\n' +
        'REQUEST_TIMEOUT: expected seconds from 0 to 86400, got `-1`\n' +
        'LOG_FORMAT: expected one of text, json, got `xml`\n',
    );
    expect(stdout).to.equal('');
    expect(status).to.equal(78);
  });

  it('takes an app by its name alone, after `start` too', async () => {
    for (const args of [['pid.js'], ['start', './pid.js']]) {
      const server = await serve({ args, cwd: fixture('') });
      const pid = Number(await (await fetch(`http://127.0.0.1:${server.port}/health`)).text());
      expect(server.workers()).to.include(pid);
      await server.stop();
    }
  });

  it('passes on what the app prints, by whole lines', async () => {
    const server = await serve({ args: [fixture('chatty.js')], env: { WEB_CONCURRENCY: '1' } });
    await server.stop();
    expect(server.out.split('\n')).to.include.members(['said on stdout', 'no newline']);
    expect(server.err).to.equal('said on stderr\n');
  });
});

describe('an app that cannot be used', () => {
  const missing = [
    ['./missing.js', './missing.js: expected a module, got no such file\n'],
    ['.', '.: expected a module, got a folder\n'],
  ] as const;
  for (const [app, line] of missing) {
    it(`is named in one line with the reason: ${app}, exit 78`, () => {
      const { stderr, status } = run([app]);
      expect(stderr).to.equal(line);
      expect(status).to.equal(78);
    });
  }

  const broken: [name: string, line: RegExp][] = [
    [
      'no-function.js',
      /^\S+no-function\.js: expected a default export \(req, res\) => \.\.\., got a number\n$/,
    ],
    ['syntax.js', /^\S+syntax\.js:\d+: does not parse: Unexpected end of input\n( {4}.*\n)+$/],
    [
      'throws.js',
      /^\S+throws\.js: thrown at import\n {4}Error: thrown at import\n {8}at \S+throws\.js:1:7\n( {8}at .*\n)*$/,
    ],
    ['rejects.js', /^\S+rejects\.js: ready failed: no database\n( {4}.*\n)+$/],
    [
      'exits.js',
      /^worker \d exited with 3 before it was ready: process\.exit called at test\/fixtures\/broken\/exits\.js:1\n$/,
    ],
    ['never-ready.js', /^worker \d was not ready within 1 s\n$/],
  ];
  for (const [name, line] of broken) {
    it(`is named once with the reason, without a respawn: ${name}, exit 1`, () => {
      const { stderr, stdout, status } = run([fixture(`broken/${name}`)], {
        BOOT_TIMEOUT: '1',
        WEB_CONCURRENCY: '3',
      });
      expect(stderr).to.match(line);
      expect(stdout).to.equal('');
      expect(status).to.equal(1);
    });
  }
});

describe('a duration above an hour', () => {
  it('is taken, with one warning that names the unit', async () => {
    const server = await serve({ env: { KEEP_ALIVE_TIMEOUT: '65000', WEB_CONCURRENCY: '1' } });
    await server.stop();
    const lines = (server.out + server.err).split('\n').filter((line) => line.includes('KEEP_ALIVE_TIMEOUT'));
    expect(lines).to.deep.equal([
      'KEEP_ALIVE_TIMEOUT: 65000 is 65000 seconds, about 18 hours; durations are seconds',
    ]);
  });
});

describe('the command line', () => {
  it('answers --help and --version', () => {
    expect(run(['--help']).stdout).to.match(/^Usage: hello-server/);
    expect(run(['--version'])).to.include({ stdout: `${VERSION}\n`, status: 0 });
  });

  for (const args of [['--port'], ['a.js', 'b.js']]) {
    it(`names what it did not expect, exit 2: ${args.join(' ')}`, () => {
      const { stderr, status } = run(args);
      expect(stderr).to.match(new RegExp(`^expected .*, got \`${args.join(' ')}\`\n$`));
      expect(status).to.equal(2);
    });
  }

  it('says how to build when there is no dist/', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    const { stderr, status } = spawnSync('npm', ['start', '--silent'], { cwd: folder, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(stderr.trim().split('\n').at(-1)).to.equal('not built: run npm ci');
    expect(status).to.equal(1);
  });
});

/** A copy of the program that any user may read. */
function readableCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  execFileSync('chmod', ['755', folder]);
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readModules()) {
    cpSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  }
  symlinkSync(join(folder, 'dist'), join(folder, 'current'));
  return join(folder, 'current', 'main.js');
}

function readModules(): string[] {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => path.includes('node_modules/'))
    .map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
}
