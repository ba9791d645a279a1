// scripts/healthcheck.js, which Docker runs in the container: whom it asks, and what it makes of the answer.

import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSilent } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../src/primary/free-port.ts';
import { ROOT, serve } from '../helpers/server.ts';

interface Check {
  readonly code: number;
  readonly said: string;
}

const check = (env: Readonly<Record<string, string | number>>): Promise<Check> =>
  new Promise((resolve) => {
    const { PATH } = process.env;
    const texts = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
    const options = { env: { PATH, ...texts }, timeout: 10_000 };
    execFile(
      process.execPath,
      [join(ROOT, 'scripts', 'healthcheck.js')],
      options,
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), said: stdout + stderr });
      },
    );
  });

describe('scripts/healthcheck.js', () => {
  const open: Server[] = [];
  /** A server that answers one path with a status, all others with 404. */
  const answering = async (path: string, status: number, host = '127.0.0.1'): Promise<number> => {
    const server = createServer((req, res) => res.writeHead(req.url === path ? status : 404).end());
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return (server.address() as AddressInfo).port;
  };
  afterEach(async () => {
    for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  describe('without ADMIN_PORT', () => {
    it('asks /health of the public port', async () => {
      const PORT = await answering('/health', 200);
      expect(await check({ PORT })).to.deep.equal({ code: 0, said: '/health answered 200\n' });
      expect(await check({ PORT, ADMIN_PORT: '', HOST: '0.0.0.0' })).to.include({ code: 0 });
    });

    it('takes an error for unhealthy, and an app that has no such path for healthy', async () => {
      const [ill, without] = [await answering('/health', 503), await answering('/', 200)];
      expect(await check({ PORT: ill })).to.deep.equal({ code: 1, said: '/health answered 503\n' });
      expect(await check({ PORT: without })).to.deep.equal({ code: 0, said: '/health answered 404\n' });
    });
  });

  describe('with ADMIN_PORT', () => {
    it('asks /readyz there, whatever the app has at /health', async () => {
      const PORT = await answering('/health', 200);
      const ADMIN_PORT = await answering('/readyz', 503);
      expect(await check({ PORT, ADMIN_PORT })).to.deep.equal({ code: 1, said: '/readyz answered 503\n' });
    });

    for (const [ADMIN_HOST, loopback] of [
      ['', '127.0.0.1'],
      ['127.0.0.1', '127.0.0.1'],
      ['0.0.0.0', '127.0.0.1'],
      ['::', '::1'],
    ] as const) {
      it(`finds it at ${loopback} when ADMIN_HOST is ${ADMIN_HOST || 'empty'}`, async () => {
        const ADMIN_PORT = await answering('/readyz', 200, loopback);
        expect(await check({ ADMIN_PORT, ADMIN_HOST })).to.deep.equal({
          code: 0,
          said: '/readyz answered 200\n',
        });
      });
    }

    it('finds a real server healthy, whose workers are ready', async () => {
      const [PORT, ADMIN_PORT] = [await freePort(undefined), await freePort(undefined)].map(String) as [
        string,
        string,
      ];
      const env = { PORT, ADMIN_PORT, ADMIN_HOST: '0.0.0.0' };
      const server = await serve({ env });
      expect(await check(env)).to.deep.equal({ code: 0, said: '/readyz answered 200\n' });
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    });
  });

  it('finds a server unhealthy that is not there, and one that does not answer', async () => {
    const port = await freePort('127.0.0.1');
    expect(await check({ PORT: port })).to.deep.equal({
      code: 1,
      said: `/health cannot be asked: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
    const silent = createSilent((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port: ADMIN_PORT } = silent.address() as AddressInfo;
    expect(await check({ ADMIN_PORT })).to.deep.equal({
      code: 1,
      said: '/readyz did not answer within 4 s\n',
    });
    await new Promise((resolve) => silent.close(resolve));
  });
});
