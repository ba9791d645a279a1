// What a primary holds after hundreds of reloads: no descriptor more, and about the same heap.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Meter } from '../helpers/meter.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, MAIN, serve } from '../helpers/server.ts';

/** How many reloads must leave no trace in the primary. */
const RELOADS = Number(process.env.HELD_RELOADS ?? 200);

describe('reload', () => {
  it(`keeps what the primary holds: the same descriptors and about the same heap after ${RELOADS} reloads`, async function () {
    this.timeout((60 + 3 * RELOADS) * 1000);
    const script = join(mkdtempSync(join(tmpdir(), 'hello-server-')), 'heap.mjs');
    // A primary that says, on WINCH (it takes the signals of its own for itself), how many descriptors it has and how much heap.
    writeFileSync(
      script,
      `import { readdirSync } from 'node:fs';
       process.on('SIGWINCH', () => { gc(); console.error('holds ' + readdirSync('/proc/self/fd').length + ' ' + process.memoryUsage().heapUsed); });
       await import(${JSON.stringify(MAIN)});`,
    );
    mkdirSync(join(script, '..', 'node_modules'));
    const envFile = join(script, '..', 'app.env');
    writeFileSync(envFile, 'SETTLE_TIME=0.1\n');
    const server = await serve({
      main: script,
      nodeArgs: ['--expose-gc'],
      // It is read again each time.
      args: ['--env-file', envFile],
      env: { LOG_LEVEL: 'info', ACCESS_LOG: 'false', WEB_CONCURRENCY: '1' },
    });
    const meter = new Meter(server.port, [
      { name: 'fresh', clients: 2, thinkMs: 10, fresh: true, bodyBytes: 0 },
    ]);
    const holds = async (): Promise<[number, number]> => {
      await eventually(() => server.workers().length === 1, 'the old worker has gone');
      const seen = server.err.length;
      server.signal('SIGWINCH');
      await eventually(() => /holds \d+ \d+\n/.test(server.err.slice(seen)), 'it says what it holds');
      const [, fds, heap] = /holds (\d+) (\d+)\n/.exec(server.err.slice(seen)) ?? [];
      return [Number(fds), Number(heap)];
    };
    /** What it holds when the pipes of a worker that has just gone are closed: twice the same descriptors. */
    const settled = async (): Promise<[number, number]> => {
      let last = await holds();
      await eventually(async () => {
        const [before] = last;
        last = await holds();
        return last[0] === before;
      }, 'its descriptors stay the same');
      return last;
    };
    for (let i = 0; i < 10; i++) await reload(server, i + 2);
    const [fdsBefore, heapBefore] = await settled();
    for (let i = 10; i < 10 + RELOADS; i++) await reload(server, i + 2);
    const [fdsAfter, heapAfter] = await settled();
    await meter.stop();
    expect(fdsAfter).to.equal(fdsBefore);
    expect(heapAfter / heapBefore).to.be.lessThan(1.15);
    rmSync(join(script, '..'), { recursive: true });
  });
});
