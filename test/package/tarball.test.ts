// The package as npm packs it: what is in it, and that it runs, is imported, required and type-checked where it is installed.

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block } from '../helpers/manual.ts';
import { exchange, request } from '../helpers/raw.ts';
import { launch, ROOT, type Running, VERSION } from '../helpers/server.ts';

const NPM_MS = 120_000;
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
/** Another version of hello-server, newer than any. */
const OTHER = '99.9.9';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end. */
const run = (
  cwd: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Said> =>
  new Promise((resolve) => {
    const { PATH, HOME } = process.env;
    const options = { cwd, env: { PATH, HOME, ...env }, encoding: 'utf8', timeout: NPM_MS } as const;
    execFile(command, args, options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
  });

const answerOf = async (port: number): Promise<string> => (await exchange(port, request('GET', '/'))).body;

/** The files of the package. */
const EXPECTED = [
  'LICENSE',
  'README.md',
  'package.json',
  ...[
    'grafana-dashboard.json',
    'haproxy.cfg',
    'hello-server.env',
    'hello-server.socket',
    'hello-server@.service',
    'kubernetes.yaml',
    'prometheus-alerts.yaml',
    'prometheus.yaml',
  ].map((name) => `deploy/${name}`),
  ...[
    'commands',
    'development',
    'hang-probe',
    'heap-probe',
    'init',
    'main',
    'primary',
    'profile-probe',
    'worker',
  ].flatMap((name) => [`dist/${name}.js`, `dist/${name}.js.map`]),
  'dist/package.json',
  'dist/page.html',
  'dist/prometheus.js',
  ...['app', 'index'].flatMap((name) =>
    ['d.mts', 'd.ts', 'js', 'js.map', 'mjs'].map((end) => `dist/lib/${name}.${end}`),
  ),
  'dist/lib/package.json',
  'scripts/healthcheck.js',
  'scripts/prepare.js',
];

describe('the package', function () {
  this.timeout(2 * NPM_MS);
  const top = mkdtempSync(join(tmpdir(), 'hello-server-package-'));
  const project = join(top, 'shop');
  const installed = join(project, 'node_modules', 'hello-server');
  let tarball = '';
  let files: string[] = [];
  const server = (line: string, env: Readonly<Record<string, string>> = {}, cwd = project): Running =>
    launch({ line: `exec ${line}`, cwd, detached: true, env: { ...env, NODE_OPTIONS: undefined } });

  before(() => {
    mkdirSync(project);
    // The key of a proxy, as somebody may have it there: it must not get into what is published.
    const key = join(ROOT, 'deploy', `tls.test-${process.pid}.key`);
    writeFileSync(key, '');
    try {
      const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', top];
      const [packed] = JSON.parse(
        execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8', timeout: NPM_MS }),
      );
      tarball = join(top, packed.filename);
      files = packed.files.map(({ path }: { path: string }) => path);
    } finally {
      rmSync(key);
    }
    const text = { name: 'shop', version: '1.0.0', type: 'module' };
    writeFileSync(join(project, 'package.json'), JSON.stringify(text));
    writeFileSync(
      join(project, 'server.js'),
      "export default (req, res) => res.end('Hello from the shop');\n",
    );
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], {
      cwd: project,
      stdio: 'pipe',
      timeout: NPM_MS,
    });
  });
  after(() => rmSync(top, { recursive: true, force: true, maxRetries: 3 }));

  it('holds what runs, its types and maps, and nothing else', () => {
    const isType = (name: string): boolean => /^dist\/lib\/\w+\/[\w-]+\.d\.ts$/.test(name);
    expect(files.filter((name) => !isType(name))).to.have.members(EXPECTED);
    expect(files.filter(isType)).to.include.members([
      'dist/lib/fleet/fleet.d.ts',
      'dist/lib/http/service.d.ts',
    ]);
  });

  it('says what npm wants to know: where it runs, how it is published', () => {
    const { engines, publishConfig, keywords, bin, license, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(installed, 'package.json'), 'utf8'),
    );
    expect({ engines, publishConfig, bin, license }).to.deep.equal({
      engines: { node: '>=20.19' },
      publishConfig: { access: 'public', provenance: true },
      bin: { 'hello-server': 'dist/main.js' },
      license: 'MIT',
    });
    expect(keywords).to.include('process-manager');
    expect(peerDependenciesMeta).to.deep.equal({ '@types/node': { optional: true } });
  });

  it('is run by npx, with a network and without one', async () => {
    for (const env of [{}, { npm_config_offline: 'true' }] as const) {
      const shop = await server('npx hello-server ./server.js', env).serving();
      expect(await answerOf(shop.port)).to.equal('Hello from the shop');
      shop.interrupt();
      await shop.end();
      expect(shop.out).to.include('Server closed successfully\n');
    }
  });

  it('is not to be had by npx without a network where it is not installed: npm says so', async () => {
    const bare = join(top, 'bare');
    mkdirSync(bare);
    const env = { npm_config_cache: join(top, 'cache') };
    const { code, err } = await run(bare, 'npx', ['--yes', '--offline', 'hello-server', './server.js'], env);
    expect(code).to.equal(1);
    expect(err).to.include('npm error code ENOTCACHED');
  });

  it('installs what it needs anew in its own folder, where there is no compiler', async () => {
    const copy = join(top, 'copy');
    mkdirSync(copy);
    execFileSync('tar', ['xzf', tarball, '-C', copy, '--strip-components=1']);
    const args = ['install', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'];
    expect(await run(copy, 'npm', args)).to.deep.include({ code: 0 });
    expect((await run(copy, 'node', ['dist/main.js', '--version'])).out).to.equal(`${VERSION}\n`);
  });

  it('is imported and required alike, without a warning, and does nothing by that', async () => {
    // Listeners of the process and globals, before and after; a timer or a socket would keep the program from its end.
    const before = 'const before = [process.eventNames(), Object.keys(globalThis)];';
    const look = `const after = [process.eventNames(), Object.keys(globalThis)];
      const names = Object.keys(it).filter((name) => !['default', 'module.exports', '__esModule'].includes(name)).sort();
      console.log(JSON.stringify([names, typeof app.default, typeof app.ready, typeof app.options, before, after]));`;
    writeFileSync(
      join(project, 'imports.mjs'),
      `${before} const it = await import('hello-server'); const app = await import('hello-server/app'); ${look}`,
    );
    writeFileSync(
      join(project, 'requires.cjs'),
      `${before} const it = require('hello-server'); const app = require('hello-server/app'); ${look}`,
    );
    writeFileSync(
      join(project, 'both.mjs'),
      `import { createRequire } from 'node:module';
       import { FleetError, createServer } from 'hello-server';
       const again = createRequire(import.meta.url)('hello-server');
       console.log(again.FleetError === FleetError && again.createServer === createServer);`,
    );
    const said = await Promise.all(
      ['imports.mjs', 'requires.cjs'].map((file) => run(project, 'node', ['--trace-warnings', file])),
    );
    for (const { code, out, err } of said) {
      expect({ code, err }).to.deep.equal({ code: 0, err: '' });
      const [names, hello, ready, options, ...sides] = JSON.parse(out);
      expect(names).to.deep.equal(['FleetError', 'createServer', 'startFleet']);
      expect([hello, ready, options]).to.deep.equal(['function', 'function', 'object']);
      expect(sides[1]).to.deep.equal(sides[0]);
    }
    expect(await run(project, 'node', ['both.mjs'])).to.deep.equal({ code: 0, out: 'true\n', err: '' });
    const hidden = await run(project, 'node', ['-e', "require('hello-server/dist/lib/index.js')"]);
    expect(hidden.err).to.include('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('has types that are found from both kinds of modules, and the programs that they let through run', async () => {
    const types = join(project, 'node_modules', '@types');
    mkdirSync(types, { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', '@types', 'node'), join(types, 'node'));
    const body = `
const { server } = createServer((_req, res) => res.end('hi'), { requestTimeoutMs: 1000 });
server.listen(0).close();
// @ts-expect-error a text is no number of workers
const wrong: FleetOptions = { workers: '2' };
const options: FleetOptions = { app: './server.js', port: 0, workers: 1, stdio: 'ignore', env: { DRAIN_TIMEOUT: 1 } };
async function main(): Promise<void> {
  const fleet: Fleet = await startFleet(options);
  fleet.on('reloaded', ({ generation, tookMs }) => console.log(generation, typeof tookMs));
  fleet.on('closed', ({ code }: Exit) => console.log('closed', code));
  // @ts-expect-error there is no such event
  fleet.on('nothing', () => {});
  await fleet.reload({ force: true });
  const { wanted }: Status = await fleet.status();
  console.log(wanted, typeof wrong, typeof hello, typeof fleet[Symbol.asyncDispose]);
  await fleet.stop();
}
main().catch((error: unknown) => console.error(error instanceof FleetError ? error.code : error));
`;
    const names =
      'createServer, startFleet, FleetError, type Exit, type Fleet, type FleetOptions, type Status';
    writeFileSync(
      join(project, 'consumer.mts'),
      `import { ${names} } from 'hello-server';\nimport hello from 'hello-server/app';\n${body}`,
    );
    writeFileSync(
      join(project, 'consumer.cts'),
      `import hs = require('hello-server');\nimport app = require('hello-server/app');
const { createServer, startFleet, FleetError } = hs;\nconst hello = app.default;
type Exit = hs.Exit;\ntype Fleet = hs.Fleet;\ntype FleetOptions = hs.FleetOptions;\ntype Status = hs.Status;\n${body}`,
    );
    const check = async (files: readonly string[], ...options: string[]): Promise<void> => {
      const usual = [
        '--ignoreConfig',
        '--strict',
        '--target',
        'es2022',
        '--types',
        'node',
        '--skipLibCheck',
        'false',
      ];
      const { code, out } = await run(project, 'node', [TSC, ...usual, ...options, ...files]);
      expect({ code, out }, options.join(' ')).to.deep.equal({ code: 0, out: '' });
    };
    const both = ['consumer.mts', 'consumer.cts'];
    await check(both, '--module', 'node16', '--noEmit');
    await check(['consumer.mts'], '--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit');
    await check(both, '--module', 'nodenext', '--outDir', '.');
    for (const file of ['consumer.mjs', 'consumer.cjs']) {
      const said = await run(project, 'node', ['--trace-warnings', file]);
      expect(said).to.deep.equal({
        code: 0,
        out: '2 number\n1 object function function\nclosed 0\n',
        err: '',
      });
    }
  });

  it('runs a fleet by the program of docs/package.md', async () => {
    const port = await freePort();
    const program = block('docs/package.md#a-fleet-from-code').replace('port: 3000', `port: ${port}`);
    writeFileSync(join(project, 'fleet.js'), program);
    const running = server('node fleet.js', { PORT: '', WEB_CONCURRENCY: '' });
    await running.says(new RegExp(`^generation 1 serves on port ${port}$`, 'm'), 20_000);
    await running.says(new RegExp(`^generation 2 serves on port ${port}$`, 'm'), 20_000);
    expect(await answerOf(port)).to.equal('Hello from the shop');
    running.signal('SIGTERM');
    expect(await running.end()).to.deep.equal({ code: 0, signal: null });
    expect(running.err).to.equal('');
  });

  it('serves in a test by the program of docs/package.md', async () => {
    writeFileSync(join(project, 'shop.test.js'), block('docs/package.md#a-server-in-a-test'));
    const { code, out } = await run(project, 'node', ['--test', 'shop.test.js']);
    expect(code, out).to.equal(0);
    expect(out).to.match(/pass 1\b/);
  });

  it('runs where its folder is a link into a store, as pnpm has it', async () => {
    const store = join(top, 'linked', 'node_modules', '.pnpm', 'hello-server', 'node_modules');
    cpSync(join(project, 'node_modules'), store, {
      recursive: true,
      filter: (path) => !path.includes('@types'),
    });
    symlinkSync(
      join('.pnpm', 'hello-server', 'node_modules', 'hello-server'),
      join(top, 'linked', 'node_modules', 'hello-server'),
    );
    writeFileSync(
      join(top, 'linked', 'fleet.mjs'),
      `import { startFleet } from 'hello-server';
       const fleet = await startFleet({ port: 0, workers: 1, env: { LOG_FORMAT: 'json' } });
       await fleet.reload();
       await fleet.stop();`,
    );
    const { code, out, err } = await run(join(top, 'linked'), 'node', ['fleet.mjs']);
    expect({ code, err }).to.deep.equal({ code: 0, err: '' });
    expect(out).to.include('"msg":"reloaded: generation 2 serves');
  });

  describe('beside another version of itself, which a dependency has brought', () => {
    const nested = join(project, 'node_modules', 'plugin', 'node_modules', 'hello-server');

    before(() => {
      cpSync(installed, nested, { recursive: true });
      const path = join(nested, 'package.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      writeFileSync(path, JSON.stringify({ ...manifest, version: OTHER }));
    });
    after(() => rmSync(join(project, 'node_modules', 'plugin'), { recursive: true }));

    it('each runs its own files, and a command of one asks, reloads and stops the primary of the other', async () => {
      const [own, others] = [installed, nested].map((path) => `node ${join(path, 'dist', 'main.js')}`);
      for (const [primary, version, command] of [
        [own, VERSION, others],
        [others, OTHER, own],
      ] as const) {
        const port = String(await freePort());
        const fleet = await server(`${primary} ./server.js`, { PORT: port }).serving();
        const ask = async (name: string) => {
          const asked = server(`${command} ${name}`, { PORT: port });
          return { ...(await asked.end()), out: asked.out, err: asked.err };
        };
        expect(JSON.parse((await ask('status --json')).out)).to.deep.include({ version, pid: fleet.pid });
        expect(await ask('reload')).to.deep.include({ code: 0, err: '' });
        expect(await answerOf(fleet.port)).to.equal('Hello from the shop');
        expect(await ask('stop')).to.deep.include({ code: 0, err: '' });
        expect(await fleet.end()).to.deep.equal({ code: 0, signal: null });
      }
    });

    it('a program has the one that it finds, and that one starts its own primary', async () => {
      const program = `const { startFleet } = require('hello-server');
        startFleet({ port: 0, workers: 1, stdio: 'ignore' }).then(async (fleet) => {
          console.log((await fleet.status()).version);
          await fleet.stop();
        });`;
      writeFileSync(join(project, 'own.cjs'), program);
      const plugin = join(project, 'node_modules', 'plugin', 'its.cjs');
      writeFileSync(plugin, program);
      expect(await run(project, 'node', ['own.cjs'])).to.deep.equal({
        code: 0,
        out: `${VERSION}\n`,
        err: '',
      });
      expect(await run(project, 'node', [plugin])).to.deep.equal({ code: 0, out: `${OTHER}\n`, err: '' });
    });
  });
});
