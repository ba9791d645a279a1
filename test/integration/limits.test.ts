// Clients by the hundred: slow senders, and more of them than there are file descriptors.

import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';

const SLOW_CLIENTS = 1000;
const CLIENTS = 500;
const DESCRIPTORS = 64;

/** The statuses of 50 ordinary requests, one after the other on connections of their own. */
async function fifty({ port }: Running): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let i = 0; i < 50; i++) statuses.add((await exchange(port, request('GET', '/'))).status);
  return statuses;
}

describe(`${SLOW_CLIENTS} connections that send one header byte a second`, () => {
  it('leave the answers to others alone', async () => {
    const server = await serve();
    const raws = await Promise.all(Array.from({ length: SLOW_CLIENTS }, () => Raw.open(server.port)));
    const head = request('GET', '/', 'X-Slow: very');
    let sent = 0;
    const timer = setInterval(() => {
      for (const raw of raws) raw.send(head.charAt(sent));
      sent += 1;
    }, 1000);
    try {
      for (const bytes of [1, 2, 3]) {
        await eventually(() => sent >= bytes, `${bytes} bytes sent`);
        expect(await fifty(server)).to.have.all.keys(200);
      }
      expect(raws.filter((raw) => raw.closed || raw.received.length > 0)).to.have.length(0);
    } finally {
      clearInterval(timer);
      for (const raw of raws) raw.destroy();
    }
    expect(await fifty(server)).to.have.all.keys(200);
    expect(server.err).to.equal('');
  });
});

describe(`${CLIENTS} clients of a server with ${DESCRIPTORS} file descriptors`, () => {
  it('cost it no worker, and service is normal when they have left', async () => {
    const server = await serve({ under: ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh'] });
    const workers = server.workers();
    expect(workers).to.have.length(2);
    const raws = await Promise.all(Array.from({ length: CLIENTS }, () => Raw.open(server.port)));
    for (const raw of raws) raw.send(request('GET', '/'));
    const answered = () => raws.filter((raw) => raw.received.includes('Hello, World!')).length;
    await eventually(() => answered() >= DESCRIPTORS / 2, 'answers to those that got a descriptor');
    expect(answered(), 'clients that got a descriptor').to.be.below(CLIENTS);
    expect(server.workers()).to.deep.equal(workers);
    for (const raw of raws) raw.destroy();
    const answers = () => fifty(server).catch(() => undefined);
    await eventually(async () => (await answers())?.has(200) === true, 'service as usual');
    expect(await fifty(server)).to.have.all.keys(200);
    expect(server.workers()).to.deep.equal(workers);
  });
});

describe('an app that has taken all file descriptors', () => {
  it('keeps its worker, which beats on without reading its memory', async () => {
    const server = await serve({
      args: [fixture('takes-descriptors.js')],
      under: ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh'],
      env: { WEB_CONCURRENCY: '1' },
    });
    const workers = server.workers();
    const raw = await Raw.open(server.port);
    // Longer than two beats are apart while a connection is open.
    expect((await raw.send(request('GET', '/2500')).answer()).body).to.equal('EMFILE');
    const answered = async (): Promise<boolean> =>
      (await exchange(server.port, request('GET', '/0'))).status === 200;
    await eventually(() => answered().catch(() => false), 'new connections again');
    expect(server.workers()).to.deep.equal(workers);
    expect(server.err).to.equal('');
    raw.destroy();
  });
});
