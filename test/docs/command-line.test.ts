// docs/command-line.md: each of its commands runs, and what it shows is what is printed.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { statusPage } from '../../src/client/status-table.ts';
import { page as drawn, MAX_COLUMNS } from '../../src/client/text.ts';
import { topPage } from '../../src/client/top-table.ts';
import { exits, inFlight, status, totals, worker } from '../client/made-up.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, command, exchanges, tableCommands } from '../helpers/manual.ts';
import { eventually, type Running } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const PAGE = 'docs/command-line.md';
const START = 'npx hello-server ./server.js';
const CLEAN = { code: 0, signal: null };

describe('docs/command-line.md', () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
  });
  afterEach(() => shop.remove());

  const at = ({ port }: Running): Readonly<Record<string, string>> => ({ PORT: String(port) });

  it('has commands that do what they say, each with exit code 0', async () => {
    const server = await shop.serve(command('docs/command-line.md', 'npx hello-server ./server.js'), {
      KEEP_PREVIOUS: '60',
    });
    const does = async (line: string, says: RegExp): Promise<void> => {
      const { code, out } = await shop.run(line, at(server));
      expect(code, `${line}\n${out}`).to.equal(0);
      expect(out, line).to.match(says);
    };
    await does(
      command('docs/command-line.md', 'npx hello-server status'),
      /2 of 2 workers ready, generation 1,/,
    );
    await does(command('docs/command-line.md', 'npx hello-server top'), /^no requests in flight$/m);
    await does(command('docs/command-line.md', 'npx hello-server metrics'), /^# HELP hello_server_/m);
    await does(
      command('docs/command-line.md', 'npx hello-server reload'),
      /^reloaded: generation 2 serves$/m,
    );
    await does(
      command('docs/command-line.md', 'npx hello-server rollback'),
      /^rolled back: generation 1 serves again$/m,
    );
    await does(
      command('docs/command-line.md', 'npx hello-server reload --force'),
      /^reloaded: generation 3 serves$/m,
    );
    await does(command('docs/command-line.md', 'npx hello-server scale 3'), /^3 workers serve$/m);
    await does(
      command('docs/command-line.md', 'npx hello-server profile --seconds 2'),
      /^wrote \S+\.cpuprofile:/m,
    );
    await does(command('docs/command-line.md', 'npx hello-server heap'), /^wrote \S+\.heapsnapshot:/m);
    await does(command('docs/command-line.md', 'npx hello-server upgrade'), /^renewed hello-server /m);
    await does(
      command('docs/command-line.md', 'npx hello-server init pm2'),
      /^wrote ecosystem\.config\.js,/m,
    );
    const watching = shop.start(
      command('docs/command-line.md', 'npx hello-server status --watch'),
      at(server),
    );
    await watching.says(/(?:^hello-server [\s\S]*){2}/m);
    watching.interrupt();
    await watching.end();
    await does(
      command('docs/command-line.md', 'npx hello-server --help'),
      /^Usage: hello-server \[start\] \[APP\] /,
    );
    await does(command('docs/command-line.md', 'npx hello-server --version'), /^\d+\.\d+\.\d+$/m);
    await does(command('docs/command-line.md', 'npx hello-server stop'), /^stopped$/m);
    expect(await server.end()).to.deep.equal(CLEAN);
    const written = readdirSync(shop.folder).filter((name) => /\.(?:cpuprofile|heapsnapshot)$/.test(name));
    expect(written).to.have.length(2);
  });

  it('has the command by which an app is developed', async () => {
    const server = await shop.serve(command('docs/command-line.md', 'npx hello-server dev ./server.js'));
    expect(await shop.stop(server)).to.deep.equal(CLEAN);
  });

  it('leaves out no command that there is', async () => {
    const { out } = await shop.run('npx hello-server --help');
    const names = [...out.matchAll(/^ {7}hello-server ([a-z]+)/gm)].map(([, name = '']) => name);
    expect(names).to.include.members(['dev', 'status', 'init']);
    const told = tableCommands(PAGE).map((line) => line.split(' ')[2]);
    expect(told).to.include.members(names);
  });

  it('says the exit codes of a command that fails, and of one that is used wrongly, with one line', async () => {
    const nobody = await shop.run('npx hello-server status', { PORT: String(await freePort()) });
    expect(nobody.code).to.equal(1);
    expect(nobody.out).to.match(/^no server answers; looked at .+\n$/);
    const wrong = await shop.run('npx hello-server reload now');
    expect(wrong.code).to.equal(2);
    expect(wrong.out).to.match(/^expected reload \[--force\], got `reload now`\n$/);
  });

  it('shows a status as it is drawn', () => {
    const killed = 'the kernel killed for memory (rss 310 of 512 MiB)';
    const fleet = [
      worker(0, {
        pid: 1815,
        uptime: 124,
        requestsPerSecond: 308,
        latencyP99: 13,
        restarts: 1,
        lastExit: `SIGKILL, ${killed}, working on GET /report`,
      }),
      worker(1, { uptime: 312, latencyP99: 12, inFlight: 2, eventLoopDelay: 0.9, heapUsed: 19, rss: 72 }),
      worker(2, { uptime: 312, requestsPerSecond: 315, latencyP99: 13, eventLoopDelay: 1.1, rss: 72 }),
      worker(3, {
        uptime: 312,
        requestsPerSecond: 314,
        latencyP99: 13,
        inFlight: 1,
        eventLoopDelay: 240,
        rss: 72,
      }),
    ].map((one, i) => ({ ...one, pid: i === 0 ? 1815 : 1577 + i }));
    const told = status({
      app: '/srv/shop/server.js',
      uptime: 312,
      workers: fleet,
      totals: totals({ exits: exits({ 'out of memory': 1 }) }),
      now: {
        ...status().now,
        requestsPerSecond: 1249,
        latencyP99: 13,
        inFlight: 9,
        connections: 81,
        rss: 287,
      },
      events: [
        {
          ago: 124,
          level: 'error',
          text: `worker 0 (pid 1577) crashed: SIGKILL after 187 s, ${killed}, working on GET /report, respawning`,
        },
        { ago: 312, level: 'info', text: 'Server listening on port 3000' },
      ],
    });
    const [{ command: line, output } = { command: '', output: '' }] = exchanges(
      block('docs/command-line.md#status'),
    );
    expect(line).to.equal('npx hello-server status');
    expect(drawn(statusPage(told), MAX_COLUMNS, false).trimEnd()).to.equal(output);
  });

  it('shows requests in flight as they are drawn, and says so of a real one', async () => {
    const requests = [
      inFlight({ worker: 2, client: '10.0.4.7' }),
      inFlight({ worker: 0, pid: 1815, age: 0.4, method: 'POST', target: '/orders', client: '10.0.4.12' }),
    ];
    const [{ command: line, output } = { command: '', output: '' }] = exchanges(
      block('docs/command-line.md#top'),
    );
    const { lines, width } = topPage({ total: 2, requests, silent: [] });
    expect(drawn(lines, width, false).trimEnd()).to.equal(output);
    shop.write('server.js', 'export default () => {};\n');
    const server = await shop.serve(START, { SHUTDOWN_TIMEOUT: '1' });
    const asked = fetch(`http://127.0.0.1:${server.port}/orders`).catch(() => {});
    await eventually(
      async () => / GET +\/orders +/.test((await shop.run(line, at(server))).out),
      'the request is in flight',
    );
    await shop.run('npx hello-server stop', { ...at(server) });
    await server.end();
    await asked;
  });

  it('shows how a profile is made', async () => {
    const server = await shop.serve(START);
    const { code } = await shop.shows(block('docs/command-line.md#profile'), at(server));
    expect(code).to.equal(0);
    expect(JSON.parse(shop.read('slow.cpuprofile'))).to.include.keys('nodes', 'samples');
    await shop.stop(server);
  });

  it('finds a server by its port, as curl does by the path of the socket', async () => {
    const socket = join(shop.above, 'control.sock');
    const server = await shop.serve(START, { CONTROL_SOCKET: socket });
    const curl = await shop.run(block('docs/command-line.md#control-socket:2').replace('curl', 'curl -sS'), {
      CONTROL_SOCKET: socket,
    });
    expect(JSON.parse(curl.out)).to.include({ state: 'running', port: server.port });
    await shop.run('npx hello-server stop', { CONTROL_SOCKET: socket });
    expect(await server.end()).to.deep.equal(CLEAN);
    const other = await shop.serve(START);
    const line = block('docs/command-line.md#control-socket').replace('8080', String(other.port));
    expect((await shop.run(line)).out).to.include(` on port ${other.port}: 2 of 2 workers ready`);
    expect(await shop.stop(other)).to.deep.equal(CLEAN);
  });
});
