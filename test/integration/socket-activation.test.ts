// What systemd passes to a service that it starts with its sockets.

import { expect } from 'chai';
import { launch } from '../helpers/server.ts';

/** Runs its arguments as systemd would run a service with LISTEN_FDS sockets. */
const ACTIVATED = ['sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh'];

describe('socket activation', () => {
  it('with two sockets is refused in one line with exit 78, as only one would be served', async () => {
    const server = launch({ under: ACTIVATED, env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:https' } });
    expect(await server.end()).to.deep.equal({ code: 78, signal: null });
    expect(server.err).to.equal('expected one socket from systemd, got 2\n');
    expect(server.out).to.equal('');
  });
});
