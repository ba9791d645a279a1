// The options of startFleet(): the command line and environment that they come to, and what is said of those that cannot be.

import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type FleetOptions, started } from '../../src/api/options.ts';

const from = (options: unknown, environment: Readonly<Record<string, string | undefined>> = {}) =>
  started(options as FleetOptions, environment, fileURLToPath);

describe('the options of startFleet', () => {
  it('come to the command line', () => {
    const { args } = from({ app: './server.js', args: ['--verbose', 'x'], envFiles: ['a.env', 'b.env'] });
    expect(args).to.deep.equal([
      ...['start', '--env-file', 'a.env', '--env-file', 'b.env'],
      ...['./server.js', '--', '--verbose', 'x'],
    ]);
  });

  it('serve Hello where no app is given, and take a file: URL or a path that looks like an option', () => {
    expect(from({}).args).to.deep.equal(['start']);
    expect(from({ app: new URL('file:///srv/my%20shop/server.js') }).args).to.deep.equal([
      'start',
      '/srv/my shop/server.js',
    ]);
    expect(from({ app: '-x.js' }).args).to.deep.equal(['start', './-x.js']);
  });

  it('come before `env`, and `env` before the environment of the process', () => {
    const { env } = from(
      {
        port: 0,
        workers: 'auto',
        host: '::1',
        env: { PORT: '1', DRAIN_TIMEOUT: 3, ACCESS_LOG: false, GONE: undefined },
      },
      { PORT: '2', DRAIN_TIMEOUT: '4', GONE: 'x', KEPT: 'y' },
    );
    expect(env).to.deep.equal({
      PORT: '0',
      HOST: '::1',
      WEB_CONCURRENCY: 'auto',
      DRAIN_TIMEOUT: '3',
      ACCESS_LOG: 'false',
      KEPT: 'y',
      HELLO_SERVER_OWNER: '1',
    });
  });

  it('hand on nothing that the environment says to this process alone', () => {
    const own = {
      NODE_UNIQUE_ID: '1',
      NODE_CHANNEL_FD: '3',
      NOTIFY_SOCKET: '/run/systemd/notify',
      WATCHDOG_USEC: '1',
      LISTEN_FDS: '1',
      LISTEN_PID: '1',
      pm_id: '0',
      HELLO_SERVER_WORKER: '{}',
    };
    expect(from({}, own).env).to.deep.equal({ HELLO_SERVER_OWNER: '1' });
  });

  for (const [options, problem] of [
    [{ port: 70_000 }, 'port: expected an integer from 0 to 65535, got `70000`'],
    [{ port: '3000' }, 'port: expected an integer from 0 to 65535, got `3000`'],
    [{ workers: 0 }, "workers: expected 'auto' or an integer from 1 to 512, got `0`"],
    [{ app: new URL('https://example.com/') }, 'app: expected a path or a file: URL, got `an object`'],
    [{ args: 'x' }, 'args: expected an array of strings, got `x`'],
    [{ env: { X: {} } }, 'env: expected an object of strings, numbers and booleans, got `an object`'],
    [{ signal: {} }, 'signal: expected an AbortSignal, got `an object`'],
    [{ stdio: 'file' }, "stdio: expected 'inherit', 'ignore' or 'pipe', got `file`"],
    [
      { workres: 2 },
      'workres: expected one of app, args, port, host, workers, env, envFiles, signal, cwd, node, stdio',
    ],
    [{ env: { DRAIN_TIMEOUT: 'soon' } }, 'DRAIN_TIMEOUT: expected seconds from 0 to 86400, got `soon`'],
    [
      { port: -1, cwd: '' },
      'port: expected an integer from 0 to 65535, got `-1`\ncwd: expected a path, got ``',
    ],
  ] as const) {
    it(`are refused: ${problem.split('\n').join(' and ')}`, () => {
      expect(() => from(options))
        .to.throw(TypeError)
        .with.property('message', problem);
    });
  }
});
