// Anything may be thrown: inside of a request it is a 500, outside of one the worker is replaced, and nobody is cut.

import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, fixture, serve } from '../helpers/server.ts';

const ODD = ['undefined', 'null', 'number', 'symbol', 'bare', 'revoked', 'message', 'getters', 'thenable'];

describe('an odd value', () => {
  it('thrown in a listener is a 500 and one logged line', async () => {
    const server = await serve({ args: [fixture('throws.js')], env: { WEB_CONCURRENCY: '1' } });
    const before = server.workers();
    for (const what of [...ODD, 'cause']) {
      const { status } = await exchange(server.port, request('GET', `/listener/${what}`));
      expect(status, what).to.equal(500);
      await server.says(new RegExp(`^app failed: GET /listener/${what}: `, 'm'));
    }
    await server.says(
      /^app failed: GET \/listener\/cause: outer \(the cause\)\n +Error: outer\n(?:.*\n)+? +\[cause\]: Error: the cause/m,
    );
    expect(server.workers()).to.deep.equal(before);
  });

  for (const how of ['outside', 'rejected']) {
    it(`(${how} of any listener) has its worker replaced, and what that holds answered`, async () => {
      const server = await serve({ args: [fixture('throws.js')], env: { WEB_CONCURRENCY: '1' } });
      for (const what of ['bare', 'revoked', 'getters']) {
        const [old = 0] = server.workers();
        // Two: one alone would be taken for the one that made it.
        const held = [1, 2].map(() => exchange(server.port, request('GET', '/wait')));
        await exchange(server.port, request('GET', `/${how}/${what}`));
        for (const { body } of await Promise.all(held)) expect(body, what).to.equal(String(old));
        await eventually(() => !server.workers().includes(old), `(${what}) the worker has gone`);
      }
      expect(server.err).not.to.match(/crashed|exited with/);
    });
  }
});
