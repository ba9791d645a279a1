// A crash loop in real time: the backoff between its boots makes most of a minute.

import { expect } from 'chai';
import { fixture, serve } from '../helpers/server.ts';

describe('a crash loop', () => {
  it('ends the primary with 1 after 8 boots in vain while no worker serves', async function () {
    this.timeout(90_000);
    const server = await serve({
      args: [fixture('boots-once.js')],
      env: { WEB_CONCURRENCY: '1', BOOTS_ONCE: `${process.pid}-${Date.now()}` },
    });
    const [worker] = server.workers();
    process.kill(worker ?? 0, 'SIGKILL');
    expect(await server.end(80_000)).to.deep.equal({ code: 1, signal: null });
    expect(server.err).to.match(
      /crash loop: 8 boots in a row did not get ready and no worker serves, giving up\n$/,
    );
    expect(server.err.match(/failed to boot: /g)).to.have.length(8);
  });
});
