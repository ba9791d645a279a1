// Node's look for slow requests is one of few things that an idle process does: it sleeps while no connection is open.

import type { Server } from 'node:http';
import { expect } from 'chai';
import { Raw } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, local } from '../helpers/service.ts';

afterEach(closeLocals);

describe('the sweep of slow requests', () => {
  it('runs while a connection is open, and at no other time', async () => {
    const { port, service } = await local((_req, res) => res.end());
    const server = service.server as Server & { readonly connectionsCheckingInterval: number };
    const every = (): number => server.connectionsCheckingInterval;
    expect(every(), 'before the first').to.be.above(1e9);
    const raw = await Raw.open(port);
    await eventually(() => every() === 500, 'it runs');
    raw.destroy();
    await eventually(() => every() > 1e9, 'it sleeps again');
  });
});
