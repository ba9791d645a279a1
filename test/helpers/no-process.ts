// For the tests that start no process: the module that starts them throws, so that a test which needs one is seen at once.

import childProcess from 'node:child_process';
import cluster from 'node:cluster';
import { syncBuiltinESMExports } from 'node:module';

function refuse(): never {
  throw new Error('a unit test starts no process: what needs one belongs into test/integration');
}

/** Of two files at a time each has a process, which the first process starts; that one runs no test. */
const runsTests = process.env.MOCHA_WORKER_ID !== undefined || !process.argv.includes('--parallel');

if (runsTests) {
  for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'] as const)
    childProcess[name] = refuse as never;
  cluster.fork = refuse;
  syncBuiltinESMExports();
}
