// CONTRIBUTING.md, SECURITY.md and examples/README.md: they link to what is there, and list every way to run tests.

import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { page, read } from '../helpers/manual.ts';
import { ROOT } from '../helpers/server.ts';

describe('beside the manual', () => {
  for (const path of ['CONTRIBUTING.md', 'SECURITY.md', 'examples/README.md', 'CHANGELOG.md']) {
    it(`${path} links only to what is there`, () => {
      const targets = read(path).lines.flatMap(({ text }) =>
        [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
      );
      const broken = targets
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [file = '', anchor] = target.split('#');
          const to = normalize(join(dirname(path), file));
          if (!existsSync(join(ROOT, to))) return true;
          return anchor !== undefined && !read(to).anchors.includes(anchor);
        });
      expect(broken).to.deep.equal([]);
    });
  }

  it('CONTRIBUTING.md names every suite of tests, and only scripts that are there', () => {
    const { scripts } = JSON.parse(page('package.json'));
    const named = [...page('CONTRIBUTING.md').matchAll(/`npm run ([\w:-]+)/g)].map(([, name]) => name);
    expect(Object.keys(scripts)).to.include.members(named);
    expect(named).to.include.members(Object.keys(scripts).filter((name) => name.startsWith('test:')));
  });

  it('CONTRIBUTING.md names only files that are there', () => {
    const named = [...page('CONTRIBUTING.md').matchAll(/`((?:src|test|docs|deploy|examples)\/[\w./@-]*)`/g)];
    expect(named).to.have.length.at.least(20);
    expect(named.map(([, name = '']) => name).filter((name) => !existsSync(join(ROOT, name)))).to.deep.equal(
      [],
    );
  });
});
