// docs/platforms.md: what it says to set on each platform against the code, and the files that it shows.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../../src/core/config.ts';
import { STOP_MARGIN_MS } from '../../src/core/deadlines.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, read } from '../helpers/manual.ts';
import { UserProject } from '../helpers/project.ts';
import { exchange, request } from '../helpers/raw.ts';
import { ROOT } from '../helpers/server.ts';

/** The rows of the first table: the platform, seconds to KILL, seconds of idle connections, settings. */
const ROWS = read('docs/platforms.md')
  .lines.filter(({ anchor, text }) => anchor === 'on-platforms' && /^\| \[/.test(text))
  .map(({ text }) => text.split('|').map((cell) => cell.trim()))
  .map(([, name = '', kill = '', idle = '', set = '']) => ({
    name: name.replace(/^\[(.*)\]\(.*\)$/, '$1'),
    killMs: 1000 * Number.parseFloat(kill),
    idleMs: 1000 * Number.parseFloat(idle),
    env: Object.fromEntries([...set.matchAll(/`(\w+)=([^`]*)`/g)].map(([, key, value]) => [key, value])),
  }));

describe('docs/platforms.md', () => {
  it('has a row for each platform that it has a section on', () => {
    const sections = read('docs/platforms.md').lines.flatMap(({ text }) => /^## (.*)$/.exec(text)?.[1] ?? []);
    expect(ROWS.map(({ name }) => name)).to.deep.equal(sections);
  });

  for (const { name, killMs, idleMs, env } of ROWS) {
    it(`has settings for ${name} that fit its deadlines`, () => {
      const { config, errors } = readConfig(name === 'Kubernetes' ? { SHUTDOWN_DELAY: '5' } : env);
      expect(errors).to.deep.equal([]);
      if (name !== 'Kubernetes') expect(config.logFormat).to.equal('json');
      if (!Number.isNaN(killMs))
        expect(config.shutdownDelayMs + config.shutdownTimeoutMs + STOP_MARGIN_MS).to.be.below(killMs);
      if (!Number.isNaN(idleMs)) expect(config.keepAliveTimeoutMs).to.be.above(idleMs);
      expect(config.drainTimeoutMs).to.be.above(config.keepAliveTimeoutMs);
    });
  }

  it('leaves in a bundle for Elastic Beanstalk what runs there, and nothing that it makes itself', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-server-bundle-'));
    try {
      // git reads this file as eb does: by the rules of a .gitignore.
      writeFileSync(join(folder, '.gitignore'), block('docs/platforms.md#aws-elastic-beanstalk'));
      for (const name of [
        'Procfile',
        'package.json',
        'dist/main.js',
        'node_modules/pino/a.js',
        'build/a.js',
      ]) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), '');
      }
      cpSync(join(ROOT, 'Procfile'), join(folder, 'Procfile'));
      execFileSync('git', ['init', '-q'], { cwd: folder });
      const kept = execFileSync('git', ['ls-files', '--others', '--exclude-standard'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(kept.trim().split('\n')).to.have.members([
        '.gitignore',
        'Procfile',
        'dist/main.js',
        'package.json',
      ]);
      const [, program = ''] =
        /^web: exec node (\S+)$/m.exec(readFileSync(join(folder, 'Procfile'), 'utf8')) ?? [];
      expect(kept.split('\n')).to.include(program);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has a startup command for App Service that is the one of the Procfile, and that a TERM stops', async function () {
    this.timeout(60_000);
    const project = new UserProject().install();
    try {
      await project.types('npx hello-server init procfile');
      const line = block('docs/platforms.md#azure-app-service').trim();
      expect(project.read('Procfile')).to.equal(`web: ${line}\n`);
      const port = await freePort();
      // The last line of a shell script that sets PORT.
      const server = project.starts(`export PORT=${port}\n${line}`);
      await server.says(/^Visit http:\/\/localhost/m, 20_000);
      expect((await exchange(port, request('GET', '/'))).body).to.equal('Hello from Express');
      process.kill(server.pid, 'SIGTERM');
      expect(await server.end()).to.deep.equal({ code: 0, signal: null });
      expect(server.out).to.match(/^Server closed successfully$/m);
    } finally {
      project.remove();
    }
  });
});
