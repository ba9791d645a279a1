// Has Node look for slow requests only while a connection is open: at rest its timer is most of what a process does.

import type { Server } from 'node:http';

/** How often it is looked whether a request or its answer takes too long, ms. */
export const SWEEP_MS = 500;
/** The longest that a timer can take. */
const NEVER_MS = 2 ** 31 - 1;

/** Puts Node's look at the connections of a server to rest, before it listens; what is returned begins and ends it. */
export function nodesSweep(server: Server): (looks: boolean) => void {
  // Node begins to look when the server listens, as often as the server says at that moment.
  const begin = server.listeners('listening').find(({ name }) => name === 'setupConnectionsTracking');
  const sweep = (looks: boolean): void => {
    const connectionsCheckingInterval = looks || !begin ? SWEEP_MS : NEVER_MS;
    Object.assign(server, { connectionsCheckingInterval });
  };
  sweep(false);
  return (looks) => {
    sweep(looks);
    begin?.call(server);
  };
}
