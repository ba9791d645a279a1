// Upgrades with an `upgrade` export: those that nobody takes, nobody answers, or whose client goes.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { expect } from 'chai';
import type { App } from '../../src/http/app-module.ts';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, type Local, local } from '../helpers/service.ts';

const H2C = [
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
];

/** Answers every request with its method, target and body, and takes upgrades as told. */
const serving = (upgrade: NonNullable<App['upgrade']>, requestTimeoutMs = 30_000): Promise<Local> =>
  local(
    {
      default: async (req, res) => {
        const body = await textOf(req);
        res.end(`${req.method} ${req.url} ${body}`.trim());
      },
      upgrade,
    },
    { requestTimeoutMs },
  );

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(closeLocals);

describe('an upgrade that the app does not take', () => {
  const declines: Readonly<Record<string, NonNullable<App['upgrade']>>> = {
    false: () => false,
    'a promise of false': async () => {
      await pause(50);
      return false;
    },
  };
  for (const [what, upgrade] of Object.entries(declines)) {
    it(`(${what}) is answered as any other request, and its connection goes on`, async () => {
      const { port, answered } = await serving(upgrade);
      const raw = await Raw.open(port);
      raw.send(request('GET', '/a', ...H2C));
      expect(await raw.answer()).to.deep.include({ status: 200, body: 'GET /a' });
      raw.send(request('GET', '/b'));
      expect((await raw.answer()).body).to.equal('GET /b');
      raw.destroy();
      await eventually(() => answered.length === 2, 'two requests counted');
    });

    it(`(${what}) is answered with its body, that comes with it or later`, async () => {
      const { port, answered } = await serving(upgrade);
      const whole = await Raw.open(port);
      whole.send(`${request('POST', '/b', 'Content-Length: 5', ...H2C)}hello`);
      expect((await whole.answer()).body).to.equal('POST /b hello');
      whole.destroy();
      const pieces = await Raw.open(port);
      pieces.send(request('POST', '/c', 'Transfer-Encoding: chunked', ...H2C)).send('3\r\nabc\r\n');
      await pause(100);
      pieces.send('2\r\nde\r\n0\r\n\r\n');
      expect((await pieces.answer()).body).to.equal('POST /c abcde');
      pieces.destroy();
      await eventually(() => answered.length === 2, 'two requests counted');
    });
  }

  it('waits for the answers that are owed before it', async () => {
    const { port } = await local({
      default: (req, res) => void setTimeout(() => res.end(req.url), req.url === '/slow' ? 200 : 0),
      upgrade: () => false,
    });
    const raw = await Raw.open(port);
    raw.send(request('GET', '/slow') + request('GET', '/h2c', ...H2C));
    expect((await raw.answer()).body).to.equal('/slow');
    expect((await raw.answer()).body).to.equal('/h2c');
    raw.destroy();
  });

  it('is invalid where any other request would be', async () => {
    const { port } = await serving(() => false);
    const raw = await Raw.open(port);
    raw.send(`GET / HTTP/1.1\r\n${H2C.join('\r\n')}\r\n\r\n`);
    expectErrorAnswer(await raw.end(), 400);
  });
});

describe('an upgrade', () => {
  it('that nobody answers is a 408 at REQUEST_TIMEOUT', async () => {
    const { port, service, answered } = await serving(() => new Promise(() => {}), 200);
    const raw = await Raw.open(port);
    raw.send(request('GET', '/u', ...H2C));
    expectErrorAnswer(await raw.end(), 408);
    await eventually(() => service.connections.size === 0, 'the connection to be gone');
    expect(answered).to.deep.equal(['GET /u 408']);
  });

  it('that is answered in time lives as long as it likes', async () => {
    const { port } = await serving((_req, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      setTimeout(() => socket.end('after all'), 1500);
    }, 200);
    const raw = await Raw.open(port);
    raw.send(request('GET', '/', ...H2C));
    expect(await raw.end()).to.match(/ 101 .*after all$/s);
  });

  it('whose app fails is a 500, one logged error, and no harm', async () => {
    for (const upgrade of [
      () => {
        throw new Error('boom');
      },
      async () => {
        throw new Error('boom');
      },
    ]) {
      const { port, lines } = await serving(upgrade);
      const raw = await Raw.open(port);
      raw.send(request('GET', '/u', ...H2C));
      expectErrorAnswer(await raw.end(), 500);
      expect(lines.map(({ text }) => text)).to.deep.equal(['app failed: GET /u: boom']);
    }
  });

  it('whose client resets it meanwhile makes no error that nobody catches', async () => {
    const sockets: IncomingMessage['socket'][] = [];
    const { port, service } = await serving(async (req, socket) => {
      sockets.push(req.socket);
      await pause(100);
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    });
    for (let i = 0; i < 4; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {}).write(request('GET', '/', ...H2C));
      await eventually(() => sockets.length === i + 1, 'the upgrade');
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    await eventually(() => service.connections.size === 0, 'no connection is left');
  });
});
