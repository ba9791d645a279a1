// The floors of the house: which file may import which, read from the import statements themselves.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './helpers/server.ts';

const SRC = join(ROOT, 'src');
/** Higher floors may import from lower ones; the processes share a floor, and know nothing of each other. */
const PROCESSES = ['primary', 'worker', 'client', 'fleet', 'dev', 'init'];
const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  log: 1,
  host: 2,
  http: 2,
  control: 2,
  primary: 3,
  worker: 3,
  client: 3,
  fleet: 3,
  dev: 3,
  init: 3,
  page: 3,
  '.': 4,
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'));

const textOf = (file: string): string => readFileSync(join(SRC, file), 'utf8');

/** What a file imports or exports from, type imports and `import()` included. */
function importsOf(file: string): string[] {
  const statements =
    /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g;
  return [...textOf(file).matchAll(statements)].map(([, named, dynamic]) => named ?? dynamic ?? '');
}

const folderOf = (file: string): string => posix.dirname(file).split('/')[0] ?? '.';

interface Import {
  readonly file: string;
  readonly from: string;
  /** The imported file below src; undefined for a package or a module of Node. */
  readonly to: string | undefined;
}

const imports: readonly Import[] = files.flatMap((file) =>
  importsOf(file).map((from) => ({
    file,
    from,
    to: from.startsWith('.')
      ? relative(SRC, join(SRC, dirname(file), from)).replaceAll('\\', '/')
      : undefined,
  })),
);

const told = (found: readonly Import[]): string[] => found.map(({ file, from }) => `${file} imports ${from}`);

describe('the structure of src', () => {
  it('is read: every file is on a floor, and the import statements are found', () => {
    expect(files).to.include.members(['main.ts', 'core/policy.ts', 'primary/primary.ts', 'worker/worker.ts']);
    expect(files.filter((file) => FLOORS[folderOf(file)] === undefined)).to.deep.equal([]);
    expect(importsOf('core/policy.ts')).to.include.members(['./reconcile.ts', './fleet.ts', './exited.ts']);
    expect(importsOf('main.ts')).to.include.members(['node:cluster', './primary/run.ts']);
  });

  it('has imports that stay in their folder or go down', () => {
    const wrong = imports.filter(({ file, to }) => {
      if (to === undefined) return false;
      const [own, other] = [folderOf(file), folderOf(to)];
      return own !== other && (FLOORS[other] ?? Infinity) >= (FLOORS[own] ?? -1);
    });
    expect(told(wrong)).to.deep.equal([]);
  });

  it('has no import between primary, worker, client, fleet, dev and init', () => {
    const wrong = imports.filter(({ file, to }) => {
      const [own, other] = [folderOf(file), folderOf(to ?? '/')];
      return own !== other && PROCESSES.includes(own) && PROCESSES.includes(other);
    });
    expect(told(wrong)).to.deep.equal([]);
  });

  it('has no import that leaves src', () => {
    expect(told(imports.filter(({ to }) => to?.startsWith('..')))).to.deep.equal([]);
  });

  it('has every import written with its extension, and every module of Node with its prefix', () => {
    const wrong = imports.filter(({ from, to }) => to !== undefined && !from.endsWith('.ts'));
    expect(told(wrong)).to.deep.equal([]);
  });

  it('has every package declared: as a dependency, or for development only where the build takes it in', () => {
    // The page runs in a browser: what it imports is in dist/page.html, and nobody has to install it.
    // Likewise prom-client is in dist/prometheus.js.
    const isBuiltIn = ({ file }: Import): boolean =>
      folderOf(file) === 'page' || file === 'control/prometheus.ts';
    const packages = imports.filter(({ to, from }) => to === undefined && !from.startsWith('node:'));
    const named = (found: readonly Import[]): string[] => [...new Set(found.map(({ from }) => from))];
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(Object.keys(dependencies)).to.include.members(named(packages.filter((each) => !isBuiltIn(each))));
    expect(Object.keys(devDependencies)).to.include.members(named(packages.filter(isBuiltIn)));
  });

  it('has a page that knows of the server no more than its data: the status, and what is pure', () => {
    const wrong = imports.filter(
      ({ file, from, to }) =>
        folderOf(file) === 'page' &&
        (to === undefined
          ? from.startsWith('node:')
          : !['page', 'core'].includes(folderOf(to)) && to !== 'control/status.ts'),
    );
    expect(told(wrong)).to.deep.equal([]);
  });

  describe('core', () => {
    const core = files.filter((file) => file.startsWith('core/'));

    it('imports nothing but itself: no module of Node and no package', () => {
      expect(
        told(imports.filter(({ file, to }) => file.startsWith('core/') && folderOf(to ?? '/') !== 'core')),
      ).to.deep.equal([]);
    });

    it('knows no clock, no chance, no environment, no timer and no console', () => {
      const impure =
        /\b(?:Date|performance|process|console|setTimeout|setInterval|setImmediate|Buffer|Math\.random)\b(?=[.(])/;
      const found = core.flatMap((file) =>
        textOf(file)
          .split('\n')
          .filter(
            (line) => !line.trim().startsWith('//') && !line.trim().startsWith('*') && impure.test(line),
          )
          .map((line) => `${file}: ${line.trim()}`),
      );
      expect(found).to.deep.equal([]);
    });
  });
});
