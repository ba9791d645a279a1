// docs/app.md: its apps are served, its commands run, and what it shows is what is printed.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandsOf, exampleFile } from '../helpers/example.ts';
import { block, command, hasShape } from '../helpers/manual.ts';
import { exchange, get, Raw, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, ROOT, type Running, serve } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const CLEAN = { code: 0, signal: null };

describe('docs/app.md', () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
  });
  afterEach(() => shop.remove());

  /** Serves an app of the page as a user's `server.js`. */
  const served = (text: string, env: Readonly<Record<string, string>> = {}): Promise<Running> => {
    shop.write('server.js', text);
    return serve({ cwd: shop.folder, args: ['./server.js'], env });
  };
  const answer = async (server: Running, path = '/'): Promise<string> => (await get(server, path)).body;
  const stopped = async (server: Running): Promise<void> => {
    expect(await server.stop()).to.deep.equal(CLEAN);
    expect(server.err).to.equal('');
  };

  it('serves an app as it is by its first command', async () => {
    const server = await shop.serve(block('docs/app.md#serve-it-as-it-is'));
    expect(await answer(server)).to.equal('Tea\n');
    expect(await shop.stop(server)).to.deep.equal(CLEAN);
  });

  for (const [name, text] of [
    ['Express', block('docs/app.md#express')],
    ['plain node:http', block('docs/app.md#plain-nodehttp')],
  ] as const)
    it(`has lines for ${name} that are served, and reload`, async () => {
      const server = await served(text);
      expect(await answer(server)).to.equal('Tea\n');
      await reload(server, 2);
      expect(await answer(server)).to.equal('Tea\n');
      await stopped(server);
    });

  it('has the command by which the example of Next starts', () => {
    const { scripts } = JSON.parse(exampleFile('next', 'package.json'));
    expect(block('docs/app.md#next')).to.equal(`npx ${scripts.start}\n`);
  });

  for (const [text, says] of [
    [block('docs/app.md#export-it-instead'), 'You asked for /\n'],
    [block('docs/app.md#export-it-instead:2'), 'Tea\n'],
  ] as const)
    it(`has an app that exports what is served: ${text.split('\n', 1)[0]}`, async () => {
      const server = await served(text);
      expect(await answer(server)).to.equal(says);
      await stopped(server);
    });

  it('has an app with optional exports: ready before the first request, told when it leaves', async () => {
    const server = await served(block('docs/app.md#optional-exports'), { WEB_CONCURRENCY: '1' });
    expect(await answer(server)).to.equal('Tea\n');
    const kept = await Raw.open(server.port);
    const health = async (): Promise<number> => (await kept.send(request('GET', '/health')).answer()).status;
    expect(await health()).to.equal(200);
    await reload(server, 2);
    expect(await health()).to.equal(503);
    const twice = request('GET', '/', 'X-Tea: a', 'X-Tea: b');
    expect((await exchange(server.port, twice)).status).to.equal(200);
    await stopped(server);
  });

  it('has a job that runs in one worker alone', async () => {
    const server = await served(block('docs/app.md#work-that-must-run-once'), { WEB_CONCURRENCY: '3' });
    const said = new Set<string>();
    const all = async (): Promise<boolean> => {
      said.add(await answer(server));
      return said.has('1 runs\n') && said.has('0 runs\n');
    };
    await eventually(all, 'the answer of the worker that leads, and of one that does not');
    expect(said).to.deep.equal(new Set(['0 runs\n', '1 runs\n']));
    await stopped(server);
  });

  it('has an app that is warm before it is ready', async () => {
    const text = block('docs/app.md#warm-before-ready');
    // Says how many requests there were, which the page's app need not.
    const counts = `let asked = 0;\nprocess.on('SIGTERM', () => console.log('asked', asked));\n`;
    const server = await served(counts + text.replace('(req, res) =>', '(req, res) => ++asked &&'));
    expect(await answer(server, '/menu')).to.match(/^\[\{"tea":0\},/);
    await stopped(server);
    expect(server.out.match(/^asked \d+$/gm)?.sort()).to.deep.equal(['asked 500', 'asked 501']);
    expect(server.out.match(/ - GET \/menu/g)).to.have.length(1);
  });

  it('has the commands by which the examples begin', () => {
    const [enter = '', begin = ''] = block('docs/app.md#examples').trim().split('\n');
    const [, folder = ''] = /^cd (\S+)$/.exec(enter) ?? [];
    expect(existsSync(join(ROOT, folder, 'package.json'))).to.equal(true);
    for (const name of readdirSync(join(ROOT, 'examples')).filter((one) => !one.endsWith('.md'))) {
      const lines = commandsOf(name).map(({ line }) => line);
      expect(lines.filter((line) => begin.split(' && ').includes(line))).to.have.length(2);
    }
  });

  it('shows what developing prints: a save, one that does not parse, and one that mends it', async () => {
    const [line = '', ...shown] = block('docs/app.md#developing').trimEnd().split('\n');
    // The lines above the broken one are those that the page shows.
    const above = shown.flatMap((text) => /^ +\d+ \| (.*)$/.exec(text)?.[1] ?? []);
    const users = (last: string): string =>
      [...Array(11 - above.length).fill(''), ...above, last, ''].join('\n');
    shop.write(
      'server.ts',
      `import './routes/users.ts';\nexport default (_req: unknown, res: any) => res.end('Tea');\n`,
    );
    shop.write('routes/users.ts', users("  'one'; };"));
    const server = await shop.serve(line.replace('$ ', ''));
    const says = (many: number): Promise<void> =>
      eventually(() => (server.out.match(/^reloaded: /gm)?.length ?? 0) === many, `${server.log}`);
    shop.write('routes/users.ts', users("  'two'; };"));
    await says(1);
    shop.write('routes/users.ts', users('}'));
    await server.says(/^ +\| +\^$/m);
    shop.write('routes/users.ts', users("  'three'; };"));
    await says(2);
    server.interrupt();
    await server.end();
    const printed = server.out.slice(0, server.out.indexOf('Received SIGINT'));
    expect(hasShape(printed, shown.join('\n')), printed).to.equal(true);
  });

  it('deploys by a link', async () => {
    const [start, deploy] = [block('docs/app.md#deploying-an-app'), block('docs/app.md#deploying-an-app:2')];
    const here = (text: string): string => text.replaceAll('/srv/shop', shop.folder);
    const release = (name: string): void => {
      const folder = join(shop.folder, 'releases', name);
      mkdirSync(folder, { recursive: true });
      shop.install(folder);
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      writeFileSync(join(folder, 'server.js'), `export default (req, res) => res.end('${name}');\n`);
    };
    release('41');
    symlinkSync('releases/41', join(shop.folder, 'current'));
    const server = await shop.serve(here(start));
    expect(await answer(server)).to.equal('41');
    release('42');
    const { code, out } = await shop.run(here(deploy), { PORT: String(server.port) });
    expect(code, out).to.equal(0);
    rmSync(join(shop.folder, 'releases', '41'), { recursive: true });
    expect(await answer(server)).to.equal('42');
    expect(await shop.stop(server)).to.deep.equal(CLEAN);
  });

  describe('in your project', () => {
    it('shows what init prints', async () => {
      const { code } = await shop.shows(block('docs/app.md#in-your-project'));
      expect(code).to.equal(0);
      expect(shop.read('ecosystem.config.js')).to.include('./server.js');
    });

    for (const [line, files] of [
      [command('docs/app.md', 'npx hello-server init pm2'), ['ecosystem.config.js']],
      [command('docs/app.md', 'npx hello-server init docker'), ['.dockerignore', 'Dockerfile']],
      [command('docs/app.md', 'npx hello-server init kubernetes'), ['kubernetes.yaml']],
      [command('docs/app.md', 'npx hello-server init procfile'), ['Procfile']],
    ] as const)
      it(`writes a file for your manager: ${line}`, async () => {
        const before = readdirSync(shop.folder);
        const { code, out } = await shop.run(line, { PORT: undefined });
        expect(code, out).to.equal(0);
        expect(readdirSync(shop.folder).filter((name) => !before.includes(name))).to.deep.equal(files);
        expect(out).to.include(`wrote ${files.toReversed().join(' and ')}, to run ./server.js`);
      });

    it('writes a unit, for an app that a service can see', async () => {
      // No service sees what lies below /tmp, where this repository may be, too.
      const folder = mkdtempSync(join(homedir(), '.hello-server-shop-'));
      try {
        shop.install(folder);
        writeFileSync(join(folder, 'package.json'), readFileSync(join(shop.folder, 'package.json')));
        writeFileSync(join(folder, 'server.js'), '');
        const line = command('docs/app.md', 'npx hello-server init systemd');
        const { code, out } = await shop.run(`cd '${folder}'\n${line}`);
        expect(code, out).to.equal(0);
        expect(readFileSync(join(folder, 'shop.service'), 'utf8')).to.include(`WorkingDirectory=${folder}\n`);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});
