// PORT=0: a free port, found once, so that every worker of every generation listens on the same.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port that is free on `host` (undefined = all addresses) right now. */
export async function freePort(host: string | undefined): Promise<number> {
  const server = createServer();
  server.listen(host === undefined ? { port: 0 } : { port: 0, host });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
