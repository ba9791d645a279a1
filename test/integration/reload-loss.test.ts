// What clients of every kind see of one reload after another: nothing. The long suite does many more of them.

import { expect } from 'chai';
import { KINDS } from '../helpers/meter.ts';
import { losingNothing, reload } from '../helpers/reload.ts';
import { fixture, serve } from '../helpers/server.ts';

/** Reloads in a row, of clients that are near and of those that are not. */
const NEAR = Number(process.env.LOSS_RELOADS ?? 4);
const FAR = Math.ceil(NEAR / 3);

describe('reload', () => {
  describe('loses no request', () => {
    for (const [workers, reloads, delayMs] of [
      [2, NEAR, 0],
      [1, NEAR, 0],
      [2, FAR, 25],
      [1, FAR, 25],
    ] as const) {
      const distance = delayMs === 0 ? 'near' : `${delayMs} ms away`;
      it(`in ${reloads} reloads of ${workers === 1 ? 'one worker' : `${workers} workers`}, clients of every kind ${distance}`, async function () {
        this.timeout((30 + 10 * reloads) * 1000);
        const server = await serve({ env: { WEB_CONCURRENCY: String(workers), ACCESS_LOG: 'false' } });
        const work = async () => {
          for (let i = 0; i < reloads; i++) await reload(server, i + 2);
        };
        await losingNothing(server, work, KINDS, delayMs);
        expect(server.err).to.equal('');
      });
    }

    it('with an app that boots slowly', async function () {
      this.timeout(60_000);
      const server = await serve({ args: [fixture('slow-boot.js')], env: { ACCESS_LOG: 'false' } });
      const work = async () => {
        for (let i = 0; i < 2; i++) await reload(server, i + 2);
      };
      await losingNothing(
        server,
        work,
        KINDS.filter((kind) => kind.thinkMs < 1000),
      );
    });
  });
});
