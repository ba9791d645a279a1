// An app whose server speaks HTTP/2: its requests are answered, counted and drained as any other.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { Http2Client } from '../helpers/http2.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';

let folder = '';
const clients: Http2Client[] = [];

const serving = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
  serve({
    args: [fixture('listens-secure.js')],
    env: { WAY: 'http2', TLS_FOLDER: folder, WEB_CONCURRENCY: '1', ACCESS_LOG: 'false', ...env },
  });

const clientOf = ({ port }: Running): Http2Client => {
  const client = new Http2Client(port);
  clients.push(client);
  return client;
};

const closed = (session: ClientHttp2Session): Promise<void> =>
  eventually(() => session.closed || session.destroyed, 'the session is told to go away');

describe('an app that speaks HTTP/2', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const { private: key, cert } = generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(join(folder, 'cert.pem'), cert);
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  it('answers, logs its requests, and outlives what it throws: a 500, or a stream that ends in an error', async () => {
    const server = await serving({ ACCESS_LOG: 'true', REQUEST_TIMEOUT: '0.2' });
    const client = clientOf(server);
    const first = await client.get('/one');
    expect(first.status).to.equal(200);
    expect((client.session.socket as TLSSocket).alpnProtocol).to.equal('h2');
    expect(await client.get('/throw')).to.deep.equal({ status: 500, body: 'Internal Server Error' });
    const half = await client.get('/half').catch((error: Error) => error.message);
    expect(half).to.contain('NGHTTP2_INTERNAL_ERROR');
    expect(await client.get('/wait'), 'its streams have no 408').to.deep.equal(first);
    await server.says(/ - GET \/one\n(.*\n)* *.* - GET \/throw\n/);
    expect(server.err).to.match(/^app failed: GET \/throw: boom\n/);
    expect(server.err).not.to.match(/uncaughtException|client left/);
    client.close();
    expect((await server.stop()).code).to.equal(0);
  });

  it('loses no request in reloads under load, and moves every session', async () => {
    const server = await serving({ WEB_CONCURRENCY: '2' });
    const many = Array.from({ length: 4 }, () => clientOf(server));
    let going = true;
    let answered = 0;
    const lost: unknown[] = [];
    const load = many.flatMap((client) =>
      Array.from({ length: 8 }, async () => {
        while (going) {
          const answer = await client
            .get(answered % 50 === 0 ? '/wait' : '/')
            .catch((error: unknown) => error);
          if (answer instanceof Error) lost.push(answer);
          answered += 1;
        }
      }),
    );
    await eventually(() => answered > 100, 'load');
    const sessions = many.map(({ session }) => session);
    for (const generation of [2, 3]) await reload(server, generation);
    for (const session of sessions) await closed(session);
    going = false;
    await Promise.all(load);
    expect(lost).to.deep.equal([]);
  });

  it('has an idle session go away in a replacement, and keep no drain waiting', async () => {
    const server = await serving({ DRAIN_TIMEOUT: '60' });
    const client = clientOf(server);
    const old = await client.get('/');
    const { session } = client;
    const gone = eventually(() => {
      try {
        process.kill(Number(old.body), 0);
        return false;
      } catch {
        return true;
      }
    }, 'the old worker is gone');
    await reload(server, 2);
    await closed(session);
    await gone;
    expect(await client.get('/')).not.to.deep.equal(old);
  });

  it('answers in a stop what is in flight, and is told to go away at once', async () => {
    const server = await serving();
    const client = clientOf(server);
    await client.get('/');
    const { session } = client;
    const waiting = [client.get('/wait'), client.get('/wait')];
    await client.get('/');
    server.signal('SIGTERM');
    await closed(session);
    for (const { status } of await Promise.all(waiting)) expect(status).to.equal(200);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
    expect(server.err).to.equal('');
  });
});
