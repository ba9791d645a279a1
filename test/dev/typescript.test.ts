import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { optionsFor } from '../../src/dev/typescript.ts';

const OLD = { version: 'v20.20.2', strips: false, canStrip: false };
const FLAGGED = { version: 'v22.10.0', strips: false, canStrip: true };
const NEW = { version: 'v24.21.0', strips: true, canStrip: true };

describe('the options that TypeScript is run with', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-é '));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const optionsOf = (name: string, node: typeof OLD) => optionsFor(join(folder, 'src', name), node);
  const installTsx = (): string => {
    const tsx = join(folder, 'node_modules', 'tsx');
    mkdirSync(tsx, { recursive: true });
    writeFileSync(join(tsx, 'package.json'), '{"exports":"./loader.mjs"}');
    writeFileSync(join(tsx, 'loader.mjs'), '');
    return pathToFileURL(join(tsx, 'loader.mjs')).href;
  };

  it('are none for JavaScript, wherever tsx is', () => {
    installTsx();
    for (const name of ['app.js', 'app.mjs', 'app.cjs', 'app'])
      expect(optionsOf(name, OLD)).to.deep.equal({ options: [] });
  });

  it('have tsx, where the project has it, on every Node', () => {
    const options = ['--import', installTsx()];
    for (const name of ['app.ts', 'app.mts', 'app.cts', 'app.tsx', 'app.jsx'])
      for (const node of [OLD, FLAGGED, NEW]) expect(optionsOf(name, node)).to.deep.equal({ options });
  });

  it('without tsx leave it to Node, where that can', () => {
    for (const name of ['app.ts', 'app.mts', 'app.cts']) {
      expect(optionsOf(name, NEW)).to.deep.equal({ options: [] });
      expect(optionsOf(name, FLAGGED)).to.deep.equal({ options: ['--experimental-strip-types'] });
    }
  });

  it('say in one line what to install where there are none', () => {
    expect(optionsOf('app.ts', OLD)).to.deep.equal({
      problem: 'expected Node 22.18 or later, or tsx (npm install --save-dev tsx), got Node 20.20.2 alone',
    });
    for (const name of ['app.tsx', 'app.jsx'])
      expect(optionsOf(name, NEW)).to.deep.equal({
        problem: 'expected tsx for JSX (npm install --save-dev tsx), got none in its project',
      });
  });
});
