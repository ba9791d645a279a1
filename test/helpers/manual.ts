// The README and the pages of docs/ as tests read them: their blocks, the commands of their tables, and what they print.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './server.ts';

/** A fenced block of a page. */
export interface Block {
  /** The page and the heading it stands below, `docs/reload.md#canary`; the second below a heading ends with `:2`, and so on. */
  readonly id: string;
  readonly language: string;
  readonly text: string;
}

/** A command with what is printed by it. */
export interface Exchange {
  readonly command: string;
  readonly output: string;
}

/** Every page that promises something to a user. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** How GitHub makes the anchor of a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

interface Line {
  readonly text: string;
  /** The anchor of the last heading. */
  readonly anchor: string;
}

/** The blocks of a page, and its lines that are in none. */
export function read(path: string): {
  blocks: Block[];
  lines: Line[];
  anchors: string[];
} {
  const blocks: Block[] = [];
  const lines: Line[] = [];
  const anchors: string[] = [];
  const seen = new Map<string, number>();
  let anchor = '';
  let open: { fence: string; indent: string; language: string; lines: string[] } | undefined;
  for (const text of page(path).split('\n')) {
    if (open !== undefined) {
      if (text.trim() !== open.fence) open.lines.push(text.slice(open.indent.length));
      else {
        const place = `${path}#${anchor}`;
        const nth = (seen.get(place) ?? 0) + 1;
        seen.set(place, nth);
        const id = nth === 1 ? place : `${place}:${nth}`;
        blocks.push({ id, language: open.language, text: open.lines.map((line) => `${line}\n`).join('') });
        open = undefined;
      }
      continue;
    }
    const [, indent = '', fence, language = ''] = /^(\s*)(```+)(\w*)\s*$/.exec(text) ?? [];
    if (fence !== undefined) open = { fence, indent, language, lines: [] };
    else {
      const [, heading] = /^#+ (.+)$/.exec(text) ?? [];
      if (heading !== undefined) {
        anchor = anchorOf(heading);
        anchors.push(anchor);
      }
      lines.push({ text, anchor });
    }
  }
  return { blocks, lines, anchors };
}

/** The text of a block; throws where the page has no such block. */
export function block(id: string): string {
  const [path = ''] = id.split('#');
  const { blocks } = read(path);
  const found = blocks.find((one) => one.id === id);
  if (found === undefined)
    throw new Error(
      `expected a block ${id}, got ${blocks.map((one) => one.id).join(', ') || 'a page without any'}`,
    );
  return found.text;
}

/** The cells of the tables below a heading, `docs/migration.md#features`, without their first rows; throws where there are none. */
export function tableRows(id: string): string[][] {
  const [path = '', anchor] = id.split('#');
  const rows = read(path)
    .lines.filter((line) => line.anchor === anchor && line.text.startsWith('|'))
    .map(({ text }) => text.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  const isRule = (cells: readonly string[] | undefined): boolean =>
    cells?.every((cell) => /^-+$/.test(cell)) ?? false;
  const found = rows.filter((cells, index) => !isRule(cells) && !isRule(rows[index + 1]));
  if (found.length === 0) throw new Error(`expected a table below ${id}`);
  return found;
}

/** The same cells as plain text, code marks taken off. */
export const rowsBelow = (path: string, anchor: string): string[][] =>
  tableRows(`${path}#${anchor}`).map((cells) => cells.map((cell) => cell.replaceAll('`', '').trim()));

/** What stands between backquotes in a text. */
export const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one);

/** The commands in the first column of a page's tables that are headed `command`. */
export function tableCommands(path: string): string[] {
  const found: string[] = [];
  let inside = false;
  for (const { text } of read(path).lines) {
    const [, first] = /^\|([^|]*)\|/.exec(text) ?? [];
    if (first === undefined) inside = false;
    else if (/^ *(?:the )?commands?\b/.test(first)) inside = true;
    else if (inside) found.push(...codeIn(first));
  }
  return found;
}

/** A command as a table of a page has it; throws where none has it. */
export function command(path: string, text: string): string {
  const all = tableCommands(path);
  if (!all.includes(text))
    throw new Error(`expected a command \`${text}\` in a table of ${path}, got ${all.join(', ')}`);
  return text;
}

/**
 * The commands of a block, each with the output that is shown below it. A line that begins with `$ ` is a command; in a block
 * without such a line each line is one, without output. A comment behind a command is left out; a `\` joins lines.
 */
export function exchanges(text: string): Exchange[] {
  const joined = text.replace(/ *\\\n\s*/g, ' ');
  const parts = /^\$ /m.test(joined) ? joined.split(/^\$ /m).slice(1) : joined.split('\n').filter(Boolean);
  return parts.map((part) => {
    const [first = '', ...rest] = part.split('\n');
    return { command: first.replace(/\s{2,}# .*$/, '').trim(), output: rest.join('\n').trimEnd() };
  });
}

/** The commands of a block, without their output. */
export const commands = (text: string): string[] => exchanges(text).map((one) => one.command);

/**
 * What is left of an output when all that differs from one run to the next is gone: times, numbers, pids, versions, durations
 * and paths' folders. So the output that a page shows can be compared with what is really printed.
 */
export const shapeOf = (text: string): string =>
  text
    .trim()
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT/g, 'TIME')
    .replace(/(?:\/[\w.@%+-]+)+\/(?=[\w.@%+-]+)/g, '/')
    .replace(/\d+(?:[.,]\d+)*/g, '0')
    .replace(/ +/g, ' ')
    .replace(/ +$/gm, '');

/** Whether `printed` has the shape of `shown`, in which a line of `...` alone stands for lines of any number. */
export function hasShape(printed: string, shown: string): boolean {
  const escaped = shapeOf(shown)
    .split('\n')
    .map((line) => (line.trim() === '...' ? '(?:.*\n)*?.*' : line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${escaped.join('\n')}$`).test(shapeOf(printed));
}

/** Fails, with both, unless `printed` has the shape of `shown`. */
export function expectShape(printed: string, shown: string): void {
  if (!hasShape(printed, shown)) throw new Error(`expected\n${shown}\n--- got\n${printed}`);
}
