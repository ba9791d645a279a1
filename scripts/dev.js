// Runs hello-server from src/ while you work on it: builds, starts, and does both again whenever a file of src/ changes.

import { spawn, spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Editors write a file in several steps: what comes within this time is one change. */
const SETTLE_MS = 100;

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
let server;
let restarting = false;
let timer;

const build = () =>
  spawnSync(process.execPath, ['scripts/build.js'], { cwd: root, stdio: 'inherit' }).status === 0;

function start() {
  if (!build()) {
    console.error('the build failed: waiting for the next change');
    return;
  }
  const node = ['--enable-source-maps', 'dist/main.js', ...args];
  server = spawn(process.execPath, node, { cwd: root, stdio: 'inherit' });
  server.once('exit', (code) => {
    server = undefined;
    if (restarting) {
      restarting = false;
      start();
    } else if (code !== 0) console.error(`hello-server ended with ${code}: waiting for the next change`);
    else process.exit(0);
  });
}

function restart() {
  if (!server) {
    start();
    return;
  }
  restarting = true;
  server.kill('SIGTERM');
}

// The signals of the terminal reach the server by themselves; it ends, and this process with it.
for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => server ?? process.exit(0));
process.on('SIGTERM', () => (server ? server.kill('SIGTERM') : process.exit(0)));
watch(`${root}src`, { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(restart, SETTLE_MS);
});
start();
