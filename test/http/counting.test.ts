// What is counted of HTTP/2, of upgrades, and of connections that a drain has cut.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { Adopted } from '../../src/http/adopted.ts';
import { Drain } from '../../src/http/drain.ts';
import { countLongLived } from '../../src/http/long-lived.ts';
import type { Service } from '../../src/http/service.ts';
import { heldNow } from '../../src/worker/answers.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, local } from '../helpers/service.ts';

const UPGRADE = ['Connection: Upgrade', 'Upgrade: mine'];

afterEach(closeLocals);

describe('the counters', () => {
  it('know the requests of HTTP/2: answered, in flight, failed, and whose client left', async () => {
    const waiting: ServerResponse[] = [];
    const { private: key, cert } = generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
    const server = createSecureServer({ key, cert, allowHTTP1: true }, (req, res) => {
      if (req.url === '/throw') throw new Error('boom');
      if (req.url === '/wait') waiting.push(res as unknown as ServerResponse);
      else res.writeHead(404).end();
    });
    const { service } = adopt(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connect(`https://127.0.0.1:${(service.server.address() as AddressInfo).port}`, {
      rejectUnauthorized: false,
    });
    const ask = (path: string) => {
      const stream = session.request({ ':path': path });
      stream.on('error', () => {});
      return stream.resume();
    };
    await Promise.all(['/missing', '/throw'].map((path) => once(ask(path), 'close')));
    const left = ask('/wait');
    const stays = ask('/wait');
    await eventually(() => waiting.length === 2, 'both are in flight');
    expect(heldNow(service).requests.map(({ target, client }) => [target, client])).to.deep.equal([
      ['/wait', '127.0.0.1'],
      ['/wait', '127.0.0.1'],
    ]);
    left.close(8);
    await eventually(() => service.inFlight.size === 1, 'one has left');
    expect(heldNow(service).total).to.equal(1);
    const gone = once(stays, 'close');
    const drained = new Drain(service).finish('stop', 5000);
    waiting[1]?.end();
    await gone;
    expect(await drained).to.equal(0);
    const { answers2xx, answers4xx, answers5xx, failed, left: leaving } = service.counts.read([]);
    expect([answers2xx, answers4xx, answers5xx, failed, leaving]).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('take for upgraded only what the app has answered with 101', async () => {
    const { port, service } = await local(
      {
        default: (_req, res) => void res.end(),
        upgrade: (req, socket) => {
          if (req.url === '/no') socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
          if (req.url === '/yes') {
            socket.write('HTTP/1.1 ');
            socket.write('101 Switching Protocols\r\n\r\n');
          }
        },
      },
      { requestTimeoutMs: 200 },
    );
    const open = async (path: string): Promise<Raw> =>
      (await Raw.open(port)).send(request('GET', path, ...UPGRADE));
    expect(await (await open('/no')).end()).to.match(/ 401 /);
    const late = await open('/late');
    await eventually(() => service.connections.size === 1, 'it waits');
    expect(countLongLived(service)).to.equal(0);
    expect(await late.end()).to.match(/ 408 /);
    expect(service.counts.upgraded).to.equal(0);
    const taken = await open('/yes');
    await eventually(() => taken.received.includes('\r\n\r\n'), 'the 101');
    expect([service.counts.upgraded, countLongLived(service)]).to.deep.equal([1, 1]);
  });

  it('do not take for left by its client what a drain has cut', async () => {
    for (const end of ['finish', 'sleep'] as const) {
      const requests: IncomingMessage[] = [];
      const { port, service } = await local((req) => void requests.push(req));
      const drain = new Drain(service);
      const raw = (await Raw.open(port)).send(request('GET', '/'));
      await eventually(() => requests.length === 1, 'the request');
      const cut = end === 'finish' ? drain.finish('stop', 50) : drain.sleep(50);
      expect(await cut).to.equal(1);
      await raw.end();
      await eventually(() => service.inFlight.size === 0, 'nothing is in flight');
      expect(service.counts.left).to.equal(0);
    }
  });
});

/** Adopts a server of HTTP/2 as a worker does. */
function adopt(server: Http2SecureServer): { readonly service: Service } {
  return new Adopted(server as never, {}, { closed: () => {} });
}
