// Reloads whose new code, or new hello-server, is no good.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KINDS } from '../helpers/meter.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { Releases } from '../helpers/releases.ts';
import { losingNothing, reload } from '../helpers/reload.ts';
import { eventually, ROOT, serve } from '../helpers/server.ts';

describe('reload', () => {
  describe('is abandoned, and the old generation goes on with its pids,', () => {
    const variants: [name: string, reason: RegExp][] = [
      ['broken/syntax.js', /app\.mjs:\d+: does not parse: Unexpected end of input/],
      ['broken/throws.js', /app\.mjs: thrown at import/],
      ['broken/rejects.js', /app\.mjs: ready failed: no database/],
      ['broken/never-ready.js', /worker 0 was not ready within 2 s/],
      [
        'broken/exits.js',
        /worker 0 exited with 3 before it was ready: process\.exit called at \S+app\.mjs:1\n/,
      ],
      [
        'broken/exits-after-ready.js',
        /worker 0 of generation 2 exited with 4: process\.exit called at \S+app\.mjs:2\n/,
      ],
      ['broken/no-function.js', /app\.mjs: expected a default export/],
    ];
    for (const [name, reason] of variants) {
      for (const workers of [1, 2]) {
        it(`when the new code is ${name}, ${workers} worker${workers === 1 ? '' : 's'}`, async () => {
          const releases = new Releases();
          releases.deploy('pid.js');
          const server = await serve({
            args: [releases.app],
            env: { WEB_CONCURRENCY: String(workers), BOOT_TIMEOUT: '2' },
          });
          const before = server.workers();
          const idle = await Raw.open(server.port);
          const { body: mine } = await idle.send(request('GET', '/')).answer();
          releases.deploy(name);
          const work = async () => {
            server.signal('SIGHUP');
            const [line] = await server.says(/reload abandoned, the old generation goes on: .*\n/);
            expect(line).to.match(reason);
            await eventually(
              () => String(server.workers()) === String(before),
              `only the old workers are left\n${server.log}`,
            );
          };
          const kinds = KINDS.filter((kind) => kind.thinkMs < 1000);
          // What a worker that exits was just answering is lost with it; nothing else is.
          if (name === 'broken/exits-after-ready.js') await work();
          else await losingNothing(server, work, kinds);
          expect((await idle.send(request('GET', '/')).answer()).body).to.equal(mine);
          releases.deploy('slow-boot.js');
          await reload(server, 3);
          expect(before).to.not.include(Number((await exchange(server.port, request('GET', '/'))).body));
          expect((server.err.match(/abandoned/g) ?? []).length).to.equal(1);
          releases.remove();
        });
      }
    }

    it('when there is a newer hello-server under the running primary', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
      cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
      const server = await serve({ main: join(folder, 'dist', 'main.js') });
      const before = server.workers();
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: '9.9.9' }));
      server.signal('SIGHUP');
      await server.says(/reload abandoned, .*: upgraded from \S+ to 9\.9\.9: hello-server upgrade\n/);
      await eventually(() => String(server.workers()) === String(before), 'only the old workers are left');
      rmSync(folder, { recursive: true });
    });
  });
});
