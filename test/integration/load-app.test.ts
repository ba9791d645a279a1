// What is said of an app that cannot be loaded: the place where the fault is, be it the app's, a dependency's or a file's.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { BootFailure } from '../../src/core/notices.ts';
import { BootError, loadModule } from '../../src/worker/load-app.ts';

describe('an app that cannot be loaded', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-é '));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes the files and loads the first of them. */
  async function failure(files: Readonly<Record<string, string>>): Promise<BootFailure> {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    try {
      await loadModule(join(folder, Object.keys(files)[0] ?? ''));
    } catch (error) {
      if (error instanceof BootError) return error.failure;
      throw error;
    }
    throw new Error('expected a boot error');
  }

  const SERVES = 'export default (req, res) => res.end();\n';
  const cases: readonly [what: string, files: Record<string, string>, reason: RegExp][] = [
    ['the app itself', { 'app.mjs': '\nconst a = ;\n' }, /app\.mjs:2: does not parse: Unexpected token ';'$/],
    [
      'a CommonJS app',
      { 'app.cjs': '\n\nconst a = ;\n' },
      /app\.cjs:3: does not parse: Unexpected token ';'$/,
    ],
    [
      'a module that it imports',
      { 'app.mjs': `import './lib/dep.mjs';\n${SERVES}`, 'lib/dep.mjs': '\n\nlet let = 1;\n' },
      /lib\/dep\.mjs:3: does not parse: /,
    ],
    [
      'a CommonJS module that it imports',
      { 'app.mjs': `import './dep.cjs';\n${SERVES}`, 'dep.cjs': '\nreturn return;\n' },
      /dep\.cjs:2: does not parse: /,
    ],
    [
      'an export that is missing',
      { 'app.mjs': `\nimport { none } from './dep.mjs';\n${SERVES}`, 'dep.mjs': 'export const some = 1;\n' },
      /app\.mjs:2: The requested module '\.\/dep\.mjs' does not provide an export named 'none'$/,
    ],
    [
      'JSON that it reads',
      { 'app.mjs': `const config = '{"a":}';\nJSON.parse(config);\n${SERVES}` },
      /app\.mjs:2: Unexpected token .*JSON/,
    ],
    ['JSON that a CommonJS app reads', { 'app.cjs': "\n\nJSON.parse('{');\n" }, /app\.cjs:3: .*JSON/],
    [
      'a regular expression',
      { 'app.mjs': `${SERVES}new RegExp('(');\n` },
      /app\.mjs:2: Invalid regular expression: \/\(\/: Unterminated group$/,
    ],
    [
      'JSON that a dependency reads',
      {
        'app.mjs': `import { read } from './dep.mjs';\nread();\n${SERVES}`,
        'dep.mjs': "export const read = () =>\n  JSON.parse('[');\n",
      },
      /dep\.mjs:2: .*JSON/,
    ],
    [
      'an import that waits',
      { 'app.mjs': `await import('./dep.cjs');\n${SERVES}`, 'dep.cjs': '\nconst a = ;\n' },
      /dep\.cjs:2: does not parse: /,
    ],
    [
      'what a loader of TypeScript by esbuild says',
      {
        'app.mjs': `throw Object.assign(new Error('Transform failed with 1 error:\\n/srv/a b.ts:3:18: ERROR: Unexpected ";"'), { name: 'TransformError' });\n`,
      },
      /^\/srv\/a b\.ts:3: does not parse: Unexpected ";"$/,
    ],
    ['anything thrown', { 'app.mjs': `throw null;\n${SERVES}` }, /app\.mjs: null$/],
    [
      'an error with a cause',
      { 'app.mjs': `throw new Error('fetch failed', { cause: new Error('ECONNREFUSED') });\n${SERVES}` },
      /app\.mjs: fetch failed \(ECONNREFUSED\)$/,
    ],
  ];
  for (const [what, files, reason] of cases) {
    it(`names the place: ${what}`, async () => {
      const { reason: said, stack } = await failure(files);
      expect(said).to.match(reason);
      expect(said).to.match(/^\S.*$/);
      if (what !== 'anything thrown') expect(stack).to.be.a('string');
    });
  }

  it('shows the code that does not parse, and the column, also below an empty line', async () => {
    const { stack } = await failure({ 'app.cjs': '\n\nconst a = ;\n' });
    expect(stack).to.match(/app\.cjs:3\nconst a = ;\n {10}\^$/);
    if (!process.features.typescript) return;
    const typed = await failure({ 'app.ts': '\n\nconst a: number = ;\n' });
    expect(typed.stack).to.match(/app\.ts:3\n\nconst a: number = ;\n {18}\^/);
  });

  it('does not run it to find the place', async () => {
    const { reason } = await failure({
      'app.mjs': "import './first.mjs';\nimport './bad.mjs';\n",
      'first.mjs': `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(join(folder, 'ran'))}, '');\n`,
      'bad.mjs': 'const = 1;\n',
    });
    expect(reason).to.match(/bad\.mjs:1: does not parse/);
    expect(() => rmSync(join(folder, 'ran'))).to.throw('ENOENT');
  });
});
