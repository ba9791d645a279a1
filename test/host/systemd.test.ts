// What systemd passes in the environment.

import { expect } from 'chai';
import { type Inheritance, takeInheritance } from '../../src/host/systemd.ts';

const NOTHING: Inheritance = { fd: undefined, sockets: 0, notifySocket: undefined, watchdogMs: undefined };

describe('what systemd passes', () => {
  it('is nothing outside of systemd', () => {
    expect(takeInheritance({ PATH: '/bin' }, 7)).to.deep.equal(NOTHING);
  });

  it('is a socket, a place to notify and a watchdog, if it is meant for this process', () => {
    const env = {
      LISTEN_PID: '7',
      LISTEN_FDS: '1',
      LISTEN_FDNAMES: 'http',
      NOTIFY_SOCKET: '/run/systemd/notify',
      WATCHDOG_PID: '7',
      WATCHDOG_USEC: '60000000',
      PATH: '/bin',
    };
    expect(takeInheritance(env, 7)).to.deep.equal({
      fd: 3,
      sockets: 1,
      notifySocket: '/run/systemd/notify',
      watchdogMs: 60_000,
    });
    expect(env, 'workers must not find it').to.deep.equal({ PATH: '/bin' });
  });

  it('counts more sockets than one', () => {
    expect(takeInheritance({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7)).to.include({ fd: 3, sockets: 2 });
  });

  it('is not for another process, nor what is no number', () => {
    expect(takeInheritance({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7)).to.deep.equal(NOTHING);
    expect(takeInheritance({ LISTEN_FDS: '1' }, 7)).to.deep.equal(NOTHING);
    expect(takeInheritance({ LISTEN_PID: '7', LISTEN_FDS: 'x' }, 7)).to.deep.equal(NOTHING);
    expect(takeInheritance({ WATCHDOG_PID: '8', WATCHDOG_USEC: '1000' }, 7)).to.deep.equal(NOTHING);
    expect(takeInheritance({ WATCHDOG_USEC: 'soon' }, 7)).to.deep.equal(NOTHING);
  });
});
