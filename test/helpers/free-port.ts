// A port that is free now, below those that the system gives to clients and to PORT=0.

import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 10_000;

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
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
