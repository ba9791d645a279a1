// Lines for a terminal: pieces of text, each with a look, that are measured, cut to a width, and coloured at the very end.

import { styleText } from 'node:util';
import { printable } from '../core/config.ts';

/** What a piece of text is to the reader; a colour only repeats what the text says. */
export type Look = 'bad' | 'warn' | 'dim' | 'bold';
export interface Piece {
  readonly text: string;
  readonly look?: Look | undefined;
}
export type Line = readonly Piece[];

/** Nothing is shown wider than this, except on a terminal that is wider, where it is said so. */
export const MAX_COLUMNS = 100;

const STYLES = { bad: 'red', warn: 'yellow', dim: 'dim', bold: 'bold' } as const;
const ELLIPSIS = '…';

export const piece = (text: string, look?: Look): Piece => ({ text, look });

/** A line as text that can be written, without its end. */
export const written = (line: Line, colours: boolean): string =>
  line.map(({ text, look }) => (colours && look && text ? painted(text, look) : text)).join('');

// Whether colours are wanted has been decided before: Node is not to look at stdout itself.
const painted = (text: string, look: Look): string =>
  styleText(STYLES[look], text, { validateStream: false });

/** Lines as text, each with its end, none wider than `width`. */
export const page = (lines: readonly Line[], width: number, colours: boolean): string =>
  lines.map((line) => `${written(cutLine(line, width), colours)}\n`).join('');

/** A text from outside, fit to be shown: on one line, with no character that steers a terminal or is not seen. */
export const shown = (text: unknown): string =>
  printable(String(text)).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** How many columns a text takes at most: whatever might be wide, as Chinese is, counts as two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += char < '\u1100' || char === ELLIPSIS ? 1 : 2;
  return width;
}

export const widthOfLine = (line: Line): number => line.reduce((sum, { text }) => sum + widthOf(text), 0);

/** The text, its end replaced by `…` where it is too wide. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const char of text) {
    used += widthOf(char);
    if (used > width) break;
    kept += char;
  }
  return width < 1 ? '' : kept + ELLIPSIS;
}

/** The text, its beginning replaced by `…` where it is too wide: the end of a path says more. */
export function cutFromLeft(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const char of [...text].toReversed()) {
    used += widthOf(char);
    if (used > width) break;
    kept = char + kept;
  }
  return width < 1 ? '' : ELLIPSIS + kept;
}

/** The line, cut to a width. */
export function cutLine(line: Line, width: number): Line {
  if (widthOfLine(line) <= width) return line;
  const kept: Piece[] = [];
  let left = width;
  for (const [i, { text, look }] of line.entries()) {
    const more = line.slice(i + 1).some((next) => next.text !== '');
    // The column of the ellipsis is kept free as long as anything follows.
    const fits = widthOf(text) <= (more ? left - 1 : left);
    const end = fits ? text : cut(more ? `${text}${ELLIPSIS}` : text, left);
    kept.push({ text: end, look });
    left -= widthOf(end);
    if (!fits) break;
  }
  return kept;
}

/** Pieces one after the other with two spaces between them, on as many lines as it takes. */
export function flow(pieces: readonly Piece[], width: number): Line[] {
  const lines: Piece[][] = [];
  for (const next of pieces) {
    const last = lines.at(-1);
    if (last && widthOfLine(last) + 2 + widthOf(next.text) <= width) last.push(piece('  '), next);
    else lines.push([next]);
  }
  return lines;
}

/** A text on as many lines as it takes, all of them `indent` columns in; a word that is too wide stays on its line. */
export function wrapped(text: string, width: number, look?: Look, indent = 0): Line[] {
  const texts: string[] = [];
  for (const word of text.split(' ')) {
    const last = texts.at(-1);
    if (last !== undefined && indent + widthOf(last) + 1 + widthOf(word) <= width)
      texts[texts.length - 1] = `${last} ${word}`;
    else texts.push(word);
  }
  return texts.map((line) => [piece(' '.repeat(indent)), piece(line, look)]);
}

/** A column of a table. */
export interface Column<Row> {
  /** One line or two, the last of them right above the cells. */
  readonly heading: readonly [above: string, below: string];
  readonly cell: (row: Row) => Piece;
  /** Texts read from the left, figures from the right. */
  readonly side: 'left' | 'right';
  /** How wide it is at most; Infinity = what the others leave to it, for one column of a table. */
  readonly most?: number;
  /** With so much of it, two spaces between the columns matter more than the rest; default all of it. */
  readonly enough?: number;
}

/** Heading lines, and one line for each row. The columns stand two spaces apart, or one where that does not fit. */
export function columns<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): { readonly headings: Line[]; readonly lines: Line[] } {
  const cells = rows.map((row) => all.map(({ cell }) => cell(row)));
  const wanted = all.map(({ heading, most = 20 }, i) => {
    const widest = cells.reduce((max, row) => Math.max(max, widthOf(row[i]?.text ?? '')), 0);
    return Math.min(most, Math.max(...heading.map(widthOf), widest));
  });
  const sum = wanted.reduce((total, one) => total + one, 0);
  const spare = all.reduce(
    (total, { enough = Infinity }, i) => total + Math.max(0, (wanted[i] ?? 0) - enough),
    0,
  );
  const gap = sum - spare + 2 * (all.length - 1) <= width ? 2 : 1;
  const over = Math.max(0, sum + gap * (all.length - 1) - width);
  const widths = all.map(({ heading, most }, i) =>
    most === Infinity ? Math.max(...heading.map(widthOf), (wanted[i] ?? 0) - over) : (wanted[i] ?? 0),
  );
  const lineOf = (texts: readonly Piece[]): Line =>
    texts.flatMap(({ text, look }, i) => {
      const kept = cut(text, widths[i] ?? 0);
      const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(kept)));
      const apart = piece(i === 0 ? '' : ' '.repeat(gap));
      if (all[i]?.side === 'right') return [apart, piece(space), piece(kept, look)];
      return [apart, piece(kept, look), piece(i === all.length - 1 ? '' : space)];
    });
  const heads = ([0, 1] as const).map((which) => all.map(({ heading }) => piece(heading[which], 'dim')));
  const headings = heads
    .filter((line) => line.some(({ text }) => text !== ''))
    .map((line) => trimmed(lineOf(line)));
  return { headings, lines: cells.map((row) => trimmed(lineOf(row))) };
}

/** The line without spaces at its end. */
function trimmed(line: Line): Line {
  const last = line.findLastIndex(({ text }) => text.trim() !== '');
  return line.slice(0, last + 1);
}
