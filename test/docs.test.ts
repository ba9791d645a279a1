// README.md and docs/ against the repository: links, files, commands, and that each block is run or compared by a test.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { readCommandLine } from '../src/command-line.ts';
import { DEFAULTS, readConfig } from '../src/core/config.ts';
import { exchanges, PAGES, page, read, tableCommands } from './helpers/manual.ts';
import { ROOT } from './helpers/server.ts';

/** The tests and their helpers, all in one text. */
const TESTS = readdirSync(join(ROOT, 'test'), { withFileTypes: true })
  // Those of test/apps are no tests, and beside them are some ten thousand files of packages.
  .filter((entry) => entry.isDirectory() && entry.name !== 'apps')
  .flatMap(({ name: folder }) =>
    readdirSync(join(ROOT, 'test', folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join('test', folder, name),
    ),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n')
  .replace(/\s+/g, ' ')
  .replaceAll('( ', '(');

/** All text that a reader takes for code: blocks, or a part of each, and what stands between backquotes. */
const code = (path: string, part = (text: string): string => text): string => {
  const { blocks, lines } = read(path);
  const inline = lines.flatMap(({ text }) => [...text.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one));
  return [...blocks.map(({ text }) => part(text)), ...inline].join('\n');
};

/** What a reader types: of a block that shows a terminal its commands, without what they print. */
const typed = (text: string): string =>
  /^\$ /m.test(text)
    ? exchanges(text)
        .map(({ command }) => command)
        .join('\n')
    : text;

describe('README.md and docs/', () => {
  for (const path of PAGES) {
    describe(path, () => {
      const { blocks, lines, anchors } = read(path);

      it('says at its beginning who it is for', () => {
        if (path === 'README.md') return expect(lines.length).to.be.greaterThan(0);
        const [, first = ''] = lines.map(({ text }) => text).filter(Boolean);
        expect(first).to.match(/^This page is for /);
        return undefined;
      });

      it('has no block that no test reads, to run it or to compare it with what is printed', () => {
        const unread = blocks.map(({ id }) => id).filter((id) => !TESTS.includes(`block('${id}')`));
        expect(unread).to.deep.equal([]);
      });

      it('has no command in a table that no test runs', () => {
        const unread = tableCommands(path).filter((text) => {
          const quoted = [`'${text}'`, `"${text}"`, `\`${text}\``];
          return !quoted.some((literal) => TESTS.includes(`command('${path}', ${literal}`));
        });
        expect(unread).to.deep.equal([]);
      });

      it('links only to what is there', () => {
        const broken: string[] = [];
        for (const { text } of lines) {
          for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
            if (/^[a-z]+:/.test(target)) continue;
            const [file = '', anchor] = target.split('#');
            const to = file === '' ? path : normalize(join(dirname(path), file));
            const there =
              existsSync(join(ROOT, to)) &&
              (anchor === undefined ||
                (to.endsWith('.md') && (to === path ? anchors : read(to).anchors).includes(anchor)));
            if (!there) broken.push(target);
          }
        }
        expect(broken).to.deep.equal([]);
      });

      it('names only files that are there', () => {
        const named = [
          ...code(path).matchAll(
            /(?<![\w./@-])((?:src|test|bench|scripts|deploy|dist|docs|examples)\/[\w./@-]*\w)/g,
          ),
        ]
          .map(([, one = '']) => one)
          .filter((one) => !one.startsWith('dist/server') && !one.startsWith('deploy/tls'));
        expect(named.filter((one) => !existsSync(join(ROOT, one)))).to.deep.equal([]);
      });

      it('names only scripts of npm that are there', () => {
        const { scripts } = JSON.parse(page('package.json'));
        const named = [...code(path).matchAll(/npm run ([\w:-]+)/g)].map(([, one = '']) => one);
        expect(named.filter((one) => one !== 'build' && !(one in scripts))).to.deep.equal([]);
      });

      it('has only commands of hello-server that its command line takes', () => {
        const refused = [
          ...code(path, typed).matchAll(/(?:^|[;&(] *|npx |sudo )hello-server((?: +[^\s;&|)]+)*)/gm),
        ]
          .map(([, words = '']) =>
            words
              .replace(/ +(?:#|\d?>|<) *.*$/, '')
              .trim()
              .split(/ +/)
              .filter(Boolean),
          )
          .filter(([word]) => word !== 'forks') // what is said in pm2's cluster mode is a sentence
          .filter(
            // A command's name alone speaks of it, whatever it wants behind it.
            (words) =>
              readCommandLine(
                words.length === 1 ? [...words, '--help'] : words.map((word) => (word === 'N' ? '2' : word)),
              ).asked === 'nothing',
          );
        expect(refused.map((words) => words.join(' '))).to.deep.equal([]);
      });

      it('gives every setting a value that it can have, but where it shows what is said of one that it cannot', () => {
        const text = code(path);
        const wrong = [...text.matchAll(/(?<![\w$])([A-Z][A-Z_]+)=([\w./%-]+)/g)]
          .filter(([, name = '']) => name in DEFAULTS && !text.includes(`${name}: expected`))
          .filter(([, name = '', value = '']) => readConfig({ [name]: value }).errors.length > 0)
          .map(([setting]) => setting);
        expect(wrong).to.deep.equal([]);
      });
    });
  }

  it('README.md has at most 300 lines', () => {
    expect(page('README.md').trimEnd().split('\n').length).to.be.at.most(300);
  });
});
