// WebSockets and event streams in a drain: each ended at a moment of its own, in the first half of the time there is.

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { App } from '../../src/http/app-module.ts';
import { Drain } from '../../src/http/drain.ts';
import { countLongLived } from '../../src/http/long-lived.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, type Local, local } from '../helpers/service.ts';

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

/** An event stream to every request, a WebSocket that answers a close frame to every upgrade. */
const streams = new Set<ServerResponse>();
const app: App = {
  default: (req, res) => {
    if (req.url === '/plain') res.end('plain');
    else {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
      streams.add(res);
    }
  },
  upgrade: (req, socket) => {
    const accept = createHash('sha1')
      .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('data', () => socket.end());
  },
};

const open = async ({ port }: Local, ...headers: string[]): Promise<Raw> => {
  const raw = await Raw.open(port);
  raw.send(request('GET', '/', ...headers));
  await eventually(() => raw.received.includes('\r\n\r\n'), 'the head');
  return raw;
};

afterEach(closeLocals);

describe('long-lived connections', () => {
  it('are counted, and no others', async () => {
    const server = await local(app);
    await open(server);
    await open(server, ...HANDSHAKE);
    const plain = await Raw.open(server.port);
    await plain.send(request('GET', '/plain')).answer();
    expect(countLongLived(server.service)).to.equal(2);
  });

  for (const why of ['stop', 'replace'] as const) {
    it(`are ended in a ${why}, spread over the first half of its time: 1001, and the end of the answer`, async () => {
      const server = await local(app);
      const opened = await Promise.all(
        Array.from({ length: 20 }, (_, i) => open(server, ...(i % 2 ? HANDSHAKE : []))),
      );
      const began = performance.now();
      const ended: number[] = [];
      const drained = new Drain(server.service).finish(why, 2000);
      await Promise.all(
        opened.map(async (raw, i) => {
          if (i % 2) {
            await eventually(
              () => raw.received.includes(Buffer.from([0x88, 2, 3, 0xe9])),
              'the close frame',
              1500,
            );
            raw.send(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
          }
          const text = await raw.end(1500);
          ended.push(performance.now() - began);
          if (!(i % 2)) expect(text).to.match(/data: 1\n\n\r\n0\r\n\r\n$/);
        }),
      );
      expect(await drained).to.equal(0);
      ended.sort((a, b) => a - b);
      expect(ended[0]).to.be.lessThan(500);
      expect(ended.at(-1)).to.be.within(500, 1200);
      // What the app still writes harms nobody.
      for (const res of streams) res.write('data: 2\n\n');
    });
  }

  it('that do not end are cut at the deadline, and counted', async () => {
    const server = await local({
      ...app,
      upgrade: (_req, socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    });
    const drain = new Drain(server.service); // knows the connections that come after it
    const raw = await open(server, ...HANDSHAKE);
    expect(await drain.finish('replace', 600)).to.equal(1);
    await raw.end();
  });
});
