// What startFleet makes of its options: a command line and an environment, or one line for each thing that is wrong.

import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type FleetOptions, launchOf } from '../../src/fleet/options.ts';
import { page, read } from '../helpers/manual.ts';

const OWN = { env: {}, node: '/usr/bin/node', cwd: '/srv/shop' };
const launch = (options: FleetOptions, env: NodeJS.ProcessEnv = {}) => launchOf(options, { ...OWN, env });

/** What is wrong with options that a compiler would not let through. */
function problemOf(options: unknown): string {
  try {
    launch(options as FleetOptions);
  } catch (error) {
    expect(error).to.be.instanceOf(TypeError);
    return (error as TypeError).message;
  }
  throw new Error('expected a TypeError, got none');
}

describe('the options of startFleet', () => {
  it('are Hello on this Node, here, with the log of this process, where there are none', () => {
    const { args, node, cwd, stdio } = launch({});
    expect({ args, node, cwd, stdio }).to.deep.equal({
      args: ['start'],
      node: '/usr/bin/node',
      cwd: '/srv/shop',
      stdio: 'inherit',
    });
  });

  it('become the command line: the app as typed, its arguments, env files', () => {
    expect(launch({ app: './server.js', args: ['--fast', ''] }).args).to.deep.equal([
      'start',
      './server.js',
      '--',
      '--fast',
      '',
    ]);
    expect(launch({ app: '-x.js' }).args).to.deep.equal(['start', './-x.js']);
    expect(launch({ app: pathToFileURL('/srv/my app.js') }).args).to.deep.equal(['start', '/srv/my app.js']);
    expect(launch({ envFiles: ['-a.env', 'b.env'] }).args).to.deep.equal([
      'start',
      '--env-file=-a.env',
      '--env-file=b.env',
    ]);
  });

  it('become the environment, before that of this process', () => {
    const own = { PORT: '1', DRAIN_TIMEOUT: '2', KEPT: 'yes', TAKEN: 'away' };
    const { env } = launch(
      { port: 0, host: '::1', workers: 'auto', env: { DRAIN_TIMEOUT: 30, FLAG: false, TAKEN: undefined } },
      own,
    );
    expect(env).to.deep.include({
      PORT: '0',
      HOST: '::1',
      WEB_CONCURRENCY: 'auto',
      DRAIN_TIMEOUT: '30',
      FLAG: 'false',
      KEPT: 'yes',
    });
    expect(env).not.to.have.property('TAKEN');
  });

  it('leave out of it what means this process, or what it runs under', () => {
    const own = {
      NODE_UNIQUE_ID: '3',
      NODE_CHANNEL_FD: '3',
      NODE_CHANNEL_SERIALIZATION_MODE: 'json',
      NODE_APP_INSTANCE: '1',
      LISTEN_PID: '7',
      LISTEN_FDS: '1',
      LISTEN_FDNAMES: 'x',
      NOTIFY_SOCKET: '/run/x',
      WATCHDOG_PID: '7',
      WATCHDOG_USEC: '1000000',
      pm_id: '0',
      HELLO_SERVER_WORKER: '{}',
      HELLO_SERVER_SUCCESSION: '{}',
      HELLO_SERVER_SINCE: '1',
    };
    expect(launch({}, own).env).to.deep.equal({ HELLO_SERVER_CALLER: '1' });
  });

  it('run it in a folder that is relative to that of this process, and typed as it is', () => {
    const { cwd, env } = launch({ cwd: '../current' }, { PWD: '/srv/shop' });
    expect([cwd, env.PWD]).to.deep.equal(['/srv/current', '/srv/current']);
  });

  const WRONG: readonly (readonly [unknown, string])[] = [
    [{ workers: 0 }, "workers: expected an integer from 1 to 512 or 'auto', got `0`"],
    [{ workers: '4' }, "workers: expected an integer from 1 to 512 or 'auto', got `4`"],
    [{ port: 65_536 }, 'port: expected an integer from 0 to 65535, got `65536`'],
    [{ port: Number.NaN }, 'port: expected an integer from 0 to 65535, got `NaN`'],
    [{ app: new URL('http://x/') }, 'app: expected a path or a file: URL, got an object'],
    [{ app: '' }, 'app: expected a path or a file: URL, got ``'],
    [{ args: 'x', app: 'a' }, 'args: expected a list of texts, got `x`'],
    [{ args: ['x'] }, 'args: expected an app that has them, got none'],
    [{ env: null }, 'env: expected an object of variables, got null'],
    [{ env: { A: {} } }, 'env.A: expected a text, a number or a boolean, got an object'],
    [{ env: { 'A=B': '1' } }, 'env: expected the name of a variable, got `A=B`'],
    [{ env: { DRAIN_TIMEOUT: 'soon' } }, 'DRAIN_TIMEOUT: expected seconds from 0 to 86400, got `soon`'],
    [{ port: 1, env: { PORT: '1' } }, 'port: expected either this option or env.PORT, got both'],
    [{ signal: {} }, 'signal: expected an AbortSignal, got an object'],
    [{ stdio: 'file' }, "stdio: expected one of 'inherit', 'pipe', 'ignore', got `file`"],
    [{ cwd: 'a\0b' }, 'cwd: expected a path, got `a\\x00b`'],
    [null, 'options: expected an object, got null'],
    [{ worker: 1, port: -1 }, /^worker: expected one of app, .*, got `worker`\nport: expected .*`-1`$/],
  ] as never;
  for (const [options, problem] of WRONG)
    it(`are refused in one line: ${String(problem)}`, () => {
      if ((problem as unknown) instanceof RegExp) expect(problemOf(options)).to.match(problem as never);
      else expect(problemOf(options)).to.equal(problem);
    });

  it('are those that docs/package.md lists', () => {
    const listed = firstCells('options');
    const [known = ''] = /expected one of .*(?=, got)/.exec(problemOf({ nope: 1 })) ?? [];
    expect(listed).to.deep.equal(known.replace('expected one of ', '').split(', '));
    expect(page('docs/package.md')).to.include(problemOf({ workers: 0 }));
  });
});

/** The first cells of the table below a heading of docs/package.md. */
function firstCells(anchor: string): string[] {
  return read('docs/package.md')
    .lines.filter((line) => line.anchor === anchor)
    .flatMap(({ text }) => /^\| `(\w+)` \|/.exec(text)?.[1] ?? []);
}
