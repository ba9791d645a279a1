// The sink against real pipes, files and sockets, with a reader that the test stalls.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Sink } from '../../src/log/sink.ts';
import { eventually } from '../helpers/server.ts';

const dropped = (lines: number): string => `dropped ${lines}\n`;
/** More than a pipe and the backlog hold together. */
const FLOOD_LINES = 40_000;
const FLOOD_LINE = (index: number): string => `line ${index} ${'x'.repeat(60)}\n`;
/** What is never to block may take so long on a busy machine. */
const AT_ONCE_MS = 1000;

/** A FIFO with both ends open here; nobody reads until the test does. */
class Pipe {
  readonly reader: number;
  readonly writer: number;
  received = '';

  constructor(folder: string) {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    this.reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY);
  }

  /** Reads what there is. */
  read(): string {
    const buffer = Buffer.alloc(65_536);
    try {
      for (;;) {
        const length = readSync(this.reader, buffer);
        if (length === 0) break;
        this.received += buffer.toString('utf8', 0, length);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return this.received;
  }

  async reads(pattern: RegExp): Promise<string> {
    await eventually(() => pattern.test(this.read()), `the reader has ${pattern}`, 5000);
    return this.received;
  }
}

/** Fails unless all are whole lines of the flood, in order, and one that says what was dropped. */
function expectWholeLines(received: string): void {
  const lines = received.trimEnd().split('\n');
  const said = lines.filter((line) => line.startsWith('dropped'));
  const kept = lines.filter((line) => !line.startsWith('dropped'));
  expect(received.endsWith('\n')).to.equal(true);
  for (const line of kept) expect(line).to.match(/^line \d+ x{60}$/);
  const numbers = kept.map((line) => Number(line.split(' ')[1]));
  expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
  expect(said).to.deep.equal([`dropped ${FLOOD_LINES - kept.length}`]);
}

const timed = (run: () => void): number => {
  const start = performance.now();
  run();
  return performance.now() - start;
};

describe('the sink', () => {
  let folder = '';
  const open = new Set<number>();
  const children = new Set<ChildProcess>();
  const keep = (...fds: number[]): void => {
    for (const fd of fds) open.add(fd);
  };
  const close = (fd: number): void => {
    open.delete(fd);
    closeSync(fd);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-sink-'));
  });

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    for (const fd of [...open]) close(fd);
    rmSync(folder, { recursive: true, force: true });
  });

  const pipe = (): Pipe => {
    const made = new Pipe(folder);
    keep(made.reader, made.writer);
    return made;
  };

  describe('on a pipe', () => {
    it('writes lines as they come', () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      sink.write('one\n');
      sink.write(Buffer.from('two ü\nthree\n'));
      expect(to.read()).to.equal('one\ntwo ü\nthree\n');
    });

    it('never blocks on a reader that stalls, keeps lines whole, and says how many it dropped when the reader is back', async () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      const ms = timed(() => {
        for (let index = 0; index < FLOOD_LINES; index++) sink.write(FLOOD_LINE(index));
      });
      expect(ms).to.be.below(5 * AT_ONCE_MS);
      expectWholeLines(await to.reads(/dropped \d+\n$/));
    });

    it('goes on as usual after that', async () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      for (let index = 0; index < FLOOD_LINES; index++) sink.write(FLOOD_LINE(index));
      await to.reads(/dropped \d+\n$/);
      sink.write('back\n');
      expect(to.read()).to.match(/dropped \d+\nback\n$/);
    });

    it('flushes what waits for the reader no longer than it is told', () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      for (let index = 0; index < 5000; index++) sink.write(FLOOD_LINE(index));
      const ms = timed(() => sink.flush(200));
      expect(ms).to.be.within(190, 200 + AT_ONCE_MS);
    });

    it('flushes at once when nothing waits', () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      sink.write('one\n');
      expect(timed(() => sink.flush(5000))).to.be.below(AT_ONCE_MS);
    });

    it('writes on by itself after a flush that ended too soon', async () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      for (let index = 0; index < 5000; index++) sink.write(FLOOD_LINE(index));
      sink.flush(20);
      await to.reads(/line 4999 x+\n$/);
    });

    it('keeps lines whole beside another writer of the same pipe', async () => {
      const to = pipe();
      const [one, other] = [new Sink(to.writer, dropped), new Sink(to.writer, dropped)];
      const batch = (name: string, from: number): string =>
        Array.from({ length: 100 }, (_, index) => `${name} ${from + index} ${'y'.repeat(70)}\n`).join('');
      for (let from = 0; from < 2000; from += 100) {
        one.write(batch('one', from));
        other.write(batch('other', from));
      }
      await eventually(() => to.read().split('\n').length > 4000, 'all lines have come', 5000);
      for (const line of to.received.trimEnd().split('\n')) expect(line).to.match(/^(one|other) \d+ y{70}$/);
    });

    it('writes a line that is longer than the pipe in pieces, and whole', async () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      const long = 'z'.repeat(200_000);
      sink.write(`${long}\nnext\n`);
      expect(await to.reads(/next\n$/)).to.equal(`${long}\nnext\n`);
    });

    it('leaves the pipe blocking for others who hold it', () => {
      const to = pipe();
      new Sink(to.writer, dropped).write('one\n');
      const flags =
        /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${to.writer}`, 'utf8'))?.[1] ?? '';
      expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).to.equal(0);
    });

    it('takes a reader that is gone for the end of the log, not of the process', () => {
      const to = pipe();
      const sink = new Sink(to.writer, dropped);
      sink.write('one\n');
      close(to.reader);
      for (let index = 0; index < 1000; index++) sink.write(FLOOD_LINE(index));
      expect(timed(() => sink.flush(5000))).to.be.below(AT_ONCE_MS);
    });
  });

  describe('on a file', () => {
    it('appends all at once, however much it is', () => {
      const path = join(folder, 'log');
      const fd = openSync(path, 'a');
      keep(fd);
      const sink = new Sink(fd, dropped);
      let all = '';
      for (let index = 0; index < FLOOD_LINES; index++) {
        all += FLOOD_LINE(index);
        sink.write(FLOOD_LINE(index));
      }
      expect(readFileSync(path, 'utf8')).to.equal(all);
    });
  });

  describe('on a descriptor that is closed', () => {
    it('writes nothing and throws nothing', () => {
      const fd = openSync(join(folder, 'log'), 'a');
      closeSync(fd);
      const sink = new Sink(fd, dropped);
      sink.write('one\n');
      sink.flush(100);
    });
  });

  describe('on a Unix socket', () => {
    /** A process whose stdout is a socket to us, which runs `body` with a `sink` on it. */
    const writer = (body: string): ChildProcess => {
      const code = `
        import { Sink } from ${JSON.stringify(new URL('../../src/log/sink.js', import.meta.url).href)};
        const sink = new Sink(1, (lines) => 'dropped ' + lines + '\\n');
        const timed = (run) => { const start = performance.now(); run(); return performance.now() - start; };
        ${body}`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      children.add(child);
      return child;
    };
    const flood = `
      const written = timed(() => {
        for (let index = 0; index < ${FLOOD_LINES}; index++) sink.write('line ' + index + ' ' + 'x'.repeat(60) + '\\n');
      });`;

    it('never blocks on a reader that stalls, and says how many it dropped when the reader is back', async () => {
      const child = writer(`${flood}
        process.send({ written });
        process.on('message', () => process.exit(0));`);
      const [{ written }] = await once(child, 'message');
      expect(written).to.be.below(5 * AT_ONCE_MS);
      let received = '';
      child.stdout?.setEncoding('utf8').on('data', (chunk) => {
        received += chunk;
      });
      await eventually(() => /dropped \d+\n$/.test(received), 'the reader hears of dropped lines', 5000);
      expectWholeLines(received);
      child.send('done');
      expect(await once(child, 'exit')).to.deep.equal([0, null]);
    });

    it('flushes no longer than it is told, and exits', async () => {
      const child = writer(`${flood}
        const flushed = timed(() => sink.flush(200));
        process.send({ flushed }, () => process.exit(0));`);
      const [{ flushed }] = await once(child, 'message');
      expect(flushed).to.be.within(190, 200 + AT_ONCE_MS);
      expect(await once(child, 'exit')).to.deep.equal([0, null]);
    });

    it('lives on when the reader is gone', async () => {
      const child = writer(`
        process.on('message', () => {
          ${flood}
          process.send({ written }, () => process.exit(0));
        });
        process.send({});`);
      await once(child, 'message');
      child.stdout?.destroy();
      child.send('write');
      await once(child, 'message');
      expect(await once(child, 'exit')).to.deep.equal([0, null]);
    });
  });
});
