// The package as npm packs it, installed in an empty project: its files, its command, its import and its types.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block } from '../helpers/manual.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, ROOT, VERSION } from '../helpers/server.ts';

const NPM_MS = 120_000;
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
/** No network: what npx needs has to be there. */
const OFFLINE = { npm_config_offline: 'true', npm_config_yes: 'true', npm_config_update_notifier: 'false' };

const TYPED = `
const fleet = await startFleet({ app: './server.js', port: 0, workers: 'auto', env: { DRAIN_TIMEOUT: 3 } });
fleet.on('crashed', ({ text, worker, nextMs }) => console.log(text.length + worker, nextMs?.toFixed()));
const { workers }: Status = await fleet.status();
const server: Server = createServer((_req, res) => void res.end('x'), { requestTimeoutMs: 1 }).server;
console.log(workers.length, server.listening, (await fleet.closed).code);
// @ts-expect-error no such option
void startFleet({ wokers: 2 });
// @ts-expect-error no such event
fleet.on('crash', () => {});
`;
const NAMES = `import { createServer, startFleet, type FleetOptions, type Status } from 'hello-server';
import hello from 'hello-server/app';
import type { Server } from 'node:http';
const options: FleetOptions = { workers: 2 };
console.log(options, hello);
`;
const CONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules', '@types')],
  },
};

