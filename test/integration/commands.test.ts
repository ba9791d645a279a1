// The commands that show something, as processes, against a control server of the test's own.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { inFlight, status } from '../client/made-up.ts';
import { type Answers, endControl, fakeControl } from '../helpers/fake-control.ts';
import { launch, MAIN, type Running } from '../helpers/server.ts';

describe('a command that shows something', () => {
  let folder: string;
  let path: string;
  let server: Server | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    path = join(folder, 'control.sock');
  });
  afterEach(async () => {
    if (server) await endControl(server);
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const answering = async (answers: Answers): Promise<void> => {
    server = await fakeControl(path, answers);
  };
  const TOP = { total: 3, requests: [inFlight()], silent: [{ worker: 1, pid: 123 }] };
  const ALL: Answers = {
    '/status': () => status(),
    '/top': () => TOP,
    '/metrics': () => '# HELP x é\nx{a="\\n"} 1\n',
  };
  const run = (line: string, options: { env?: Record<string, string>; under?: string[] } = {}): Running =>
    launch({ ...options, args: line.split(' '), env: { CONTROL_SOCKET: path, ...options.env } });
  const result = async (line: string): Promise<{ code: number | null; out: string; err: string }> => {
    const running = run(line);
    const { code } = await running.end();
    return { code, out: running.out, err: running.err };
  };

  it('is a page, in a pipe without an escape', async () => {
    await answering(ALL);
    const { code, out, err } = await result('status');
    expect([code, err]).to.deep.equal([0, '']);
    expect(out)
      .to.match(/^hello-server 1\.0\.0 running on port 3000: 2 of 2 workers ready, /)
      .and.not.to.include('\u001b');
  });

  it('is an object as the server told it', async () => {
    await answering(ALL);
    expect(JSON.parse((await result('status --json')).out)).to.deep.equal(status());
    expect(JSON.parse((await result('top --json')).out)).to.deep.equal(TOP);
  });

  it('lists the requests in flight', async () => {
    await answering(ALL);
    const { code, out } = await result('top');
    expect(code).to.equal(0);
    expect(out.split('\n').slice(1)).to.deep.equal([
      '12s       1  1579  GET     /report?year=2026  192.0.2.17',
      '… and 2 more',
      'worker 1 (pid 123) did not answer: it hangs or is busy',
      '',
    ]);
  });

  it('prints the metrics as they are', async () => {
    await answering(ALL);
    expect(await result('metrics')).to.deep.equal({ code: 0, out: '# HELP x é\nx{a="\\n"} 1\n', err: '' });
  });

  for (const name of ['top', 'metrics']) {
    it(`of an older server, which has no ${name}, is exit 1 with one line`, async () => {
      await answering({ '/status': () => status() });
      expect(await result(name)).to.deep.equal({
        code: 1,
        out: '',
        err: `${name} failed: this server is older than the command and has no /${name}\n`,
      });
    });
  }

  for (const [line, answer, problem] of [
    ['status', {}, 'status failed: expected a status, got something else'],
    ['status', [null], 'status failed: expected a status, got something else'],
    ['top', { requests: [1], silent: [] }, 'top failed: expected requests in flight, got something else'],
    ['top', 'hello', 'top failed: expected JSON from /top, got something else'],
  ] as const) {
    it(`got ${JSON.stringify(answer)} for its ${line} is exit 1 with one line`, async () => {
      await answering({
        '/status': () => (line === 'status' ? answer : status()),
        [`/${line}`]: () => answer,
      });
      expect(await result(line)).to.deep.equal({ code: 1, out: '', err: `${problem}\n` });
    });
  }

  for (const line of ['status --watch', 'status --watch --json', 'top', 'metrics']) {
    it(`is exit 1 without a server: ${line}`, async () => {
      expect(await result(line)).to.deep.equal({
        code: 1,
        out: '',
        err: `no server answers; looked at ${path}\n`,
      });
    });
  }

  describe('status --watch', () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`ends with 0 on ${signal}`, async () => {
        await answering(ALL);
        const watching = run('status --watch');
        await watching.says(/^hello-server /);
        watching.signal(signal);
        expect(await watching.end()).to.deep.equal({ code: 0, signal: null });
        expect(watching.err).to.equal('');
      });
    }

    for (const line of ['status --watch', 'status --watch --json']) {
      it(`ends quietly when nobody reads on: ${line}`, async () => {
        await answering(ALL);
        // Its own code and what it says on stderr, behind the one line that is read.
        const shell = `{ "$@"; echo "code $?" >&2; } | head -1`;
        const watching = run(line, { under: ['bash', '-c', shell, 'bash'] });
        await watching.end();
        expect(watching.err).to.equal('code 0\n');
        expect(watching.out.trimEnd().split('\n')).to.have.length(1);
      });
    }

    it('in a terminal is drawn in place and in colours; Ctrl-C ends it with 0, and the cursor is back', async () => {
      await answering({
        '/status': () => status({ health: { live: true, ready: false, reason: 'it waits' } }),
      });
      // The terminal's own input, where Ctrl-C is typed.
      const line = `stty rows 24 cols 100; exec '${process.execPath}' '${MAIN}' status --watch`;
      const terminal = spawn('script', ['-qefc', line, '/dev/null'], {
        env: { PATH: process.env.PATH, CONTROL_SOCKET: path, TERM: 'xterm', SHELL: '/bin/bash' },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let out = '';
      const drawn = new Promise<void>((resolve) => {
        terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
          out += text;
          if (out.split('\u001b[H').length > 2) resolve();
        });
      });
      const ended = new Promise<number | null>((resolve) => terminal.once('close', resolve));
      const late = setTimeout(() => terminal.kill('SIGKILL'), 10_000);
      await Promise.race([drawn, ended]);
      terminal.stdin.write('\u0003');
      expect(await ended, out).to.equal(0);
      clearTimeout(late);
      expect(out).to.include('\u001b[31mnot ready: it waits\u001b[39m\u001b[K\r\n');
      expect(out.startsWith(`\u001b[?25l${'\r\n'.repeat(23)}\u001b[H`)).to.equal(true);
      expect(out.endsWith('\u001b[?25h\r\n')).to.equal(true);
    });

    it('in a terminal that only prints is as in a pipe', async () => {
      await answering(ALL);
      const watching = run('status --watch', {
        env: { TERM: 'dumb', SHELL: '/bin/bash' },
        under: ['bash', '-c', `exec script -qefc "$(printf '%q ' "$@")" /dev/null`, 'bash'],
      });
      await watching.says(/hello-server (?:.+\r\n|\r\n)+hello-server /);
      watching.signal('SIGTERM');
      await watching.end();
      expect(watching.out).not.to.include('\u001b');
    });
  });
});
