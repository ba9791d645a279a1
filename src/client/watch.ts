// `status --watch`: shows the status anew every second until it is interrupted, through restarts of the server.

import { statusIn, type ToldStatus } from './answers.ts';
import type { Control } from './connection.ts';
import { duration } from './figures.ts';
import { statusPage } from './status-table.ts';
import type { Size, Terminal } from './terminal.ts';
import { cutLine, type Line, MAX_COLUMNS, page, piece, shown, widthOfLine, written } from './text.ts';

/** How often the status is shown. */
const EVERY_MS = 1000;

/** What is known: the last status, and since when there has been none. */
interface Seen {
  readonly status: ToldStatus | undefined;
  /** Why there is none now, and since when (ms); undefined = it is there. */
  readonly lost: { readonly why: string; readonly since: number } | undefined;
}

/** One way to show what is seen. */
interface View {
  readonly show: (seen: Seen) => void;
  readonly close: () => void;
}

/** Resolves when it is interrupted. `find` is asked again, as for the first time, when the server has gone. */
export async function watch(
  first: Control,
  find: () => Promise<Control | string>,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const view = json ? jsonView(terminal) : terminal.redraws ? screenView(terminal) : pipeView(terminal);
  const ended = terminal.untilInterrupted(view.close);
  const interrupted = new Promise<void>((resolve) => {
    if (ended.aborted) resolve();
    ended.addEventListener('abort', () => resolve());
  });
  let control: Control | string = first;
  let seen: Seen = { status: undefined, lost: undefined };
  const look = async (): Promise<void> => {
    try {
      if (typeof control === 'string') control = await find();
      if (typeof control === 'string') throw new Error('the server went away');
      seen = { status: statusIn(await control.get('/status')), lost: undefined };
    } catch (error) {
      control = '';
      const why = whyOf(error);
      seen = { ...seen, lost: { why, since: seen.lost?.since ?? performance.now() } };
    }
  };
  terminal.onResize(() => {
    if (!ended.aborted && terminal.redraws && !json) view.show(seen);
  });
  try {
    while (!ended.aborted) {
      const next = performance.now() + EVERY_MS;
      await Promise.race([look(), interrupted]);
      if (ended.aborted) break;
      view.show(seen);
      await Promise.race([pause(next - performance.now()), interrupted]);
    }
  } finally {
    view.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** What a connection says that nobody accepts, or that ends early. */
const GONE = ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'];

function whyOf(error: unknown): string {
  if (GONE.includes(String((error as NodeJS.ErrnoException).code))) return 'the server went away';
  return error instanceof Error ? error.message : String(error);
}

/** One line of JSON a second; that there is no server is said once, on stderr. */
function jsonView({ out, err }: Terminal): View {
  const sayLost = once(err);
  return {
    show: ({ status, lost }) => {
      sayLost(lost?.why);
      if (status && !lost) out(`${JSON.stringify(status)}\n`);
    },
    close: () => {},
  };
}

/** One page a second, an empty line between two; that there is no server is said once. */
function pipeView({ out, colours }: Terminal): View {
  let between = '';
  const sayNext = (text: string): void => {
    out(`${between}${text}`);
    between = '\n';
  };
  const sayLost = once(sayNext);
  return {
    show: ({ status, lost }) => {
      sayLost(lost?.why);
      if (status && !lost) sayNext(page(statusPage(status), MAX_COLUMNS, colours));
    },
    close: () => {},
  };
}

/** Writes each reason once, until there is none. */
function once(write: (text: string) => void): (why: string | undefined) => void {
  let last: string | undefined;
  return (why) => {
    if (why !== undefined && last === undefined) write(`${shown(why)}\n`);
    last = why;
  };
}

const HOME = '\u001b[H';
const CLEAR_REST_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** One page that is drawn over, as high and as wide as the terminal. */
function screenView({ out, colours, size }: Terminal): View {
  let drawn = false;
  return {
    show: (seen) => {
      const now = size() ?? { columns: 80, rows: 24 };
      // What stood there moves up out of sight, where it can be scrolled back to.
      const makeRoom = drawn ? '' : '\n'.repeat(now.rows - 1);
      drawn = true;
      out(HIDE_CURSOR + makeRoom + frame(linesOf(seen, now), now, colours));
    },
    close: () => {
      if (drawn) out(`${SHOW_CURSOR}\n`);
      drawn = false;
    },
  };
}

/** The page; without a server, since when, and above what was there last. */
function linesOf({ status, lost }: Seen, { columns, rows }: Size): Line[] {
  if (!lost) return status ? statusPage(status, { columns, rows }) : [];
  const since = duration((performance.now() - lost.since) / 1000);
  const notice: Line[] = [
    [piece(`${shown(lost.why)} (${since} ago); looking for it until Ctrl-C`, 'bad')],
    [],
  ];
  const last = status ? statusPage(status, { columns, rows: Math.max(0, rows - notice.length) }) : [];
  return [...notice, ...last.map((line) => line.map(({ text }) => piece(text, 'dim')))];
}

/** The lines from the upper left corner on, over what stood there. */
export function frame(lines: readonly Line[], { columns, rows }: Size, colours: boolean): string {
  const texts = lines.slice(0, rows).map((line) => {
    const fitting = cutLine(line, columns);
    // Behind a full line the cursor is still on its last character, which would be cleared with the rest.
    const rest = widthOfLine(fitting) < columns ? CLEAR_REST_OF_LINE : '';
    return `${written(fitting, colours)}${rest}`;
  });
  // At the end of a screen that is full there is nothing below.
  const below = lines.length < rows ? `\n${CLEAR_BELOW}` : '';
  return `${HOME}${texts.join('\n')}${below}`;
}
