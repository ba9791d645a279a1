// The floors of the house: which file may import which, read from the import statements themselves.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  FLOORS,
  files,
  folderOf,
  type Import,
  imports,
  importsOf,
  PROCESSES,
  textOf,
} from './helpers/floors.ts';
import { drawn, PAGE, PICTURE } from './helpers/house.ts';
import { page } from './helpers/manual.ts';
import { ROOT } from './helpers/server.ts';

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

  it('is drawn as it is in docs/floor-plan.svg, which npm run floor-plan writes', () => {
    expect(page(PICTURE) === drawn(), 'expected what npm run floor-plan draws').to.equal(true);
    expect(page(PAGE)).to.include(`](${PICTURE.replace('docs/', '')})`);
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
