import { expect } from 'chai';
import { LOG_LEVELS, type LogLevel } from '../../src/core/config.ts';
import { isLogged, lineWriter } from '../../src/log/logger.ts';
import type { Line } from '../../src/log/wording.ts';

interface Said {
  out: string;
  err: string;
}

/** What a log of this format and level says of the lines. */
async function said(format: 'text' | 'json', level: LogLevel, lines: readonly Line[]): Promise<Said> {
  const heard: Said = { out: '', err: '' };
  const output = {
    out: (text: string) => {
      heard.out += text;
    },
    err: (text: string) => {
      heard.err += text;
    },
  };
  const log = lineWriter(format, level, output, { worker: 1, generation: 2 });
  for (const line of lines) log(line);
  return heard;
}

const EVERY: readonly Line[] = LOG_LEVELS.flatMap((level) =>
  level === 'silent' ? [] : [{ level, text: `at ${level}` }],
);

describe('the log', () => {
  for (const format of ['text', 'json'] as const) {
    describe(`as ${format}`, () => {
      it('has what is expected on stdout and errors on stderr', async () => {
        const { out, err } = await said(format, 'trace', EVERY);
        const levels = (text: string) => [...text.matchAll(/at (\w+)/g)].map(([, level]) => level);
        expect(levels(out)).to.deep.equal(['trace', 'debug', 'info', 'warn']);
        expect(levels(err)).to.deep.equal(['error', 'fatal']);
      });

      it('says nothing below its level, and nothing at all at silent', async () => {
        const { out, err } = await said(format, 'warn', EVERY);
        expect([out.split('\n').length - 1, err.split('\n').length - 1]).to.deep.equal([1, 2]);
        expect(await said(format, 'silent', EVERY)).to.deep.equal({ out: '', err: '' });
      });

      it('has no raw control character in a line, C1 and DEL included', async () => {
        const codes = [...Array(32).keys(), ...Array.from({ length: 33 }, (_, index) => 127 + index)];
        const nasty = codes.map((code) => String.fromCharCode(code)).join('|');
        const { err } = await said(format, 'info', [
          { level: 'error', text: nasty, stack: `Error: ${nasty}` },
        ]);
        const raw = [...err.replaceAll('\n', '')].filter((char) => /\p{Cc}/u.test(char));
        expect(raw).to.deep.equal([]);
      });
    });
  }

  it('lets through what is as loud as its level, or louder', () => {
    expect(isLogged('info', 'warn')).to.equal(true);
    expect(isLogged('info', 'info')).to.equal(true);
    expect(isLogged('info', 'debug')).to.equal(false);
    expect(isLogged('silent', 'fatal')).to.equal(false);
  });

  describe('as text', () => {
    it('is the sentence alone', async () => {
      const { out } = await said('text', 'info', [
        { level: 'info', text: 'Server closed successfully', data: { a: 1 } },
      ]);
      expect(out).to.equal('Server closed successfully\n');
    });

    it('has the stack below, every line of it indented', async () => {
      const stack = 'Error: boom\n    at run (app.js:1)\r\n2024-01-01T12:00:00.000Z - GET /forged';
      const { err } = await said('text', 'info', [{ level: 'error', text: 'app failed', stack }]);
      const [first, ...rest] = err.trimEnd().split('\n');
      expect(first).to.equal('app failed');
      expect(rest).to.deep.equal([
        '    Error: boom',
        '        at run (app.js:1)',
        '    2024-01-01T12:00:00.000Z - GET /forged',
      ]);
    });

    it('lets no text pass for a line of its own', async () => {
      const { err } = await said('text', 'info', [
        { level: 'error', text: 'boom\nServer closed successfully\rx\u001b[2J' },
      ]);
      expect(err).to.equal('boom\n    Server closed successfully\\x0dx\\x1b[2J\n');
    });
  });

  describe('as json', () => {
    it('is one pino line: level as a word, ISO time, pid, worker, generation and msg, and no hostname', async () => {
      const { out } = await said('json', 'info', [{ level: 'info', text: 'reloaded', data: { reload: 3 } }]);
      const { time, ...fields } = JSON.parse(out);
      expect(fields).to.deep.equal({
        level: 'info',
        pid: process.pid,
        worker: 1,
        generation: 2,
        reload: 3,
        msg: 'reloaded',
      });
      expect(new Date(time).toISOString()).to.equal(time);
      expect(out).to.match(/^[^\n]*\n$/);
    });

    it('has the stack in err.stack', async () => {
      const stack = 'Error: boom\n    at run (app.js:1)';
      const { err } = await said('json', 'info', [{ level: 'fatal', text: 'boom', stack }]);
      expect(JSON.parse(err)).to.deep.include({ level: 'fatal', err: { stack } });
      expect(err).to.match(/^[^\n]*\n$/);
    });

    it('reads back as it was, whatever it holds', async () => {
      const text = 'a\nb\u0000\u001b\u007f\u0085\u009b"\\ü\u2028';
      const { out } = await said('json', 'info', [{ level: 'info', text, data: { name: text } }]);
      const { msg, name } = JSON.parse(out);
      expect([msg, name]).to.deep.equal([text, text]);
    });
  });
});
