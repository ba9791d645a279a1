// docs/migration.md: what it says of hello-server is run, and every section of the original document is in its table.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block, codeIn, command, read, tableRows } from '../helpers/manual.ts';
import { exchange, get, Raw, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, eventuallyReceived, ROOT, type Running } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const PAGE = 'docs/migration.md';
/** The headings of the original document, in its order. */
const ORIGINAL = [
  'Hello World HTTP Server',
  'Overview',
  'Architecture and Design Decisions',
  'Installation',
  'Prerequisites',
  'Quick Start',
  'Project Structure',
  'Server Usage',
  'Starting the Server',
  'Accessing the Server',
  'API Reference',
  'HTTP Endpoint',
  'Request Headers',
  'Response Headers',
  'Status Codes',
  'Error Response Format',
  'Request Logging',
  'Testing with curl',
  'Basic Testing',
  'Testing Different HTTP Methods',
  'Testing Different Paths',
  'Graceful Shutdown',
  'SIGTERM Handling (Docker/Kubernetes)',
  'SIGINT Handling (Ctrl+C)',
  'Deployment',
  'Production Considerations',
  'Docker Deployment',
  'Production WSGI Server Deployment (gunicorn)',
  'Systemd Service Deployment',
  'Cloud Platform Deployment',
  'AWS Elastic Beanstalk',
  'Azure App Service',
  'Google Cloud Run',
  'Heroku',
  'Environment Configuration',
  'Health Check Implementation',
  'Error Handling',
  'Server Error Handling',
  'Input Validation',
  'Request Timeout Handling',
  'Request/Response Error Handling',
  'Troubleshooting',
  'Common Issues',
  'Port Already in Use',
  'Permission Denied',
  'Connection Refused',
  'Request Timeout',
  'Module Not Found Error',
  'Debug Information',
  'Requirements',
  'Features',
  'Migration from Node.js',
  'License',
  'Contributing',
];
/** Its features, as it names them. */
const FEATURES = [
  'Robust Error Handling',
  'Graceful Shutdown',
  'Input Validation',
  'Timeout Management',
  'Resource Cleanup',
  'Production Ready',
  'Request Logging',
  'Standards Compliant',
];

/** The commands of hello-server in the second column of a table. */
const inSecondColumn = (id: string): string[] =>
  tableRows(id)
    .flatMap(([, ours = '']) => codeIn(ours))
    .filter((text) => /(?:^|\s)hello-server\b/.test(text) && !text.endsWith(' pm2'));

