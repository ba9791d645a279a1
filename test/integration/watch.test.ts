import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Control, type Looked } from '../../src/client/connection.ts';
import type { Size, Terminal } from '../../src/client/terminal.ts';
import { piece } from '../../src/client/text.ts';
import { frame, watch } from '../../src/client/watch.ts';
import type { Status } from '../../src/control/status.ts';
import { status, workers } from '../client/made-up.ts';
import { endControl, fakeControl } from '../helpers/fake-control.ts';
import { eventually } from '../helpers/server.ts';

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

describe('status --watch', () => {
  let folder: string;
  let path: string;
  let server: Server;
  let told: Status;
  let out: string;
  let err: string;
  let size: Size | undefined;
  let interrupt: AbortController;
  let resized: () => void;
  let pausing: () => void;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    path = join(folder, 'control.sock');
    told = status();
    out = '';
    err = '';
    size = undefined;
    interrupt = new AbortController();
    resized = pausing = () => {};
    server = await fakeControl(path, { '/status': () => told });
  });
  afterEach(async () => {
    interrupt.abort();
    await endControl(server);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Watches as on a terminal where there is a size, else as in a pipe; the result says that it has come to its end. */
  const begin = (json = false): { readonly ended: Promise<void> } => {
    const terminal: Terminal = {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      pour: () => Promise.reject(new Error('expected nothing to be poured')),
      colours: false,
      redraws: size !== undefined,
      size: () => size,
      onResize: (callback) => {
        resized = callback;
      },
      untilInterrupted: (before) => {
        pausing = before;
        return interrupt.signal;
      },
    };
    const looked: Looked = { env: {}, tmp: folder, uid: 1, explicit: path, port: 3000, host: undefined };
    return { ended: watch(new Control(path, undefined), () => Control.find(looked), json, terminal) };
  };
  const says = (text: string): Promise<void> =>
    eventually(() => out.includes(text), text).catch((error: Error) => {
      throw new Error(`${error.message}; it shows:\n${out}`);
    });
  const shows = (pid: number): Promise<void> => says(`pid ${pid},`);

  describe('in a pipe', () => {
    it('prints the page every second without an escape, an empty line between two, until it is interrupted', async () => {
      const watching = begin();
      await shows(1563);
      told = { ...told, pid: 77 };
      await shows(77);
      interrupt.abort();
      await watching.ended;
      expect(out).not.to.include('\u001b');
      const pages = out.split(/^(?=hello-server)/m);
      expect(pages).to.have.length.above(1);
      expect(pages.slice(0, -1).every((one) => /\n {5}1 +1579 .*\n\n$/.test(one))).to.equal(true);
      expect(pages.at(-1)).to.match(/\n {5}1 +1579 .*\n$/);
    });

    it('says once that the server went away, and shows the next one', async () => {
      const watching = begin();
      await shows(1563);
      await endControl(server);
      await says('\nthe server went away\n');
      await eventually(() => !server.listening, 'it has gone');
      told = { ...told, pid: 77 };
      server = await fakeControl(path, { '/status': () => told });
      await shows(77);
      expect(out.match(/went away/g)).to.have.length(1);
      interrupt.abort();
      await watching.ended;
    });

    it('as JSON is one line each, and nothing else on stdout', async () => {
      const watching = begin(true);
      await says('\n');
      await endControl(server);
      await eventually(() => err === 'the server went away\n', 'stderr says that it has gone');
      server = await fakeControl(path, { '/status': () => told });
      told = { ...told, pid: 77 };
      await says('"pid":77,');
      interrupt.abort();
      await watching.ended;
      const lines = out.trimEnd().split('\n');
      expect(JSON.parse(lines.at(-1) ?? '')).to.deep.equal(told);
      expect(new Set(lines.map((line) => JSON.parse(line).pid))).to.deep.equal(new Set([1563, 77]));
    });

    it('says what it got where that is no status', async () => {
      await endControl(server);
      server = await fakeControl(path, { '/status': () => '<p>hello</p>' });
      const watching = begin();
      await says('expected JSON from /status, got something else\n');
      interrupt.abort();
      await watching.ended;
    });

    it('ends at once also while a server does not answer', async () => {
      await endControl(server);
      let asked = false;
      server = createServer(() => {
        asked = true;
      }).listen(path);
      const watching = begin();
      await eventually(() => asked, 'it is asked');
      interrupt.abort();
      await watching.ended;
      expect(out).to.equal('');
    });
  });

  describe('on a terminal', () => {
    it('draws over what it drew before, without a cursor, which is back at the end', async () => {
      size = { columns: 100, rows: 24 };
      const watching = begin();
      await shows(1563);
      told = { ...told, pid: 77 };
      await shows(77);
      interrupt.abort();
      await watching.ended;
      const [before, first, second] = out.split('\u001b[H');
      // What stood on the screen is moved up, once.
      expect(before).to.equal(HIDE + '\n'.repeat(23));
      const [line = ''] = first?.split('\n') ?? [];
      expect(line.startsWith('hello-server ') && line.endsWith('\u001b[K'), line).to.equal(true);
      expect(first).to.include('\n\u001b[J').and.to.include(HIDE);
      expect(second?.endsWith(`\u001b[J${SHOW}\n`)).to.equal(true);
      expect(out).not.to.include('\u001b[2J').and.not.to.include('\u001b[?1049');
    });

    it('fits the terminal, also when its size changes', async () => {
      told = status({ workers: workers(64) });
      size = { columns: 60, rows: 20 };
      const watching = begin();
      await says('… 52 more workers');
      out = '';
      size = { columns: 60, rows: 10 };
      resized();
      expect(out).to.include('… 62 more workers');
      interrupt.abort();
      await watching.ended;
    });

    it('keeps what was there last below the line that says that the server went away', async () => {
      size = { columns: 100, rows: 24 };
      const watching = begin();
      await shows(1563);
      await endControl(server);
      await says('the server went away (');
      const last = out.slice(out.lastIndexOf('\u001b[H'));
      const [line = ''] = last.slice('\u001b[H'.length).split('\u001b[K\n');
      expect(line).to.match(/^the server went away \(\ds ago\); looking for it until Ctrl-C$/);
      expect(last).to.include('pid 1563,');
      interrupt.abort();
      await watching.ended;
    });

    it('shows the cursor while it is stopped', async () => {
      size = { columns: 100, rows: 24 };
      const watching = begin();
      await shows(1563);
      pausing();
      expect(out.endsWith(`${SHOW}\n`)).to.equal(true);
      interrupt.abort();
      await watching.ended;
    });
  });

  it('cuts lines to the width, and clears no character of a line that is full', () => {
    const lines = [[piece('abcdef')], [piece('abc')], [piece('ab')]];
    expect(frame(lines, { columns: 3, rows: 9 }, false)).to.equal('\u001b[Hab…\nabc\nab\u001b[K\n\u001b[J');
    expect(frame(lines, { columns: 3, rows: 2 }, false)).to.equal('\u001b[Hab…\nabc');
  });
});
