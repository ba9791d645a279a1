// A port that is free now, below those that the system gives to clients and to PORT=0.

import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 10_000;

/** A port that nobody listens on, one of `count` from `first` on. */
export async function freePort(first = FIRST, count = COUNT): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count);
    const server = createServer();
    try {
      server.listen(port);
      await once(server, 'listening');
      return port;
    } catch {
      // taken: another one
    } finally {
      server.close();
    }
  }
}