describe(PAGE, () => {
  let shop: Shop;
  let port: number;
  beforeEach(async () => {
    shop = new Shop();
    // Without "type": what the page shows is CommonJS.
    shop.write('package.json', '{ "name": "app", "dependencies": { "hello-server": "1" } }');
    port = await freePort();
  });
  afterEach(() => shop.remove());

  /** The environment in which the commands are on the PATH and mean the server of this test. */
  const env = (more: Environment = {}) => ({
    PATH: `${join(shop.folder, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
    PORT: String(port),
    CONTROL_SOCKET: join(shop.folder, 'control.sock'),
    ...more,
  });
  /** A command line of the page, on the port of this test. */
  const line = (text: string): string =>
    `exec env ${text.replace('0.0.0.0', '127.0.0.1').replace('PORT=3000', `PORT=${port}`)}`;
  const serve = (text: string, more: Environment = {}): Promise<Running> => shop.serve(line(text), env(more));
  const workersReady = async (): Promise<number> =>
    JSON.parse((await shop.run(line('hello-server status --json'), env())).out).workers.filter(
      ({ stage }: { stage: string }) => stage === 'ready',
    ).length;

  /** Runs a command that ends, and expects that it succeeds; or one that goes on, until it has shown what it is to show. */
  async function does(text: string, shows?: RegExp): Promise<void> {
    if (shows) {
      const running = shop.start(line(text), env());
      await running.says(shows);
      running.interrupt();
      await running.end();
      return;
    }
    const { code, out } = await shop.run(line(text), env());
    expect(code, `${text}\n${out}`).to.equal(0);
  }

  it('has every section of the original document, in its order, with a link', () => {
    const rows = tableRows(`${PAGE}#where-each-section-of-the-original-document-went`);
    expect(rows.map(([section]) => section)).to.deep.equal(ORIGINAL);
    // That each link leads somewhere is tested for all pages.
    for (const [section, where = ''] of rows) expect(where, section).to.match(/^\[[^\]]+\]\(\S+\)/);
  });

  it('has every feature of the original document, with a link', () => {
    const rows = tableRows(`${PAGE}#features`);
    expect(rows.map(([feature]) => feature)).to.deep.equal(FEATURES.map((feature) => feature.toLowerCase()));
    for (const [feature, where = ''] of rows) expect(where, feature).to.match(/\]\(\S+\)/);
  });

  it('names the original’s functions, and ours that took their place', () => {
    const rows = tableRows(`${PAGE}#feature-by-feature`);
    expect(rows.map(([feature]) => feature)).to.deep.equal([
      'HTTP server',
      'port binding',
      'response',
      'timeout',
      'signal handling',
      'exit codes',
      'logging',
    ]);
    const source = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
    expect(source('src/http/server.ts')).to.include('export function createServer(');
    expect(source('src/app.ts')).to.match(/\.end\(.*Hello, World!|Hello, World!/);
    expect(source('src/primary/signals.ts')).to.match(/process\.on\(/);
  });

  describe('from pm2', () => {
    beforeEach(() => shop.write('app.js', block('docs/migration.md#your-apps-own-code')));

    it('has commands that do what they say', async function () {
      this.timeout(60_000);
      const commands = new Set(inSecondColumn(`${PAGE}#command-by-command`));
      const take = (text: string): string => {
        expect([...commands], `the page has \`${text}\``).to.include(text);
        commands.delete(text);
        return text;
      };
      const settings = {
        KEEP_PREVIOUS: '60',
        SETTLE_TIME: '0',
        DRAIN_TIMEOUT: '2',
        WEB_CONCURRENCY: undefined,
      };
      const server = await serve(take('hello-server ./app.js'), settings);
      const usual = await workersReady();
      expect(usual).to.be.at.least(1);
      await does(take('hello-server reload'));
      await does(command('docs/migration.md', 'hello-server rollback'));
      expect(JSON.parse((await shop.run(line(take('hello-server status --json')), env())).out)).to.include({
        generation: 1,
      });
      await does(take('hello-server scale 4'));
      expect(await workersReady()).to.equal(4);
      await does(take('hello-server status'));
      await does(take('hello-server status --watch'), /4 of 4 workers ready/);
      await does(command('docs/migration.md', 'hello-server top'));
      await does(command('docs/migration.md', 'hello-server profile --seconds 1'));
      await does(take('hello-server upgrade'));
      expect(await workersReady()).to.equal(4);
      await does(take('hello-server stop'));
      expect(await server.end()).to.deep.equal({ code: 0, signal: null });
      await eventually(() => server.pids().length === 0, 'nothing is left');
      const four = await serve(take('WEB_CONCURRENCY=4 hello-server ./app.js'));
      expect(await workersReady()).to.equal(4);
      expect(await four.stop()).to.deep.equal({ code: 0, signal: null });
      const developing = await serve(take('hello-server dev ./app.js'));
      expect((await get(developing)).body).to.equal('instance 0\n');
      developing.interrupt();
      await developing.end();
      // It refuses a folder that no service can see, such as this one.
      const { code, out } = await shop.run(line(take('hello-server init systemd')), env());
      expect({ code, out }).to.deep.include({ code: 1 });
      expect(out).to.match(/^expected a folder that a service can see/m);
      expect([...commands], 'commands that are not run').to.deep.equal([]);
    });

    it('has settings that pm2 knows, with values that it takes', () => {
      const require = createRequire(import.meta.url);
      const { validateJSON } = require('pm2/lib/tools/Config.js');
      const schema = require('pm2/lib/API/schema.json');
      const settings = tableRows(`${PAGE}#setting-by-setting`).flatMap(([theirs = '']) => codeIn(theirs));
      expect(settings).to.have.length.at.least(20);
      for (const setting of settings) {
        const value = runInNewContext(`({ ${setting} })`);
        const [name = ''] = Object.keys(value);
        expect(name in schema || /^env_\S+$/.test(name), `pm2 knows ${name}`).to.equal(true);
        expect(validateJSON({ script: 'app.js', ...value }).errors, setting).to.deep.equal([]);
      }
    });

    it('serves an app with all of pm2’s idioms as it is, and its shutdown comes after what is in flight', async () => {
      const server = await serve('hello-server ./app.js', { WEB_CONCURRENCY: '1', SETTLE_TIME: '0' });
      expect((await get(server)).body).to.equal('instance 0\n');
      const raw = await Raw.open(server.port);
      const [first, rest] = ['GET / HTTP/1.1\r\n', 'Host: localhost\r\n\r\n'];
      raw.send(first);
      await eventuallyReceived(server, raw);
      await reload(server, 2);
      expect(server.out).not.to.match(/^closed$/m);
      raw.send(rest);
      expect(await raw.answer()).to.deep.include({ body: 'instance 0\n' });
      await server.says(/^closed$/m);
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(server.out.match(/^closed$/gm)).to.have.length(2);
      expect(server.out).not.to.match(/crashed|respawning/);
    });
  });

  describe('from a cluster of one’s own', () => {
    const [byHand, left] = [
      block('docs/migration.md#from-a-cluster-of-your-own'),
      block('docs/migration.md#from-a-cluster-of-your-own:2'),
    ];

    it('begins with a cluster that works by itself', async () => {
      shop.write('cluster.js', byHand);
      const child = spawn(process.execPath, ['cluster.js'], {
        cwd: shop.folder,
        env: { PATH: process.env.PATH, PORT: String(port) },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      try {
        const answers = async (): Promise<boolean> =>
          exchange(port, request('GET', '/', 'Connection: close')).then(
            ({ body }) => body === 'Tea\n',
            () => false,
          );
        await eventually(answers, 'it answers');
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
      expect(child.exitCode).to.equal(0);
    });

    for (const [what, app] of [
      ['serves that file as it is', byHand],
      ['serves what is left of it', left],
    ] as const) {
      it(`${what}, and reloads it`, async () => {
        shop.write('app.js', app);
        const server = await serve('hello-server ./app.js', { WEB_CONCURRENCY: '2', SETTLE_TIME: '0' });
        expect((await get(server)).body).to.equal('Tea\n');
        expect(await workersReady()).to.equal(2);
        await reload(server, 2);
        expect((await get(server)).body).to.equal('Tea\n');
        expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
        expect(server.err).to.equal('');
      });
    }
  });

  it('names the lines that a unit for systemd really has', () => {
    const unit = readFileSync(join(ROOT, 'hello-server.service'), 'utf8').split('\n');
    for (const [, ours = ''] of tableRows(`${PAGE}#from-a-systemd-unit-around-node`)) {
      for (const setting of codeIn(ours).filter((text) => text.includes('='))) {
        const isThere = setting.endsWith('=')
          ? unit.some((each) => each.startsWith(setting))
          : unit.includes(setting);
        expect(isThere, `the unit has ${setting}`).to.equal(true);
      }
    }
  });

  describe('from gunicorn', () => {
    beforeEach(() => {
      shop.write('app.js', block('docs/migration.md#from-a-cluster-of-your-own:2'));
      shop.write('hello-server.env', block('docs/migration.md#gunicorns-settings'));
    });

    it('has commands that do what they say', async () => {
      const id = `${PAGE}#gunicorns-settings`;
      for (const text of inSecondColumn(id)) {
        if (text.endsWith('--help')) {
          await does(text);
          continue;
        }
        const server = await serve(text, { WEB_CONCURRENCY: undefined });
        expect((await get(server)).body, text).to.equal('Tea\n');
        const ready = text.includes(' dev ') ? 1 : 4;
        expect(await workersReady(), text).to.equal(ready);
        server.signal('SIGINT');
        expect((await server.end()).code, text).to.equal(0);
      }
      const settings = tableRows(id).flatMap(([, ours = '']) => codeIn(ours));
      expect(settings).to.include.members(['WEB_CONCURRENCY', 'DRAIN_TIMEOUT', 'MAX_REQUESTS']);
    });

    it('has signals that do what they say', async () => {
      const signals = tableRows(`${PAGE}#gunicorns-signals`).flatMap(([names = '']) => codeIn(names));
      const take = (name: 'HUP' | 'TTIN' | 'TTOU' | 'USR1' | 'WINCH'): NodeJS.Signals => {
        expect(signals).to.include(name);
        return `SIG${name}`;
      };
      // USR2, TERM, INT and QUIT have tests of their own, below test/integration/.
      expect(signals).to.have.members([
        'HUP',
        'TTIN',
        'TTOU',
        'USR2',
        'TERM',
        'INT',
        'QUIT',
        'USR1',
        'WINCH',
      ]);
      const server = await serve('hello-server ./app.js', { WEB_CONCURRENCY: '1', SETTLE_TIME: '0' });
      server.signal(take('TTIN'));
      await eventually(async () => (await workersReady()) === 2, 'one worker more');
      server.signal(take('TTOU'));
      await eventually(async () => (await workersReady()) === 1, 'one worker fewer');
      server.signal(take('USR1'));
      await server.says(/USR1/);
      server.signal(take('WINCH'));
      server.signal(take('HUP'));
      await server.says(/reloaded: generation 2 /);
      expect((await get(server)).body).to.equal('Tea\n');
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });
  });

  it('calls the document that it began with by no other name', () => {
    const { lines, blocks } = read(PAGE);
    const text = [...lines, ...blocks].map((each) => each.text).join('\n');
    expect(text).to.not.match(/\bseed\b/i);
  });
});