describe('the packed package', function () {
  this.timeout(NPM_MS);
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-packed-'));
  const project = join(folder, 'shop');
  const installed = join(project, 'node_modules', 'hello-server');
  let files: string[] = [];
  const write = (name: string, text: string): void => writeFileSync(join(project, name), text);

  before(() => {
    const npm = (...args: string[]): string =>
      execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const [packed] = JSON.parse(npm('pack', '--ignore-scripts', '--json', '--pack-destination', folder));
    files = packed.files.map(({ path }: { path: string }) => path);
    mkdirSync(project);
    write('package.json', JSON.stringify({ name: 'shop', version: '1.0.0' }));
    const flags = ['--prefix', project, '--prefer-offline', '--no-audit', '--no-fund', '--silent'];
    npm('install', ...flags, join(folder, packed.filename));
    write('server.js', "require('http').createServer((q, r) => r.end('Tea')).listen(process.env.PORT);\n");
  });
  after(() => rmSync(folder, { recursive: true, maxRetries: 3 }));

  it('has what runs, with its source maps and types, and nothing of its making', () => {
    const top = [...new Set(files.map((path) => path.split('/')[0]))];
    expect(top).to.have.members(['LICENSE', 'README.md', 'deploy', 'dist', 'package.json', 'scripts']);
    expect(files).to.include.members([
      ...['dist/main.js', 'dist/main.js.map', 'dist/worker.js.map', 'dist/page.html'],
      ...['dist/lib/index.js', 'dist/lib/index.d.ts', 'dist/lib/app.d.ts', 'deploy/hello-server.env'],
    ]);
    expect(files.filter((path) => path.startsWith('scripts/'))).to.deep.equal(['scripts/healthcheck.js']);
    expect(
      files.filter((path) => /(?:^|\/)(?:test|bench|src)\/|\.test\.|(?<!\.d)\.ts$/.test(path)),
    ).to.deep.equal([]);
    const { engines, publishConfig } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(engines.node).to.equal('>=20.19');
    expect(publishConfig).to.deep.equal({ access: 'public', provenance: true });
  });

  it('installs no more packages than the two that it names, with theirs, and runs none of their scripts', () => {
    const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
    const scripts = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(
      ([, one]) => one.hasInstallScript,
    );
    expect(scripts).to.deep.equal([]);
    expect(Object.keys(lock.packages[`node_modules/hello-server`].dependencies)).to.have.members([
      'pino',
      'http-terminator',
    ]);
  });

  it('is run by npx without a network, and stops', async () => {
    const port = await freePort();
    const [, line = ''] = block('README.md#run-your-app').trim().split('\n');
    expect(line).to.equal('npx hello-server ./server.js');
    const child = spawn('sh', ['-c', `exec ${line}`], {
      cwd: project,
      env: { ...process.env, ...OFFLINE, PORT: String(port) },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    const ended = once(child, 'close');
    try {
      await eventually(() => out.includes(`Server listening on port ${port}\n`), 'it listens', 20_000);
      expect((await exchange(port, request('GET', '/', 'Connection: close'))).body).to.equal('Tea');
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      await ended;
    }
    expect(out).to.include('Server closed successfully\n');
  });

  it('is not there for npx in a project without it and without a network: npm says so, and nothing runs', () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'package.json'), '{}');
    const env = { ...process.env, ...OFFLINE, npm_config_cache: join(folder, 'cache') };
    const { status, stdout, stderr } = spawnSync('npx', ['hello-server', '--version'], {
      cwd: empty,
      env,
      encoding: 'utf8',
    });
    expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
    expect(stderr).to.include('ENOTCACHED');
  });

  it('is imported and required, says nothing, and its programs print what the page shows', () => {
    for (const [nth, end, shown] of [
      ['', 'mjs', block('docs/package.md#serve-in-a-process-of-your-own:2')],
      [':3', 'cjs', block('docs/package.md#serve-in-a-process-of-your-own:4')],
    ] as const) {
      write(`program.${end}`, block(`docs/package.md#serve-in-a-process-of-your-own${nth}`));
      const { stdout, stderr } = spawnSync(process.execPath, [`program.${end}`], {
        cwd: project,
        encoding: 'utf8',
      });
      expect({ stdout, stderr }).to.deep.equal({ stdout: shown, stderr: '' });
    }
    write('fleet.mjs', block('docs/package.md#run-a-fleet'));
    const { stdout, stderr } = spawnSync(process.execPath, ['fleet.mjs'], { cwd: project, encoding: 'utf8' });
    expect({ stdout, stderr }).to.deep.equal({ stdout: block('docs/package.md#run-a-fleet:2'), stderr: '' });
    write(
      'quiet.cjs',
      "const before = process._getActiveHandles().length; require('hello-server'); console.log(process._getActiveHandles().length - before, Object.keys(require('hello-server')).join());",
    );
    const said = execFileSync(process.execPath, ['quiet.cjs'], { cwd: project, encoding: 'utf8' });
    expect(said).to.equal('0 Fleet,FleetError,createServer,startFleet\n');
  });

  it('has types for modules, for CommonJS and for bundlers', () => {
    const compile = (config: object): string => {
      write('tsconfig.json', JSON.stringify(config));
      const { stdout } = spawnSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', '.'], {
        cwd: project,
        encoding: 'utf8',
      });
      return stdout;
    };
    write('esm.mts', `${NAMES}${TYPED}`);
    write('common.cts', `${NAMES}const main = async () => {${TYPED}};\nvoid main();\n`);
    expect(compile({ ...CONFIG, files: ['esm.mts', 'common.cts'] })).to.equal('');
    const bundler = { ...CONFIG.compilerOptions, module: 'esnext', moduleResolution: 'bundler' };
    expect(compile({ compilerOptions: bundler, files: ['esm.mts'] })).to.equal('');
  });

  it('runs beside another version: each its own files, and a command of one meets the server of the other', async () => {
    const other = join(project, 'packages', 'other', 'node_modules', 'hello-server');
    cpSync(installed, other, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(other, 'package.json'), 'utf8'));
    writeFileSync(join(other, 'package.json'), JSON.stringify({ ...manifest, version: '9.9.9' }));
    const run = (of: string, args: string[], port: number) =>
      spawnSync(process.execPath, ['--', join(of, 'dist', 'main.js'), ...args], {
        cwd: project,
        env: { ...process.env, PORT: String(port) },
        encoding: 'utf8',
      });
    const port = await freePort();
    expect([
      run(installed, ['--version'], port).stdout,
      run(other, ['--version'], port).stdout,
    ]).to.deep.equal([`${VERSION}\n`, '9.9.9\n']);
    const server = spawn(process.execPath, ['--', join(other, 'dist', 'main.js'), './server.js'], {
      cwd: project,
      env: { ...process.env, PORT: String(port), WEB_CONCURRENCY: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(server, 'exit');
    await once(server.stdout, 'data');
    server.stdout.resume();
    expect(JSON.parse(run(installed, ['status', '--json'], port).stdout).version).to.equal('9.9.9');
    expect(run(installed, ['reload'], port).stdout).to.match(/reloaded: generation 2 serves\n$/);
    expect(run(installed, ['stop'], port).status).to.equal(0);
    expect(await ended).to.deep.equal([0, null]);
  });
});
