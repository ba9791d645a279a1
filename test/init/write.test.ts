import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeWhole } from '../../src/init/write.ts';

describe('a file that init writes', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-write-'));
  });
  afterEach(() => {
    // It is whole or not there: nothing of it is left beside it.
    expect(readdirSync(folder)).to.deep.equal(['Procfile']);
    rmSync(folder, { recursive: true });
  });
  const path = (): string => join(folder, 'Procfile');

  it('is there where none was', () => {
    expect(writeWhole(folder, 'Procfile', 'new', false)).to.equal(true);
    expect(readFileSync(path(), 'utf8')).to.equal('new');
  });

  it('leaves another one as it is', () => {
    writeFileSync(path(), 'old');
    expect(writeWhole(folder, 'Procfile', 'new', false)).to.equal(false);
    expect(readFileSync(path(), 'utf8')).to.equal('old');
  });

  it('leaves a link to nowhere as it is', () => {
    symlinkSync('nowhere', path());
    expect(writeWhole(folder, 'Procfile', 'new', false)).to.equal(false);
  });

  it('takes the place of another one where it is told to', () => {
    writeFileSync(path(), 'old');
    expect(writeWhole(folder, 'Procfile', 'new', true)).to.equal(true);
    expect(readFileSync(path(), 'utf8')).to.equal('new');
  });

  it('says why it cannot be', () => {
    mkdirSync(path());
    expect(() => writeWhole(folder, 'Procfile', 'new', true)).to.throw(
      /^Procfile: expected to write it, got EISDIR$/,
    );
  });
});
