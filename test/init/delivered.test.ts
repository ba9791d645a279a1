// The files that hello-server is delivered with against the templates that init uses.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { delivered } from '../../src/init/delivered.ts';
import { ROOT, VERSION } from '../helpers/server.ts';

describe('the delivered files', () => {
  const files = delivered(VERSION);

  it('are one of each kind, and the template unit', () => {
    expect(Object.keys(files)).to.have.members([
      'ecosystem.config.js',
      'hello-server.service',
      'deploy/hello-server@.service',
      'Dockerfile',
      'deploy/kubernetes.yaml',
      'Procfile',
    ]);
  });

  for (const [path, text] of Object.entries(files))
    it(`are what the templates give: ${path}, which npm run deliver writes`, () => {
      expect(readFileSync(join(ROOT, path), 'utf8')).to.equal(text);
    });
});
