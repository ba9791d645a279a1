import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { Data } from '../../src/dev/data.ts';
import { Project } from '../../src/dev/project.ts';

describe('a project', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-é '));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes files, and folders where the name ends with a slash. */
  function write(...names: string[]): void {
    for (const name of names) {
      const path = join(folder, name);
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
      if (!name.endsWith('/')) writeFileSync(path, '{}');
    }
  }

  /** All files that are watched, as the folders are walked. */
  function watched(project: Project): string[] {
    const below = (at: string): string[] => {
      const { folders, files } = project.read(at);
      return [...files.map((file) => relative(folder, file)), ...folders.flatMap(below)];
    };
    return project.beginnings.flatMap(below).sort();
  }
  const projectOf = (app: string, ...envFiles: string[]): Project =>
    new Project(
      join(folder, app),
      envFiles.map((file) => join(folder, file)),
    );

  it('is the nearest folder with a package.json, else that of the app', () => {
    write('package.json', 'a/package.json', 'a/src/app.js', 'b/app.js');
    expect(projectOf('a/src/app.js').root).to.equal(join(folder, 'a'));
    expect(projectOf('b/app.js').root).to.equal(folder);
    rmSync(join(folder, 'package.json'));
    expect(projectOf('b/app.js').root).to.equal(join(folder, 'b'));
  });

  it('has code, JSON and .env files that count, and no others', () => {
    const counting = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'jsx', 'tsx', 'json'].map(
      (end) => `src/a.${end}`,
    );
    write('package.json', ...counting, '.env', '.env.local');
    write('README.md', 'src/a.d.ts', 'src/a.css', 'src/a.js~', 'src/.a.js.swp', 'src/4913', 'a.png', 'env');
    expect(watched(projectOf('src/a.js'))).to.deep.equal(
      [...counting, '.env', '.env.local', 'package.json'].sort(),
    );
  });

  it('leaves out packages, folders with a dot, and build output beside its package.json', () => {
    write('package.json', 'app.js', 'src/build/tool.js', 'packages/a/index.js');
    write(
      'node_modules/a/a.js',
      'packages/a/node_modules/b.js',
      '.next/a.js',
      '.git/a.js',
      'src/.cache/a.js',
    );
    write('dist/a.js', 'build/a.js', 'out/a.js', 'coverage/a.js');
    expect(watched(projectOf('app.js'))).to.deep.equal([
      'app.js',
      'package.json',
      'packages/a/index.js',
      'src/build/tool.js',
    ]);
  });

  it('leaves out what tsconfig.json says is output, unless that is all of it', () => {
    write('package.json', 'app.js', 'made/app.js');
    const tsconfig = (outDir: string): void =>
      writeFileSync(
        join(folder, 'tsconfig.json'),
        `{\n  // "outDir": "./src",\n  "compilerOptions": {\n    "outDir": "${outDir}" }}`,
      );
    tsconfig('./made');
    expect(watched(projectOf('app.js'))).to.deep.equal(['app.js', 'package.json', 'tsconfig.json']);
    tsconfig('.');
    expect(watched(projectOf('app.js'))).to.include('made/app.js');
  });

  it('of an app that lies in build output is that, and not its source', () => {
    write(
      'package.json',
      'tsconfig.json',
      'src/app.ts',
      'dist/app.js',
      'dist/lib/a.js',
      'dist/node_modules/b.js',
    );
    expect(watched(projectOf('dist/app.js'))).to.deep.equal([
      'dist/app.js',
      'dist/lib/a.js',
      'package.json',
      'tsconfig.json',
    ]);
  });

  it('has its env files wherever they are, and nothing else there', () => {
    write(
      'a/package.json',
      'a/app.js',
      'a/config/dev.conf',
      'other/prod.env',
      'other/b.js',
      'c.js',
      'up.env',
    );
    expect(watched(projectOf('a/app.js', 'a/config/dev.conf', 'other/prod.env', 'up.env'))).to.deep.equal(
      ['a/package.json', 'a/app.js', 'a/config/dev.conf', 'other/prod.env', 'up.env'].sort(),
    );
  });

  it('follows no link to a folder', () => {
    write('package.json', 'app.js');
    symlinkSync(folder, join(folder, 'again'));
    expect(watched(projectOf('app.js'))).to.deep.equal(['app.js', 'package.json']);
  });

  it('is never all that a user has', () => {
    for (const home of [homedir(), '/']) {
      const project = new Project(join(home, 'app.js'), []);
      expect(project.enters(join(home, 'anything'))).to.equal(false);
      expect(project.counts(join(home, 'app.js'))).to.equal(true);
    }
  });

  describe('has new', () => {
    const say = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };

    it('code that was written, whatever it says', () => {
      const data = new Data();
      expect(data.isNew(say('a.js', '1'))).to.equal(true);
      expect(data.isNew(say('a.js', '1'))).to.equal(true);
    });

    it('JSON that says something else than it did', () => {
      const data = new Data();
      expect(data.isNew(say('a.json', '1'))).to.equal(true);
      expect(data.isNew(say('a.json', '1'))).to.equal(false);
      expect(data.isNew(say('a.json', '2'))).to.equal(true);
      expect(data.isNew(say('big.json', ' '.repeat(1_048_577)))).to.equal(false);
    });

    it('nothing that has gone, or is a folder', () => {
      write('folder.js/');
      expect(new Data().isNew(join(folder, 'gone.js'))).to.equal(false);
      expect(new Data().isNew(join(folder, 'folder.js'))).to.equal(false);
    });
  });
});
