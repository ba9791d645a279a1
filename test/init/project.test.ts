// What init learns of a project: its name, its app, and where it has hello-server.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { programOf, readProject } from '../../src/init/project.ts';

describe('the project of init', () => {
  const before = process.cwd();
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'hello-server-project-')), 'folder');
    mkdirSync(folder);
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(dirname(folder), { recursive: true });
  });

  const has = (manifest: object, ...files: string[]): void => {
    for (const [file, text] of [
      ['package.json', JSON.stringify(manifest)],
      ...files.map((file) => [file, '']),
    ]) {
      const path = join(folder, file ?? '');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text ?? '');
    }
  };
  const app = (typed?: string): string => readProject(folder, typed).app;

  it('has the name of its package, without a scope, or of its folder', () => {
    has({ name: '@acme/shop' }, 'server.js');
    expect(readProject(folder, undefined).name).to.equal('shop');
    has({});
    expect(readProject(folder, undefined).name).to.equal('folder');
  });

  it('has modules as its package says', () => {
    has({}, 'server.js');
    expect(readProject(folder, undefined).modules).to.equal('commonjs');
    has({ type: 'module' });
    expect(readProject(folder, undefined).modules).to.equal('esm');
  });

  it('has the app that is given, before any other', () => {
    has({ main: 'server.js', scripts: { start: 'node server.js' } }, 'server.js', 'src/other.js');
    expect(app('src/other.js')).to.equal('./src/other.js');
    expect(app('./src/../server.js')).to.equal('./server.js');
    expect(app(join(folder, 'server.js'))).to.equal('./server.js');
    expect(app('.')).to.equal('.');
  });

  it('has the app that npm start runs, before its main file', () => {
    has({ main: 'lib.js', scripts: { start: 'node bin/www' } }, 'lib.js', 'bin/www', 'server.js');
    expect(app()).to.equal('./bin/www');
  });

  it('has its main file as the app, before the usual ones', () => {
    has({ main: 'lib.js', scripts: { start: 'nest start' } }, 'lib.js', 'server.js');
    expect(app()).to.equal('./lib.js');
  });

  it('has a usual file as the app where main names one that is not there, as npm init does', () => {
    has({ main: 'index.js' }, 'dist/main.js');
    expect(app()).to.equal('./dist/main.js');
    has({ main: 'index.js' }, 'app.mjs');
    expect(app()).to.equal('./app.mjs');
  });

  for (const [what, typed, line] of [
    [
      'that npm start runs and is not there',
      undefined,
      'build/server.js: expected a module, got no such file',
    ],
    ['that is not there', 'nope.js', 'nope.js: expected a module, got no such file'],
    ['that is a folder with none', 'empty', 'empty: expected a module, got a folder'],
    ['outside of the folder', '../x.js', '../x.js: expected an app in this folder, got one outside of it'],
    ['with a line break', 'a\nb.js', 'expected a path without control characters, got `a\\x0ab.js`'],
  ] as const)
    it(`refuses an app ${what}`, () => {
      has({ scripts: { start: 'node build/server.js' } }, 'server.js', 'empty/.keep');
      expect(() => app(typed)).to.throw(line);
    });

  it('finds hello-server in its own node_modules or in those of a workspace around it', () => {
    const program = join('node_modules', 'hello-server', 'dist', 'main.js');
    has({}, program, join('packages', 'shop', 'server.js'));
    expect(programOf(folder)).to.equal(join(folder, program));
    expect(programOf(join(folder, 'packages', 'shop'))).to.equal(join(folder, program));
    expect(() => programOf(dirname(folder))).to.throw(
      /^hello-server: expected it .*: npm install hello-server$/,
    );
  });
});
