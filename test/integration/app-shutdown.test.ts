// An app's own listeners to signals, and its process.exit(): whatever they do, nothing that is in flight is lost.

import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { reload } from '../helpers/reload.ts';
import { eventually, eventuallyReceived, fixture, type Running, serve } from '../helpers/server.ts';

const serving = (how: string): Promise<Running> =>
  serve({ args: [fixture('shuts-down.js')], env: { HOW: how, WEB_CONCURRENCY: '1' }, detached: true });

/** A request that is answered half a second later, as it is in flight. */
async function inFlight(server: Running): Promise<Raw> {
  const raw = (await Raw.open(server.port)).send(request('GET', '/'));
  await eventuallyReceived(server, raw);
  return raw;
}

/** What the app says of its own end. */
const said: Readonly<Record<string, string>> = {
  'exits at once': 'app: SIGTERM\n',
  'closes first': 'app: closed on SIGINT\n',
  'has nothing left to do': 'app: closed\n',
  'pm2’s message': 'app: shutdown\n',
  'removes all listeners': '',
};

describe('an app’s own shutdown', () => {
  for (const [how, words] of Object.entries(said)) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      it(`(${how}) runs once, after what is in flight, when ${signal} goes to the whole group`, async () => {
        const server = await serving(how);
        const [worker] = server.workers();
        const raw = await inFlight(server);
        process.kill(-server.pid, signal);
        expect((await raw.answer()).body).to.equal(String(worker));
        expect(await server.end()).to.deep.equal({ code: 0, signal: null });
        expect(server.out).to.contain(words).and.contain('Server closed successfully\n');
        expect(server.out.split('app: ')).to.have.length(words === '' ? 1 : 2);
        expect(server.err).to.equal('');
      });
    }

    it(`(${how}) runs in a reload, which loses nothing`, async () => {
      const server = await serving(how);
      const [old] = server.workers();
      const raw = await inFlight(server);
      await reload(server, 2);
      expect((await raw.answer()).body).to.equal(String(old));
      await eventually(() => !server.workers().includes(old ?? 0), 'the old worker has gone');
      await eventually(() => server.out.includes(words), 'what the app says');
      expect(server.out.split('app: ')).to.have.length(words === '' ? 1 : 2);
      expect(server.err).to.equal('');
    });
  }

  it('that is an exit in `close` is no exit too early', async () => {
    const server = await serving('exits in close');
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).not.to.contain('process.exit');
    expect(server.err).to.equal('');
  });

  it('that fails is said, and the stop is in order', async () => {
    const server = await serving('fails');
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.err).to.match(/^app failed to close: cannot close\n +Error: cannot close\n/);
  });

  it('in a worker that is told by a TERM of its own comes when another serves', async () => {
    const server = await serving('exits at once');
    const [old = 0] = server.workers();
    const raw = await inFlight(server);
    process.kill(old, 'SIGTERM');
    expect((await raw.answer()).body).to.equal(String(old));
    raw.destroy();
    await server.says(/^app: SIGTERM$/m);
    expect((await exchange(server.port, request('GET', '/pid'))).body).not.to.equal(String(old));
  });
});

describe('process.exit() in an app that serves', () => {
  it('has the worker replaced first, says the code, and loses nothing in flight', async () => {
    const server = await serving('nothing');
    const [old = 0] = server.workers();
    const raw = await inFlight(server);
    await exchange(server.port, request('GET', '/exit/3'));
    expect((await raw.answer()).body).to.equal(String(old));
    await server.says(
      /the app called process\.exit\(3\) at test\/fixtures\/shuts-down\.js:\d+: its worker is replaced first\n/,
    );
    await server.says(/replacing worker 0 \(pid \d+\): exit called\n/);
    await eventually(() => !server.workers().includes(old), 'the old worker has gone');
    expect((await exchange(server.port, request('GET', '/pid'))).status).to.equal(200);
    expect(server.out + server.err).not.to.contain('crashed');
  });

  it('is no more often replaced than one that crashes', async () => {
    const server = await serving('nothing');
    let exits = 0;
    const until = performance.now() + 3000;
    while (performance.now() < until) {
      await exchange(server.port, request('GET', '/exit')).catch(() => {});
      exits += 1;
    }
    expect(exits).to.be.greaterThan(10);
    expect(server.out.match(/replacing worker/g)?.length ?? 0).to.be.within(1, 4);
  });
});
