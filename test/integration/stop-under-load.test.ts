import { expect } from 'chai';
import { KINDS, Meter, slowProxy } from '../helpers/meter.ts';
import { eventually, serve } from '../helpers/server.ts';

const KEEP_ALIVE = KINDS.filter((kind) => !kind.fresh);

describe('stop under load', () => {
  for (const far of [false, true]) {
    it(`loses no request on a connection that was accepted${far ? ', 25 ms away' : ''}`, async function () {
      this.timeout(60_000);
      for (let round = 0; round < 4; round++) {
        const server = await serve({ env: { WEB_CONCURRENCY: String(1 + (round % 2)) } });
        const proxy = far ? await slowProxy(server.port, 25) : { port: server.port, close: () => {} };
        // Think times of up to three seconds do not fit into the half second that a stop gives an idle connection.
        const meter = new Meter(
          proxy.port,
          KEEP_ALIVE.filter((kind) => kind.thinkMs < 500),
        );
        await eventually(() => meter.tally.ok > 500, 'load');
        expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
        await meter.stop();
        proxy.close();
        // A new connection may find that nobody listens any more, or nobody but the proxy.
        expect(
          meter.losses.filter((loss) => !loss.first),
          `round ${round}`,
        ).to.deep.equal([]);
        if (!far) expect(meter.tally).to.include({ 'other status': 0, reset: 0, 'cut off': 0, hang: 0 });
      }
    });
  }
});
