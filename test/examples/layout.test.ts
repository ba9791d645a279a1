// What examples/ consists of: a table of all, and in each a README with its commands, a package.json that has all that it
// imports, and source on one screen.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandsOf, exampleFile, exampleNames } from '../helpers/example.ts';
import { ROOT, VERSION } from '../helpers/server.ts';

interface Package {
  readonly private: boolean;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const packageOf = (name: string): Package => JSON.parse(exampleFile(name, 'package.json'));
const linesOf = (text: string): number => text.trimEnd().split('\n').length;

/** Names of the source files of an example. */
const sourcesOf = (name: string): string[] =>
  readdirSync(join(ROOT, 'examples', name), { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.(?:js|mjs|jsx|ts)$/.test(file) && !/^(?:node_modules|dist|\.next)\//.test(file),
  );

/** Packages that a text imports. */
const importsIn = (text: string): string[] =>
  [...text.matchAll(/^import (?:[^'"]* from )?'((?:@[^/']+\/)?[^./'][^/']*)[^']*';$/gm)]
    .map(([, from = '']) => from)
    .filter((from) => !from.startsWith('node:'));

describe('examples', () => {
  it('are all in the table of their README', () => {
    const table = readFileSync(join(ROOT, 'examples', 'README.md'), 'utf8');
    const listed = [...table.matchAll(/^\| \[([\w-]+)\]\(([\w-]+)\) \| \S.* \|$/gm)];
    expect(listed.map(([, name]) => name)).to.have.members(exampleNames());
    for (const [, name, link] of listed) expect(link).to.equal(name);
  });

  it('are installed by their tests in the versions that their package.json asks for', () => {
    const read = (file: string) => JSON.parse(readFileSync(join(ROOT, 'test', 'examples', file), 'utf8'));
    const { dependencies } = read('package.json');
    expect(read('package-lock.json').packages[''].dependencies).to.deep.equal(dependencies);
    const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { 'hello-server': _, ...asked } = Object.assign(
      {},
      own.dependencies,
      ...exampleNames().flatMap((name) => [packageOf(name).dependencies, packageOf(name).devDependencies]),
    );
    expect(dependencies).to.deep.equal(asked);
  });

  it('are no part of the package', () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(files).not.to.include('examples');
  });

  for (const name of exampleNames()) {
    describe(name, () => {
      it('has a README of about a dozen lines: install, start, ask, reload, stop', () => {
        expect(linesOf(exampleFile(name, 'README.md'))).to.be.within(10, 18);
        const lines = commandsOf(name).map(({ line }) => line.split('#')[0]?.trim() ?? '');
        const install = lines.indexOf('npm install');
        const start = lines.indexOf('npm start');
        expect(install).to.equal(0);
        expect(lines[start + 1]).to.match(/^curl (?:-N )?http:\/\/localhost:3000(?:\/|$)/);
        expect(commandsOf(name)[start + 1]?.shows).not.to.deep.equal([]);
        expect(lines.slice(-2)).to.deep.equal(['npx hello-server reload', 'npx hello-server stop']);
      });

      it('has a package.json that starts it by hello-server, and has all that it imports', () => {
        const { private: isPrivate, scripts, dependencies, devDependencies = {} } = packageOf(name);
        expect(isPrivate).to.equal(true);
        expect(scripts.start).to.match(/^hello-server \S+$/);
        expect(dependencies['hello-server']).to.equal(`^${VERSION}`);
        for (const range of Object.values({ ...dependencies, ...devDependencies }))
          expect(range).to.match(/^\^\d/);
        const imported = sourcesOf(name).flatMap((file) => importsIn(exampleFile(name, file)));
        expect(Object.keys(dependencies)).to.include.members(imported);
      });

      it('has source of 60 lines at most, each file with a sentence that says what it is', () => {
        const sources = sourcesOf(name).map((file) => exampleFile(name, file));
        expect(sources.reduce((sum, text) => sum + linesOf(text), 0)).to.be.within(10, 60);
        for (const text of sources) expect(text).to.match(/^\/\/ [A-Z].*[.:]/);
      });
    });
  }
});
