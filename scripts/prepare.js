// Builds dist/ after an install; steps aside where there is no compiler but a dist/ that was built before.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function compiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    return join(dirname(manifest), 'bin', 'tsc');
  } catch {
    return undefined;
  }
}

const tsc = compiler();
if (tsc) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [tsc], { cwd: root, stdio: 'inherit' });
  chmodSync(join(root, 'dist', 'main.js'), 0o755);
} else if (!existsSync(join(root, 'dist', 'main.js'))) {
  console.error('cannot build dist/: no TypeScript compiler here; run npm ci without --omit=dev first');
  process.exitCode = 1;
}
