// The commands of README.md that a newcomer types in a clone, as they stand.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block } from '../helpers/manual.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, ROOT } from '../helpers/server.ts';

/** An install of all packages over the network, and a build. */
const INSTALL_MS = 150_000;

describe('README.md, in a clone', function () {
  this.timeout(INSTALL_MS + 30_000);
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-clone-'));
  after(() => rmSync(folder, { recursive: true, maxRetries: 3 }));

  it('installs, builds and starts by one line, and ends by Ctrl-C', async () => {
    const names = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
    for (const name of names.split('\0').filter((one) => one !== '' && !one.startsWith('test/')))
      cpSync(join(ROOT, name), join(folder, dirname(name), name.slice(name.lastIndexOf('/') + 1)));
    const port = await freePort();
    // A group of its own: Ctrl-C goes to all that a terminal has in the foreground.
    const child = spawn('sh', ['-c', block('README.md#try-it-from-a-clone')], {
      cwd: folder,
      detached: true,
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk;
      });
    try {
      const listens = `Server listening on port ${port}\nVisit http://localhost:${port} or use curl -v http://localhost:${port}\n`;
      await eventually(() => said.includes(listens) || child.exitCode !== null, 'it listens', INSTALL_MS);
      expect(said).to.include(listens);
      const answer = await exchange(port, request('GET', '/', 'Connection: close'));
      expect(answer.body).to.equal('Hello, World!');
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      await ended;
    }
    expect(said).to.match(
      /Received SIGINT, shutting down gracefully\.\.\.\n(?:\S+ - GET \/\n)?Server closed successfully\n$/,
    );
  });

  it('is tested by the line that it names, which continuous integration runs first', () => {
    const ci = readFileSync(join(ROOT, '.ci', 'run'), 'utf8').replaceAll(/bounded \d+ /g, '');
    const [first] = ci.split('\n').filter((line) => line.startsWith('npm '));
    expect(block('README.md#try-it-from-a-clone:2').trim()).to.equal(first);
  });
});
