import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { withCode } from '../../src/dev/code-frame.ts';

describe('a code frame', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server (é) '));
    file = join(folder, 'app.js');
    writeFileSync(file, "import './a.js';\n\n\tconst a = ;\nconst b = 2;\nconst c = 3;\nconst d = 4;\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const shown = (stack: string): string[] =>
    withCode(stack, (path) => path.startsWith(folder) && !path.includes('node_modules'), folder).split('\n');
  const FRAME = [
    'app.js:3:12',
    "  1 | import './a.js';",
    '  2 |',
    '> 3 |   const a = ;',
    '    |             ^',
    '  4 | const b = 2;',
    '  5 | const c = 3;',
  ];

  it('takes the place of what Node shows of code that does not parse', () => {
    expect(shown(`${file}:3\n\tconst a = ;\n\t          ^`)).to.deep.equal(FRAME);
  });

  it('takes the place of what Node shows of TypeScript, with the lines around', () => {
    expect(shown(`${pathToFileURL(file)}:3\n\n\tconst a = ;\n\t          ^\nconst b = 2;`)).to.deep.equal(
      FRAME,
    );
  });

  it('takes the place of what esbuild says of code that does not parse', () => {
    expect(shown(`${file}:3:11: ERROR: Unexpected ";"`)).to.deep.equal(FRAME);
  });

  it('shows the end where code is missing', () => {
    writeFileSync(file, 'export default () => {\n');
    expect(shown(`${pathToFileURL(file)}:2`)).to.deep.equal([
      'app.js:2:1',
      '  1 | export default () => {',
      '> 2 |',
      '    | ^',
    ]);
  });

  for (const [where, at] of [
    ['in a module', (path: string) => `at ${pathToFileURL(path)}:3:12`],
    ['in a function', (path: string) => `at load (${pathToFileURL(path)}:3:12)`],
    ['in a function that waits', (path: string) => `at async load (${pathToFileURL(path)}:3:12)`],
    ['in CommonJS', (path: string) => `at Object.<anonymous> (${path}:3:12)`],
  ] as const) {
    it(`stands above a stack, with the topmost place that is the developer's: ${where}`, () => {
      const stack = [
        'TypeError: no',
        '    at JSON.parse (<anonymous>)',
        `    ${at(join(folder, 'node_modules', 'a.js'))}`,
        '    at node:internal/main:1:1',
        `    ${at(file)}`,
        `    ${at(join(folder, 'other.js'))}`,
      ];
      expect(shown(stack.join('\n'))).to.deep.equal([...FRAME, ...stack]);
    });
  }

  it('is left out where there is no such place, or its file is gone', () => {
    for (const stack of [
      'Error: no\n    at node:internal/main:1:1',
      `Error: no\n    at ${join(folder, 'gone.js')}:3:12`,
      `Error: no\n    at ${file}:300:12`,
      'no stack',
    ])
      expect(shown(stack).join('\n')).to.equal(stack);
  });
});
