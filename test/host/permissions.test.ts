import { expect } from 'chai';
import { missingPermissions } from '../../src/host/permissions.ts';

const NEW = new Set(['--allow-fs-read', '--allow-child-process', '--allow-net']);
const OLD = new Set(['--allow-fs-read', '--allow-child-process']);
/** The model with these scopes given, the files below /srv among them where `fs.read` is. */
const given = (...scopes: string[]) => ({
  has: (scope: string, path?: string) => scopes.includes(scope) && (path?.startsWith('/srv/') ?? true),
});

describe("Node's permission model", () => {
  it('asks for nothing where it is off', () => {
    expect(missingPermissions(['/etc/x'], true, undefined, NEW)).to.deep.equal([]);
  });

  it('is content with what is needed', () => {
    expect(missingPermissions(['/srv/x'], true, given('fs.read', 'child', 'net'), NEW)).to.deep.equal([]);
    expect(missingPermissions(['/srv/x'], false, given('fs.read', 'net'), NEW)).to.deep.equal([]);
  });

  it('names every flag that is missing', () => {
    expect(missingPermissions(['/srv/x'], true, given(), NEW)).to.deep.equal([
      '--allow-fs-read=/srv/x',
      '--allow-child-process',
      '--allow-net',
    ]);
    expect(missingPermissions(['/etc/x'], false, given('fs.read', 'net'), NEW)).to.deep.equal([
      '--allow-fs-read=/etc/x',
    ]);
  });

  it('does not ask for a flag that this Node does not know', () => {
    expect(missingPermissions([], true, given('child'), OLD)).to.deep.equal([]);
  });
});
