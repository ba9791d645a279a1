// docs/logs.md: what it shows is what is logged, and its commands write it where it says.

import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { CRASH_LOOP_BOOTS } from '../../src/core/deadlines.ts';
import type { Notice } from '../../src/core/notices.ts';
import { textLine } from '../../src/http/request-line.ts';
import { lineOf } from '../../src/log/wording.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, expectShape, page, rowsBelow } from '../helpers/manual.ts';
import { exchange, get, Raw, request } from '../helpers/raw.ts';
import { eventually, type Running, serve } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const PAGE = 'docs/logs.md';
const ENV = { WEB_CONCURRENCY: '1' };
const MALFORMED = 'GET / HTTP/1.1\r\n\r\n';

const first = { worker: 0, generation: 1, pid: 6659 };
const second = { worker: 1, generation: 1, pid: 6660 };
const crash = { signal: 'SIGSEGV', cause: { cause: 'native crash' } } as const;
/** The lines of the page's table of levels, in its order, as what they say. */
const EXAMPLES: readonly (readonly [level: string, ...notices: Notice[]])[] = [
  [
    'debug',
    { notice: 'ready', of: second, afterMs: 200 },
    { notice: 'draining', of: first, why: 'replaced' },
    { notice: 'client left', method: 'GET', url: '/report' },
  ],
  [
    'info',
    { notice: 'reloading', generation: 2 },
    { notice: 'reloaded', generation: 2, tookMs: 1200, asked: undefined },
    { notice: 'scaled', from: 2, to: 3 },
  ],
  [
    'warn',
    { notice: 'slow turn', worker: 0, method: 'GET', path: '/report', ms: 812 },
    { notice: 'cut', connections: 3, graceMs: 75_000 },
    { notice: 'killed', of: second, kill: { why: 'not drained' } },
  ],
  [
    'error',
    { notice: 'crashed', of: first, ending: crash, uptimeMs: 40_200, nextMs: 0 },
    { notice: 'app failed', method: 'GET', url: '/boom', message: 'no such cup', stack: undefined },
  ],
  ['fatal', { notice: 'crash loop', boots: CRASH_LOOP_BOOTS }],
];

/** Sends what the json lines of the page are about. */
async function ask({ port }: Running): Promise<void> {
  const headers = ['X-Forwarded-For: 203.0.113.7', 'User-Agent: curl/7.88.1'];
  await exchange(port, request('GET', '/api/data?x=1', ...headers));
  await exchange(port, MALFORMED);
}

describe(PAGE, () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
  });
  afterEach(() => shop.remove());

  it('has a command that appends to a file, which may be emptied meanwhile', async () => {
    const port = await freePort();
    const server = shop.start(block('docs/logs.md#where-it-goes'), { ...ENV, PORT: String(port) });
    const log = join(shop.folder, 'shop.log');
    const logged = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    await eventually(() => server.child.exitCode !== null || logged().includes('Visit'), 'it listens');
    truncateSync(log);
    await get({ port }, '/after');
    await eventually(() => logged().includes('/after'), 'the line of a request');
    expect(logged()).to.match(/^\d{4}-\S+Z - GET \/after\n$/);
    await shop.run('npx hello-server stop', { PORT: String(port) });
    await server.end();
  });

  it('shows all that a start, a request and a stop say', async () => {
    const server = await serve({ env: ENV });
    await get(server);
    await server.says(/GET \//);
    await server.stop();
    expect(server.err).to.equal('');
    expectShape(server.out, block('docs/logs.md#what-it-says'));
  });

  it('shows what is said of an app that fails', async () => {
    const code = "\n\nexport default function app() {\n  throw new Error('no such cup');\n}\n";
    shop.write('my-app.js', code);
    const server = await serve({ args: ['./my-app.js'], cwd: shop.folder, env: ENV });
    await get(server, '/boom');
    await server.says(/app failed/);
    await server.stop();
    expectShape(server.err, block('docs/logs.md#what-it-says:2'));
  });

  it('has lines of each level, with the words and the level of the code', () => {
    const listed = rowsBelow(PAGE, 'what-it-says').map(([level = '', lines = '']) => ({ level, lines }));
    for (const [i, [level, ...notices]] of EXAMPLES.entries()) {
      const row = listed[i];
      expect(row?.level.split(',')[0]).to.equal(level);
      const lines = notices.map(lineOf);
      expect(lines.map((line) => line.level)).to.deep.equal(lines.map(() => level));
      expect(row?.lines.replace('request lines, ', '')).to.equal(lines.map(({ text }) => text).join(', '));
    }
    expect(listed).to.have.length(EXAMPLES.length);
  });

  it('shows the lines of requests, and how they are made', async () => {
    const server = await serve({ env: ENV });
    const raw = await Raw.open(server.port);
    for (const [method, target] of [
      ['GET', '/'],
      ['GET', '/health'],
      ['POST', '/api/data'],
    ] as const)
      await raw.send(request(method, target)).answer();
    await exchange(server.port, MALFORMED);
    raw.destroy();
    await server.stop();
    const lines = server.out.split('\n').filter((line) => line.includes(' - '));
    expectShape(lines.join('\n'), block('docs/logs.md#request-log'));
    const [, form = ''] = /The form is `([^`]+)`/.exec(page(PAGE)) ?? [];
    const made = form.replace('[ISO 8601 time]', '2026-11-23T00:36:23.778Z').replace('[method]', 'GET');
    expect(`${made.replace('[request target]', '/')}\n`).to.equal(
      textLine(Date.UTC(2026, 10, 23, 0, 36, 23, 778), 'GET', '/'),
    );
  });

  it('shows the same in json, by the command that makes it so', async () => {
    shop.write('server.js', "export default (req, res) => res.end('Tea');\n");
    const server = await shop.serve(block('docs/logs.md#json'), ENV);
    await ask(server);
    await shop.stop(server);
    const lines = server.out.split('\n').filter((line) => /"(Server|Visit|request)/.test(line));
    expectShape(lines.filter((line) => !line.includes('closed')).join('\n'), block('docs/logs.md#json:2'));
    const names = ({ req = {}, res = {}, ...others }: Record<string, object>): string[] => [
      ...Object.keys(others),
      ...Object.keys(req).map((name) => `req.${name}`),
      ...Object.keys(res).map((name) => `res.${name}`),
    ];
    const [whole = '{}'] = lines.filter((line) => line.includes('203.0.113.7'));
    const listed = rowsBelow(PAGE, 'json').flatMap(([name = '']) => name.split(', '));
    expect(listed).to.have.members(names(JSON.parse(whole)));
  });

  it('shows a line of the app in json', async () => {
    const said = "console.log('connected to the database');\nconsole.log('{\"own\":1}');\n";
    shop.write('server.js', `${said}export default (req, res) => res.end('Tea');\n`);
    const server = await serve({
      args: ['./server.js'],
      cwd: shop.folder,
      env: { ...ENV, LOG_FORMAT: 'json' },
    });
    await server.stop();
    const [line = '', own] = server.out.split('\n').filter((one) => !one.includes('Server'));
    expectShape(line, block('docs/logs.md#what-your-app-prints'));
    expect(own).to.equal('{"own":1}');
  });
});
