// The example with WebSockets: its client is told to come back in a reload, and is then with the new generation.

import { expect } from 'chai';
import { type Example, Examples } from '../helpers/example.ts';

describe('the example websocket', function () {
  this.timeout(60_000);
  let examples: Examples;
  let example: Example;
  before(async () => {
    examples = new Examples();
    example = await examples.install('websocket');
  });
  after(() => examples.remove());

  it('closes with 1001 in a reload, and its client comes back to the new generation', async () => {
    const server = await example.serve({ DRAIN_TIMEOUT: '4' });
    const client = example.launch('node client.js', { PORT: String(server.port) });
    await client.says(/^generation 1: tea$/m);
    await example.reload(server);
    await client.says(/^generation 2: tea$/m);
    expect(client.out).to.match(
      /^(generation 1: tea\n)+closed with 1001, connecting again\n(generation 2: tea\n)+$/,
    );
    await example.stop(server);
    await client.says(/^generation 2: tea\nclosed with 1001, connecting again\n/m);
    client.interrupt();
    await client.end();
  });
});
