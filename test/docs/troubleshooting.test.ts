// docs/troubleshooting.md: each message is brought about, and each command that helps is run. What takes long or cannot be
// brought about is in messages.test.ts, compared with the code.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCurl } from '../helpers/curl.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, exchanges, expectShape, hasShape } from '../helpers/manual.ts';
import { get, Raw, request } from '../helpers/raw.ts';
import { eventually, launch, MAIN, type Running } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const PAGE = 'docs/troubleshooting.md';
const TEA = "export default (req, res) => res.end('Tea');\n";
const NEVER = 'export default () => {};\n';
/** A process of root's without the right to bind a port below 1024; others have not got it anyway. */
const UNPRIVILEGED = ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'];
/** So few descriptors do for one worker and a few more. */
const DESCRIPTORS = 56;

describe(PAGE, () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
  });
  afterEach(() => shop.remove());

  const app = (env: Readonly<Record<string, string | undefined>> = {}, file = './server.js'): Running =>
    launch({ args: [file], cwd: shop.folder, env: { WEB_CONCURRENCY: '1', ...env } });
  /** What is said of an app that does not start, and its exit code. */
  const refused = async (text: string, env: Readonly<Record<string, string>> = {}) => {
    shop.write('server.js', text);
    const server = app(env);
    const { code } = await server.end();
    return { code, said: server.err };
  };
  /** Fails unless what was printed begins with the lines of the page. */
  const begins = (printed: string, shown: string): void =>
    expectShape(printed.split('\n').slice(0, shown.trim().split('\n').length).join('\n'), shown);

  describe('of a start', () => {
    it('says that the port is in use, and has the commands that help', async () => {
      const server = await app().serving();
      const second = app({ PORT: String(server.port) });
      expect((await second.end()).code).to.equal(1);
      expectShape(second.err, block('docs/troubleshooting.md#port-already-in-use'));
      const [find, other] = exchanges(block('docs/troubleshooting.md#port-already-in-use:2'));
      const found = await shop.run((find?.command ?? '').replace('3000', String(server.port)));
      expect(found.out).to.match(new RegExp(`^\\S+ +${server.pid} .*\\(LISTEN\\)$`, 'm'));
      const port = await freePort();
      const third = await shop.serve((other?.command ?? '').replace('8080', String(port)));
      expect(third.port).to.equal(port);
      await shop.stop(third);
    });

    it('says that the permission is missing', async () => {
      const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
      expect(first, 'ports below are privileged').to.be.greaterThan(80);
      const under = process.getuid?.() === 0 ? UNPRIVILEGED : [];
      const server = launch({ under, env: { PORT: '80' } });
      expect((await server.end()).code).to.equal(1);
      expect(server.err).to.equal(block('docs/troubleshooting.md#permission-denied'));
    });

    it('says which module is not found', async () => {
      const esm = await refused("import 'expresso';\n");
      begins(esm.said, block('docs/troubleshooting.md#module-not-found'));
      shop.write('main.cjs', "require('expresso');\n");
      const common = app({}, './main.cjs');
      await common.end();
      expect(common.err).to.match(/^\S+main\.cjs: Cannot find module 'expresso'\n/);
      const { code, out } = await shop.run('npx hello-server serv.js');
      expect({ code, out }).to.deep.equal({
        code: 78,
        out: block('docs/troubleshooting.md#module-not-found:2'),
      });
      shop.write('clone/package.json', readFileSync('package.json', 'utf8'));
      const clone = await shop.run('cd clone && npm start --silent');
      expect(clone.out).to.equal(block('docs/troubleshooting.md#module-not-found:3'));
    });

    it('says that the app has no server', async () => {
      const { code, said } = await refused('setInterval(() => {}, 1000);\n', { BOOT_TIMEOUT: '1' });
      expect(code).to.equal(1);
      expectShape(said, block('docs/troubleshooting.md#the-app-has-no-server'));
      const ended = await refused("console.log('done');\n");
      expect(ended.said).to.match(/expected a server that listens, and the app has ended, or a default/);
    });

    it('says why the app does not get ready', async () => {
      const late = 'export default () => {};\nexport const ready = () => new Promise(() => {});\n';
      const silent = await refused(late, { BOOT_TIMEOUT: '1' });
      expectShape(silent.said, block('docs/troubleshooting.md#the-app-does-not-get-ready'));
      const exits = await refused('process.exit(3);\n');
      expectShape(exits.said, block('docs/troubleshooting.md#the-app-does-not-get-ready:2'));
      const broken = await refused("\n\nconsole.log('Tea';\n");
      begins(broken.said, block('docs/troubleshooting.md#the-app-does-not-get-ready:3'));
      for (const { code } of [silent, exits, broken]) expect(code).to.equal(1);
    });

    it('says that it is no worker of another cluster, such as that of pm2', async () => {
      const cluster = `import cluster from 'node:cluster';
cluster.setupPrimary({ exec: ${JSON.stringify(MAIN)}, args: [] });
cluster.fork().once('exit', (code) => process.exit(code));
`;
      shop.write('cluster.js', cluster);
      const server = launch({ main: join(shop.folder, 'cluster.js') });
      expect((await server.end()).code).to.equal(78);
      expect(server.err).to.equal(block('docs/troubleshooting.md#pm2s-cluster-mode-is-refused'));
    });
  });

  describe('of a server that is not found', () => {
    it('shows what curl says', async () => {
      const port = await freePort();
      const { out } = await shop.run(`curl -sS http://localhost:${port}`);
      // Newer ones of curl say it a little differently.
      const shown = block('docs/troubleshooting.md#connection-refused');
      expectShape(out.replace('Could not', "Couldn't"), shown.replace('Could not', "Couldn't"));
    });

    it('shows what a command says, where none answers, and where another one does', async () => {
      mkdirSync(join(shop.folder, 'run'), { mode: 0o700 });
      const folders = { XDG_RUNTIME_DIR: join(shop.folder, 'run'), TMPDIR: shop.folder };
      const none = await shop.run('npx hello-server status', { ...folders, PORT: String(await freePort()) });
      expect(none.code).to.equal(1);
      // Root looks at the places of other users, too.
      const own = none.out.replace(/, \/run\/user\/[^,\n]+/g, '');
      expectShape(own, block('docs/troubleshooting.md#a-command-finds-no-server'));
      const place = join(shop.folder, 'shop', 'control.sock');
      mkdirSync(join(shop.folder, 'shop'));
      const server = await app({ CONTROL_SOCKET: place }).serving();
      const port = await freePort();
      mkdirSync(join(shop.folder, 'run', 'hello-server'), { mode: 0o700 });
      symlinkSync(place, join(shop.folder, 'run', 'hello-server', `${port}.sock`));
      const other = await shop.run('npx hello-server status', { ...folders, PORT: String(port) });
      expect(other.code).to.equal(1);
      expect(other.out).to.include(`on port ${server.port} (pid ${server.pid})`);
      // The page shows a server at the only place there is.
      const only = other.out
        .replace(/(looked at [^,;]+)[^;]*;/, '$1;')
        .replaceAll(`${port}.sock`, 'control.sock');
      expectShape(only, block('docs/troubleshooting.md#a-command-finds-no-server:2'));
    });

    it('says that there is no control socket', async () => {
      const folder = join(shop.folder, 'run', 'hello-server');
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o755);
      const env = { XDG_RUNTIME_DIR: join(shop.folder, 'run') };
      const server = await app(env).serving();
      begins(server.out, block('docs/troubleshooting.md#there-is-no-control-socket'));
    });
  });

  describe('of requests', () => {
    it('shows a 408, the command that finds it in the log, and the setting', async () => {
      shop.write('server.js', NEVER);
      const port = await freePort();
      const env = { REQUEST_TIMEOUT: '0.5', LOG_FORMAT: 'json', PORT: String(port) };
      const server = shop.start('npx hello-server ./server.js > shop.log', env);
      const log = join(shop.folder, 'shop.log');
      await eventually(() => existsSync(log) && readFileSync(log, 'utf8').includes('Visit'), 'it serves');
      const [answer] = await runCurl(`curl -i http://localhost:3000/slow`, port);
      expect(answer?.printed.split('\n')[0]).to.equal(
        block('docs/troubleshooting.md#request-timeout').trim(),
      );
      await eventually(() => readFileSync(log, 'utf8').includes('/slow'), 'it is logged');
      const found = await shop.run(block('docs/troubleshooting.md#request-timeout:2'));
      expect(JSON.parse(found.out).req.url).to.equal('/slow');
      await shop.run('npx hello-server stop', { PORT: String(port) });
      await server.end();
      shop.write('server.js', TEA);
      const patient = await shop.serve(block('docs/troubleshooting.md#request-timeout:3'));
      await shop.stop(patient);
    });

    it('has the settings for a load balancer that keeps connections for ten minutes', async () => {
      const server = await shop.serve(block('docs/troubleshooting.md#502-from-a-load-balancer'));
      const raw = (await Raw.open(server.port)).send(request('GET', '/'));
      expect((await raw.answer()).headers['keep-alive']).to.equal('timeout=620');
      await shop.stop(server);
      raw.destroy();
    });

    it('shows a health check that fails', async () => {
      const sick =
        "export const healthy = () => { throw new Error('connect ECONNREFUSED 127.0.0.1:5432'); };\n";
      shop.write('server.js', TEA + sick);
      const admin = await freePort();
      await app({ ADMIN_PORT: String(admin) }).serving();
      for (const { printed, shown } of await runCurl(
        block('docs/troubleshooting.md#503-of-a-health-check'),
        admin,
      ))
        expectShape(printed, shown);
    });

    it('has a command that runs a single worker', async () => {
      const server = await shop.serve(block('docs/troubleshooting.md#it-worked-with-one-process'), {
        WEB_CONCURRENCY: undefined,
      });
      expect(server.workers()).to.have.length(1);
      await shop.stop(server);
    });
  });

  describe('of what happens later', () => {
    it('says that file descriptors run out, and has the command that shows the limit', async () => {
      const control = join(shop.folder, 'control.sock');
      const server = await launch({
        env: { WEB_CONCURRENCY: '1', CONTROL_SOCKET: control },
        under: ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh'],
      }).serving();
      const [forks = '', none = ''] = block('docs/troubleshooting.md#too-many-open-files').split('\n');
      for (let workers = 2; workers <= 7; workers++) {
        server.signal('SIGTTIN');
        await server.says(new RegExp(`scaling from ${workers - 1} to ${workers} workers`));
      }
      const said = (line: string) => (): boolean => server.log.split('\n').some((one) => hasShape(one, line));
      await eventually(said(forks), forks);
      const clients = Array.from({ length: DESCRIPTORS }, () => connect(control).on('error', () => {}));
      await eventually(said(none), none);
      for (const client of clients) client.destroy();
      // Below its hard limit a process of Node raises its own.
      const shown = await shop.run(block('docs/troubleshooting.md#too-many-open-files:2'));
      const lower = await shop.serve('ulimit -Sn 100\nexec npx hello-server ./server.js');
      const [worker = 0] = lower.workers();
      expect(readFileSync(`/proc/${worker}/limits`, 'utf8')).to.match(
        new RegExp(`^Max open files +${shown.out.trim()} `, 'm'),
      );
      await shop.stop(lower);
    });

    it('shows a reload that is abandoned', async () => {
      shop.write('server.js', TEA);
      const server = await app().serving();
      shop.write('server.js', "throw new Error('no database');\n");
      await shop.shows(block('docs/troubleshooting.md#the-reload-was-abandoned'), {
        PORT: String(server.port),
      });
      expect((await get(server)).body).to.equal('Tea');
    });

    it('stops when its terminal is closed, and not when it is started as the page says', async () => {
      shop.write('server.js', TEA);
      const inTerminal = async (line: string): Promise<{ port: number; log: () => string }> => {
        const port = await freePort();
        const log = join(shop.folder, 'shop.log');
        rmSync(log, { force: true });
        // The shell is interactive, as that of a user.
        const terminal = spawn(
          'script',
          ['-qec', `bash -ic ${quoted(`${line}\nsleep 60; exit`)}`, '/dev/null'],
          {
            cwd: shop.folder,
            env: { PATH: process.env.PATH, HOME: shop.folder, SHELL: '/bin/bash', PORT: String(port) },
            stdio: 'ignore',
          },
        );
        await eventually(() => existsSync(log) && readFileSync(log, 'utf8').includes('Visit'), 'it serves');
        terminal.kill('SIGKILL');
        await once(terminal, 'close');
        return { port, log: () => readFileSync(log, 'utf8') };
      };
      const plain = await inTerminal('npx hello-server ./server.js > shop.log 2>&1 &');
      await eventually(() => plain.log().includes('Server closed'), 'it has stopped');
      expect(plain.log()).to.include(block('docs/troubleshooting.md#it-stops-when-the-terminal-closes'));
      const kept = await inTerminal(block('docs/troubleshooting.md#it-stops-when-the-terminal-closes:2'));
      try {
        expect((await get(kept)).body).to.equal('Tea');
      } finally {
        const { code } = await shop.run('npx hello-server stop', { PORT: String(kept.port) });
        expect(code).to.equal(0);
      }
    });

    it('has more to say at level debug, and commands for a question to others', async () => {
      shop.write('server.js', TEA);
      const server = await shop.serve(block('docs/troubleshooting.md#debug-information'));
      await get(server);
      await server.says(/GET \//);
      const port = { PORT: String(server.port) };
      await shop.run('npx hello-server reload', port);
      await server.says(/reloaded: .*\n/);
      // Where a cgroup limits the memory, that is shared out, and said.
      const lines = server.out.split('\n').filter((line) => !line.includes(' has a share of '));
      const end = lines.findIndex((line) => line.startsWith('reloaded'));
      const shown = block('docs/troubleshooting.md#debug-information:2');
      expectShape(
        lines
          .slice(0, end + 1)
          .join('\n')
          .replace(', nothing was asked of it', ''),
        shown,
      );
      const asked = await shop.run(block('docs/troubleshooting.md#debug-information:3'), port);
      expect(asked.out).to.match(/^\d+\.\d+\.\d+\nv\d+\.\d+\.\d+\n\{\n/);
      await shop.stop(server);
    });
  });
});

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
