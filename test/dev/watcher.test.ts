// The watch over a project on real files: what is told of them, once for each save, and nothing of the others.

import { EventEmitter } from 'node:events';
import { type FSWatcher, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { Project } from '../../src/dev/project.ts';
import { Watcher } from '../../src/dev/watcher.ts';
import { eventually, stays } from '../helpers/server.ts';

/** Longer than files may be written in a burst that is one change. */
const MORE_THAN_A_BURST_MS = 300;
/** Longer than from one look at the files to the next. */
const MORE_THAN_A_LOOK_MS = 1000;

describe('the watch over a project', () => {
  let folder: string;
  /** Each change that was told. */
  let told: string[][];
  /** Why there is no watch. */
  let problems: (string | undefined)[];
  let watcher: Watcher | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-é '));
    told = [];
    problems = [];
    write('package.json', 'app.js', 'src/a.js', 'node_modules/b/b.js', 'dist/c.js');
  });
  afterEach(() => {
    watcher?.close();
    rmSync(folder, { recursive: true });
  });

  function write(...names: string[]): void {
    for (const name of names) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), `${Math.random()}`);
    }
  }
  const remove = (name: string): void => rmSync(join(folder, name), { recursive: true });

  function watchIt(watchFolder?: ConstructorParameters<typeof Watcher>[2]): void {
    const project = new Project(join(folder, 'app.js'), [join(folder, 'a.env')]);
    const listener = {
      changed: (files: readonly string[]) => told.push(files.map((file) => relative(folder, file)).sort()),
      cannotWatch: (reason: string, setting: string | undefined) => problems.push(reason, setting),
    };
    watcher = new Watcher(project, listener, watchFolder);
  }

  const tells = (...files: string[]): Promise<void> =>
    eventually(
      () => told.some((one) => JSON.stringify(one) === JSON.stringify(files.toSorted())),
      `a change of ${files}`,
      2000,
    );
  const tellsNothing = (): Promise<void> =>
    stays(
      () => told.length === 0,
      () => `nothing told, got ${JSON.stringify(told)}`,
      MORE_THAN_A_BURST_MS,
    );

  it('tells a saved file, and files saved in one burst as one change', async () => {
    watchIt();
    write('src/a.js');
    await tells('src/a.js');
    told = [];
    for (let i = 0; i < 20; i++) write('app.js', 'src/a.js', 'src/new.ts', 'a.env');
    await tells('a.env', 'app.js', 'src/a.js', 'src/new.ts');
    await stays(() => told.length === 1, 'one change', MORE_THAN_A_BURST_MS);
  });

  it('tells a file that is deleted and written anew, and not that it has gone', async () => {
    watchIt();
    remove('src/a.js');
    await tellsNothing();
    write('src/a.js');
    await tells('src/a.js');
  });

  it('tells a file that another is renamed to', async () => {
    watchIt();
    for (let i = 0; i < 2; i++) {
      write('src/.a.js.tmp');
      renameSync(join(folder, 'src/.a.js.tmp'), join(folder, 'src/a.js'));
      await tells('src/a.js');
      told = [];
    }
  });

  it('tells files in folders that come later, are moved there, or are made anew', async () => {
    watchIt();
    write('lib/deep/a.js', 'lib/deep/deeper/b.js');
    await tells('lib/deep/a.js', 'lib/deep/deeper/b.js');
    write('lib/deep/deeper/b.js');
    await tells('lib/deep/deeper/b.js');
    renameSync(join(folder, 'lib'), join(folder, 'moved'));
    await tells('moved/deep/a.js', 'moved/deep/deeper/b.js');
    write('moved/deep/a.js');
    await tells('moved/deep/a.js');
    remove('src');
    write('src/a.js');
    await tells('src/a.js');
    told = [];
    write('src/a.js');
    await tells('src/a.js');
  });

  it('tells nothing of a folder that was moved away', async () => {
    const away = mkdtempSync(join(tmpdir(), 'hello-server-'));
    watchIt();
    renameSync(join(folder, 'src'), join(away, 'src'));
    write('src/a.js');
    await tells('src/a.js');
    told = [];
    writeFileSync(join(away, 'src', 'a.js'), '');
    await tellsNothing();
    rmSync(away, { recursive: true });
  });

  it('tells what is written without a pause when that is over, or has gone on for long', async () => {
    watchIt();
    const end = performance.now() + 200;
    while (performance.now() < end) {
      write('src/a.js');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await tells('src/a.js');
    // Two, should this process have been out of turn for a moment.
    expect(told.length).to.be.at.most(2);
    await eventually(
      () => {
        write('src/b.js');
        return told.some((files) => files.includes('src/b.js'));
      },
      'a change that does not wait for a pause',
      2000,
    );
  });

  it('tells nothing of what is left out, or does not count', async () => {
    watchIt();
    write(
      'node_modules/b/b.js',
      'node_modules/new/c.js',
      'dist/c.js',
      '.git/index.json',
      'README.md',
      'a.log',
    );
    await tellsNothing();
  });

  it('tells JSON that says the same as before only once', async () => {
    watchIt();
    const save = (): void => writeFileSync(join(folder, 'data.json'), '{}');
    save();
    await tells('data.json');
    told = [];
    save();
    await tellsNothing();
  });

  describe('where the kernel has no more watches', () => {
    const failing = (code: string) => (): never => {
      throw Object.assign(new Error(`${code}: no more watches`), { code });
    };

    for (const [code, setting] of [
      ['ENOSPC', 'fs.inotify.max_user_watches'],
      ['EMFILE', 'fs.inotify.max_user_instances'],
      ['EINVAL', undefined],
    ] as const) {
      it(`says so once, with what to raise: ${code}`, () => {
        watchIt(failing(code));
        expect(problems).to.deep.equal([`${code}: no more watches`, setting]);
      });
    }

    it('looks at the files itself, and tells what has changed since it looked last', async () => {
      watchIt(failing('ENOSPC'));
      write('src/a.js');
      await tells('src/a.js');
      told = [];
      await stays(() => told.length === 0, 'nothing told again', MORE_THAN_A_LOOK_MS);
      remove('src/a.js');
      write('lib/new.js', 'node_modules/b/b.js');
      await tells('lib/new.js');
    });

    it('does so as well when that comes later', async () => {
      const watchers: EventEmitter[] = [];
      watchIt(() => {
        const watcher = Object.assign(new EventEmitter(), { close: () => {} });
        watchers.push(watcher);
        return watcher as unknown as FSWatcher;
      });
      expect(watchers).to.have.length(2);
      for (const watcher of watchers)
        watcher.emit('error', Object.assign(new Error('no'), { code: 'ENOSPC' }));
      expect(problems).to.have.length(2);
      write('src/a.js');
      await tells('src/a.js');
    });
  });
});
