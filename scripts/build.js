// Builds dist/: main.js, all that runs in one file, and lib/, the modules that others import, with their types.

import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

/** http-terminator's logger, which writes only where it is asked to and takes 10 ms of a worker's start. */
const quiet = {
  name: 'no roarr',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^roarr$/ }, () => ({ path: 'roarr', namespace: 'quiet' }));
    onLoad({ filter: /./, namespace: 'quiet' }, () => ({
      contents: 'exports.Roarr = { child: () => exports.Roarr, warn() {} };',
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(typescript, 'bin', 'tsc')], { cwd: root, stdio: 'inherit' });
writeFileSync(join(dist, 'lib', 'package.json'), '{ "type": "module" }\n');

// CommonJS: an import of node:http makes newer Nodes load all that can be had of it, undici and TLS included.
await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', 'hang-probe': 'src/primary/hang-probe.ts' },
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['pino'],
  plugins: [quiet],
  define: { 'import.meta.url': 'importMetaUrl' },
  // In front of all: behind other statements 'use strict' would not count.
  banner: { js: "'use strict';\nconst importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});
writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
chmodSync(join(dist, 'main.js'), 0o755);
