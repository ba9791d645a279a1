// The Server header and Connection: close, whichever way an app writes its head.

import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { exchange, request, wholeReply } from '../helpers/raw.ts';
import { closeLocals, local } from '../helpers/service.ts';

afterEach(closeLocals);

describe('the Server header', () => {
  type Way = (res: ServerResponse, server: string | undefined) => void;
  const pairs = (server: string | undefined): [string, string][] =>
    server === undefined
      ? [['X-A', '1']]
      : [
          ['X-A', '1'],
          ['sERVER', server],
        ];
  const ways: Record<string, Way> = {
    'setHeader and end': (res, server) => {
      for (const [name, value] of pairs(server)) res.setHeader(name, value);
      res.end('x');
    },
    'setHeader and flushHeaders': (res, server) => {
      for (const [name, value] of pairs(server)) res.setHeader(name, value);
      res.flushHeaders();
      res.end('x');
    },
    'setHeaders and write': (res, server) => {
      res.setHeaders(new Map(pairs(server)));
      res.write('x');
      res.end();
    },
    'setHeader and a bare writeHead': (res, server) => {
      for (const [name, value] of pairs(server)) res.setHeader(name, value);
      res.writeHead(200).end('x');
    },
    'setHeader and writeHead with others': (res, server) => {
      if (server !== undefined) res.setHeader('Server', server);
      res.writeHead(200, { 'X-A': '1' }).end('x');
    },
    'setHeader of others and writeHead': (res, server) => {
      res.setHeader('X-A', '1');
      res.writeHead(200, server === undefined ? {} : { sERVER: server }).end('x');
    },
    'writeHead with an object': (res, server) =>
      res.writeHead(200, Object.fromEntries(pairs(server))).end('x'),
    'writeHead with a flat array': (res, server) => res.writeHead(200, pairs(server).flat()).end('x'),
    'writeHead with an array of pairs': (res, server) => res.writeHead(200, pairs(server)).end('x'),
    'writeHead with a phrase': (res, server) =>
      res.writeHead(200, 'Fine', Object.fromEntries(pairs(server))).end('x'),
    'writeHead with no phrase': (res, server) =>
      res.writeHead(200, undefined, Object.fromEntries(pairs(server))).end('x'),
  };

  for (const [name, way] of Object.entries(ways)) {
    for (const own of [undefined, 'mine']) {
      it(`is ${own === undefined ? 'added' : "the app's own"} after ${name}`, async () => {
        const { port } = await local((_req, res) => way(res, own));
        const reply = await wholeReply({ port }, request('GET', '/', 'Connection: close'));
        expect(reply.match(/^server: .*$/gim)?.map((line) => line.slice(8))).to.deep.equal([
          own ?? 'hello-server',
        ]);
        expect(reply)
          .to.contain('\r\nX-A: 1\r\n')
          .and.match(/x(\r\n0\r\n\r\n)?$/);
      });
    }
  }

  it('is added to an answer with no headers at all', async () => {
    const { port } = await local((_req, res) => res.end());
    expect((await exchange(port, request('GET', '/'))).headers.server).to.equal('hello-server');
  });

  it('comes with Connection: close on as many more answers as are to close', async () => {
    const { port, service } = await local((_req, res) => res.end());
    service.closes = 2;
    const closes: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) closes.push((await exchange(port, request('GET', '/'))).headers.connection);
    expect(closes).to.deep.equal(['close', 'close', 'keep-alive']);
    expect(service.closes).to.equal(0);
  });

  const draining: Record<string, Way> = {
    ...ways,
    'setHeader of Connection': (res) => res.setHeader('Connection', 'keep-alive').end('x'),
    'writeHead with Connection': (res) => res.writeHead(200, { Connection: 'keep-alive' }).end('x'),
    'writeHead with an array with Connection': (res) =>
      res.writeHead(200, ['X-A', '1', 'connection', 'keep-alive']).end('x'),
    'a throw': () => {
      throw new Error('boom');
    },
    'a throw with Connection set': (res) => {
      res.setHeader('Connection', 'keep-alive');
      throw new Error('boom');
    },
  };
  for (const [name, way] of Object.entries(draining)) {
    it(`comes with Connection: close after ${name} while the worker drains`, async () => {
      const { port, service } = await local((_req, res) => way(res, undefined));
      service.closes = Infinity;
      const reply = await wholeReply({ port }, request('GET', '/'));
      expect(reply.match(/^(connection|keep-alive): .*$/gim)).to.deep.equal(['Connection: close']);
    });
  }
});
