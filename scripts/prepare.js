// Builds dist/ after an install; steps aside where there is no compiler but a dist/ that was built before.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);

/** Whether the tools of the build are installed. */
function canBuild() {
  try {
    for (const tool of ['typescript', 'esbuild', 'uplot', 'prom-client']) resolve(`${tool}/package.json`);
    return true;
  } catch {
    return false;
  }
}

if (canBuild()) await import('./build.js');
else if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  console.error('cannot build dist/: no compiler here; run npm ci without --omit=dev first');
  process.exitCode = 1;
}
