// `hello-server dev` as a developer meets it: a save serves, a broken one is shown while the last good one serves on.

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { KINDS, Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { get, Raw, request } from '../helpers/raw.ts';
import {
  eventually,
  eventuallyReceived,
  launch,
  type Options,
  ROOT,
  type Running,
  stays,
} from '../helpers/server.ts';

/** What is saved serves within this time, and what is broken is shown within that one. */
const SERVES_MS = 2000;
const SHOWN_MS = 1000;
/** A stop that waits for nothing, with what it takes to end a process. */
const AT_ONCE_MS = 2000;
/** Long enough for a reload that should not be. */
const NO_RELOAD_MS = 700;

const says = (word: string): string => `export default (req, res) => res.end('${word}');\n`;
const QUICK = KINDS.filter(({ thinkMs }) => thinkMs < 1000);

describe('dev', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-é '));
    save('package.json', '{ "type": "module" }');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function save(name: string, text: string): void {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  const dev = (app: string, options: Options = {}): Running =>
    launch({ cwd: folder, ...options, args: ['dev', ...(options.args ?? []), app] });

  /** Fails unless the server, which may not serve yet, answers with `word` in time. */
  const answers = (server: Running, word: string, ms = SERVES_MS): Promise<void> =>
    eventually(
      async () => server.port > 0 && (await get(server)).body === word,
      `the answer ${word}\n${server.log}`,
      ms,
    );
  const reloads = (server: Running): string[] => server.out.match(/^reloaded: .*$/gm) ?? [];

  it('serves a saved version within two seconds, from one worker, and says so in one line', async () => {
    save('src/app.js', `import { word } from './word.js';\nexport default (req, res) => res.end(word);\n`);
    save('src/word.js', "export const word = 'one';");
    const server = await dev('src/app.js').serving();
    await answers(server, 'one');
    save('src/word.js', "export const word = 'two';");
    await answers(server, 'two');
    const lines = server.out.split('\n').filter((line) => !line.includes(' - GET /'));
    expect(lines.slice(2)).to.have.length(2);
    expect(lines[2]).to.match(/^reloaded: src\/word\.js changed \(\d\.\d s\)$/);
    await eventually(() => server.workers().length === 1, 'one worker');
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.err).to.equal('');
  });

  it('shows a broken save within a second, loses nothing meanwhile, and serves the mended one within two', async () => {
    save('app.js', says('one'));
    const server = await dev('app.js', { env: { ACCESS_LOG: 'false' } }).serving();
    const meter = new Meter(server.port, QUICK);
    await eventually(() => meter.tally.ok > 300, 'load');
    save('app.js', `// what it says\nconst word = ;\n${says('two')}`);
    const frame = [
      'reload abandoned, the old generation goes on: .*/app\\.js:2: does not parse: .*',
      '    app\\.js:2:14',
      '      1 \\| // what it says',
      '    > 2 \\| const word = ;',
      '        \\|              \\^',
      '      3 \\| export default .*',
    ];
    await server.says(new RegExp(`^${frame.join('\\n')}$`, 'm'), SHOWN_MS);
    await answers(server, 'one');
    save('app.js', says('three'));
    await answers(server, 'three');
    const { ok, ...lost } = await meter.stop();
    expect(lost, JSON.stringify(meter.losses)).to.deep.equal(NOTHING_LOST);
    expect(ok).to.be.greaterThan(300);
  });

  it('shows where in the project a version fails that parses', async () => {
    save('app.js', says('one'));
    const server = await dev('app.js').serving();
    save('lib/conf.js', 'export function read(conf) {\n\treturn conf.port;\n}\n');
    save('app.js', `import { read } from './lib/conf.js';\nread();\n${says('two')}`);
    await server.says(
      /^ {4}lib\/conf\.js:2:14\n.*\n {4}> 2 \| {3}return conf\.port;\n {8}\| {15}\^$/m,
      SHOWN_MS,
    );
    expect(server.err).to.match(/^reload abandoned, .*app\.js: Cannot read properties of undefined/);
    await answers(server, 'one');
  });

  it('waits for a save when the first version does not parse, as often as it takes', async () => {
    save('app.js', says('one').replace('=>', '='));
    const server = dev('app.js');
    await server.says(/^nothing serves until a file is saved that mends it$/m);
    expect(server.err).to.match(/app\.js:1: does not parse.*\n {4}app\.js:1:\d+\n/);
    save('app.js', 'export default nobody;\n');
    await server.says(/^reload abandoned: .*nobody is not defined\n {4}app\.js:1:16$/m, SHOWN_MS);
    save('app.js', says('two'));
    await answers(server, 'two');
    expect(server.out).to.match(/^Server listening on port \d+$/m);
  });

  it('ends at once while it waits for a save', async () => {
    save('app.js', 'throw new Error("no");');
    const server = dev('app.js');
    await server.says(/nothing serves until/);
    server.signal('SIGINT');
    expect(await server.end(AT_ONCE_MS)).to.deep.equal({ code: 0, signal: null });
  });

  it('ends at once although a request is in flight, and runs what the app does at its end', async () => {
    save('app.js', `export default () => {};\nexport const close = () => console.log('closed');\n`);
    const server = await dev('app.js').serving();
    const raw = (await Raw.open(server.port)).send(request('GET', '/'));
    await eventuallyReceived(server, raw);
    server.signal('SIGINT');
    expect(await server.end(AT_ONCE_MS)).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.match(/^closed$/m);
  });

  it('waits for nobody who is connected to the version before, be the connection idle or a request in flight', async () => {
    const app = (word: string): string =>
      `export default (req, res) => req.url === '/' && res.end('${word}');\n`;
    save('app.js', app('one'));
    const server = await dev('app.js').serving();
    const idle = (await Raw.open(server.port)).send(request('GET', '/'));
    await idle.answer();
    const unanswered = (await Raw.open(server.port)).send(request('GET', '/never'));
    await eventuallyReceived(server, unanswered);
    for (const word of ['two', 'three']) {
      save('app.js', app(word));
      await answers(server, word);
    }
    await eventually(() => idle.closed && unanswered.closed, 'both are closed', SERVES_MS);
  });

  it('takes a file that is deleted and written anew, or that another is renamed to', async () => {
    save('app.js', says('one'));
    const server = await dev('app.js').serving();
    rmSync(join(folder, 'app.js'));
    await stays(async () => (await get(server)).body === 'one', 'the version that was', NO_RELOAD_MS);
    save('app.js', says('two'));
    await answers(server, 'two');
    save('app.js.tmp', says('three'));
    renameSync(join(folder, 'app.js.tmp'), join(folder, 'app.js'));
    await answers(server, 'three');
    expect(server.err).to.equal('');
    expect(reloads(server)).to.have.length(2);
  });

  it('makes one reload of files that are saved together', async () => {
    save('app.js', says('one'));
    const server = await dev('app.js').serving();
    for (let i = 0; i < 10; i++) for (const name of ['a', 'b', 'c', 'd']) save(`lib/${name}.js`, '');
    save('app.js', says('two'));
    await answers(server, 'two');
    await stays(
      () => reloads(server).length === 1,
      () => server.log,
      NO_RELOAD_MS,
    );
    expect(reloads(server)[0]).to.match(/^reloaded: (\S+\.js, ){2}\S+\.js and 2 more changed /);
  });

  it('does not wait for a version that is still booting when the next one is saved', async () => {
    save('app.js', says('one'));
    const server = await dev('app.js').serving();
    save('app.js', "console.log('waits');\nsetInterval(() => {}, 1000);\nawait new Promise(() => {});\n");
    await server.says(/^waits$/m);
    save('app.js', says('two'));
    await answers(server, 'two');
    expect(server.out).to.match(/^worker 0 \(pid \d+\) boots anew: a file was saved before it was ready$/m);
  });

  it('does not reload for packages, for what no app loads, or again and again for what the app writes', async () => {
    save(
      'app.js',
      `import { writeFileSync } from 'node:fs';\nwriteFileSync('spec.json', '{}');\n${says('one')}`,
    );
    save('node_modules/a/index.js', '');
    const server = await dev('app.js').serving();
    await server.says(/^reloaded: spec\.json changed/m);
    save('node_modules/a/index.js', '1');
    save('README.md', '#');
    await stays(
      () => reloads(server).length === 1,
      () => server.log,
      NO_RELOAD_MS,
    );
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('reads an env file anew when that is saved, and refuses what it cannot read', async () => {
    save('app.js', 'export default (req, res) => res.end(process.env.WORD);\n');
    save('dev.conf', 'WORD=one\nWEB_CONCURRENCY=3\nSETTLE_TIME=60\n');
    const server = await dev('app.js', { args: ['--env-file', 'dev.conf'] }).serving();
    await answers(server, 'one');
    save('dev.conf', 'WORD=two\nWEB_CONCURRENCY=4\nSETTLE_TIME=60\n');
    await answers(server, 'two');
    save('dev.conf', 'WORD="three"\n');
    await server.says(/^reload abandoned, .*dev\.conf line 1: expected NAME=value/m, SHOWN_MS);
    await answers(server, 'two');
    await eventually(() => server.workers().length === 1, 'one worker');
  });

  it('watches build output where the app lies in it', async () => {
    save('src/app.ts', says('one'));
    save('dist/app.js', says('one'));
    const server = await dev('dist/app.js').serving();
    save('src/app.ts', says('two'));
    await stays(
      () => reloads(server).length === 0,
      () => server.log,
      NO_RELOAD_MS,
    );
    save('dist/app.js', says('two'));
    await answers(server, 'two');
  });

  it('starts and sees a save with 10 000 files beside it, and as many in packages', async () => {
    save('app.js', says('one'));
    for (const place of ['src', 'node_modules'])
      for (let i = 0; i < 100; i++) {
        mkdirSync(join(folder, place, String(i)), { recursive: true });
        for (let j = 0; j < 100; j++) writeFileSync(join(folder, place, String(i), `${j}.js`), '');
      }
    const server = dev('app.js');
    await server.says(/^Visit /m, 5000);
    save('app.js', says('two'));
    await answers(server, 'two');
    save('src/99/99.js', '1');
    await server.says(/^reloaded: src\/99\/99\.js changed/m, SERVES_MS);
  }).timeout(60_000);

  it('on a full inotify table serves, says what to raise, and sees a save all the same', async () => {
    save('lib/word.js', "export default 'one';");
    save('app.js', "import word from './lib/word.js';\nexport default (req, res) => res.end(word);\n");
    const few = 'echo 1 > /proc/sys/user/max_inotify_watches && exec "$@"';
    const server = await dev('app.js', { under: ['unshare', '-Ur', 'sh', '-c', few, 'sh'] }).serving();
    await server.says(
      /^files are looked at instead of watched: ENOSPC: .*; raise fs\.inotify\.max_user_watches to be told of them at once$/m,
    );
    save('lib/word.js', "export default 'two';");
    await answers(server, 'two');
    save('app.js', 'const a = ;');
    await server.says(/app\.js:1: does not parse/, SERVES_MS);
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
  });

  describe('of TypeScript', () => {
    const APP = `import type { IncomingMessage, ServerResponse } from 'node:http';
export default (_req: IncomingMessage, res: ServerResponse): void => {
  res.end('one');
};
`;
    /** Fails unless it serves APP, shows a broken save of it in its place, and serves a mended one. */
    async function expectToDevelop(server: Running): Promise<void> {
      await server.serving();
      await answers(server, 'one');
      save('app.ts', APP.replace("'one'", ';'));
      await server.says(/app\.ts:3: does not parse: .*\n {4}app\.ts:3:11\n/, SERVES_MS);
      await server.says(/^ {4}> 3 \| {3}res\.end\(;\);\n {8}\| {11}\^$/m, SHOWN_MS);
      await answers(server, 'one');
      save('app.ts', APP.replace('one', 'two'));
      await answers(server, 'two');
    }

    it('runs it by Node itself where that can, else says what to install', async () => {
      save('app.ts', APP);
      const server = dev('app.ts');
      if (process.allowedNodeEnvironmentFlags.has('--experimental-strip-types')) {
        await expectToDevelop(server);
        return;
      }
      expect(await server.end()).to.deep.equal({ code: 78, signal: null });
      expect(server.err).to.equal(
        `app.ts: expected Node 22.18 or later, or tsx (npm install --save-dev tsx), got Node ${process.versions.node} alone\n`,
      );
    });

    it('runs it by tsx where the project has it, with all that is more than types', async () => {
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(join(ROOT, 'node_modules', 'tsx'), join(folder, 'node_modules', 'tsx'));
      save('app.ts', APP.replace(';\n', '; enum Kind { A }; void Kind.A;\n'));
      await expectToDevelop(dev('app.ts'));
    });
  });

  it('ends where the port is taken, as that is mended by no save', async () => {
    save('app.js', says('one'));
    const server = await dev('app.js').serving();
    const second = dev('app.js', { env: { PORT: String(server.port) } });
    expect(await second.end()).to.deep.equal({ code: 1, signal: null });
    expect(second.err).to.equal(`Port ${server.port} is already in use\n`);
  });

  it('refuses an app that is not there, or no app, in one line', async () => {
    const missing = dev('nope.js');
    expect(await missing.end()).to.deep.equal({ code: 78, signal: null });
    expect(missing.err).to.equal('nope.js: expected a module, got no such file\n');
    const none = launch({ args: ['dev'] });
    expect(await none.end()).to.deep.equal({ code: 2, signal: null });
    expect(none.err).to.equal('expected dev [--env-file FILE] APP, got `dev`\n');
  });
});
