import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { DEFAULTS } from '../../src/core/config.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, eventuallyReceived, fixture, SEEN_MS, serve, stays } from '../helpers/server.ts';

const SHUTDOWN_TIMEOUT_MS = 1000 * Number(DEFAULTS.SHUTDOWN_TIMEOUT);
const CLEAN = { code: 0, signal: null };
const RECEIVED = /Received SIG(TERM|INT|QUIT), shutting down gracefully\.\.\.\n/;
/** All that a start and a stop say at `info`; a stop while workers boot has no start to tell of. */
const START = /Server listening on port \d+\nVisit http:\S+ or use curl -v http:\S+\n/.source;
const STOP = `${RECEIVED.source}Server closed successfully\n`;
const _START_AND_STOP = new RegExp(`^${START}${STOP}$`);
const _STOP_ALONE = new RegExp(`^(${START})?${STOP}$`);

describe('stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    it(`drains on ${signal}, says its two lines, and exits with 0`, async () => {
      const server = await serve();
      server.signal(signal);
      expect(await server.end()).to.deep.equal(CLEAN);
      expect(server.out).to.match(
        new RegExp(`Received ${signal}, shutting down gracefully\\.\\.\\.\nServer closed successfully\n$`),
      );
      expect(server.err).to.equal('');
    });
  }

  describe('when a request is in flight', () => {
    it('answers it with Connection: close before exiting', async () => {
      const server = await serve({ args: [fixture('wait.js')] });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=1500'));
      await eventuallyReceived(server, raw);
      server.signal('SIGTERM');
      const answer = await raw.answer();
      expect(answer).to.deep.include({ status: 200, body: 'waited 1500' });
      expect(answer.headers).to.include({ connection: 'close' });
      expect(await server.end()).to.deep.equal(CLEAN);
      expect(server.out).to.include(' - GET /?ms=1500\n');
    });

    it('cuts it after SHUTDOWN_TIMEOUT, and says how many were cut', async () => {
      const server = await serve({
        args: [fixture('wait.js')],
        env: { SHUTDOWN_TIMEOUT: '1', WEB_CONCURRENCY: '1' },
      });
      const raws = await Promise.all([Raw.open(server.port), Raw.open(server.port), Raw.open(server.port)]);
      for (const raw of raws) raw.send(request('GET', '/?ms=60000'));
      await eventuallyReceived(server, raws[0]);
      server.signal('SIGTERM');
      expect(await server.endOfStop(1000)).to.deep.equal(CLEAN);
      expect(server.out).to.match(/cut 3 unfinished connections after 0\.9 s of grace\n/);
      for (const raw of raws) expect(await raw.end()).to.equal('');
    });
  });

  it('finishes a streaming answer that had begun before', async () => {
    const server = await serve({ args: [fixture('stream.js')] });
    const raw = await Raw.open(server.port);
    raw.send(request('GET', '/?lines=20'));
    await eventually(() => raw.received.includes('line 2'), 'the stream has begun');
    server.signal('SIGTERM');
    const answer = await raw.answer();
    expect(answer.body).to.match(/line 20\ndone\n$/);
    expect(await server.end()).to.deep.equal(CLEAN);
  });

  it('finishes an answer that the app has ended but a slow client has not read', async () => {
    const server = await serve({ args: [fixture('big.js')] });
    const raw = await Raw.open(server.port);
    raw.socket.pause();
    raw.send(request('GET', '/'));
    await eventuallyReceived(server, raw);
    server.signal('SIGTERM');
    await server.says(RECEIVED);
    await stays(
      () => !raw.closed,
      () => `the connection is kept\n${server.log}`,
      1500,
    );
    raw.socket.resume();
    await eventually(() => raw.closed, 'the connection has been closed');
    expect(raw.receivedLength).to.be.greaterThan(32 * 1024 * 1024);
    expect(await server.end()).to.deep.equal(CLEAN);
  });

  it('finishes an upload in progress', async () => {
    const server = await serve({ args: [fixture('upload.js')] });
    const raw = await Raw.open(server.port);
    raw.send(`${request('POST', '/', 'Content-Length: 10000')}${'x'.repeat(5000)}`);
    await eventuallyReceived(server, raw);
    server.signal('SIGTERM');
    await server.says(RECEIVED);
    await stays(
      () => !raw.closed,
      () => `the connection is kept\n${server.log}`,
      1000,
    );
    expect(await raw.send('x'.repeat(5000)).answer()).to.deep.include({ status: 200, body: '10000' });
    expect(await server.end()).to.deep.equal(CLEAN);
  });

  it('answers a half-sent request when the rest comes within the grace', async () => {
    const server = await serve();
    const fresh = await Raw.open(server.port);
    const used = await Raw.open(server.port);
    await used.send(request('GET', '/')).answer();
    for (const raw of [fresh, used]) raw.send('GET /half HTTP/1.1\r\nHost: a\r\n');
    await eventuallyReceived(server, fresh);
    server.signal('SIGTERM');
    await server.says(RECEIVED);
    const kept = (): boolean => !fresh.closed && !used.closed;
    await stays(kept, () => `both connections are kept\n${server.log}`, 1500);
    for (const raw of [fresh, used]) raw.send('\r\n');
    for (const raw of [fresh, used]) expect((await raw.answer()).headers).to.include({ connection: 'close' });
    expect(await server.end()).to.deep.equal(CLEAN);
  });

  it('gives an idle connection half a second, and a silent one no answer', async () => {
    const server = await serve();
    const idle = await Raw.open(server.port);
    const used = await Raw.open(server.port);
    const silent = await Raw.open(server.port);
    for (const raw of [idle, used]) await raw.send(request('GET', '/')).answer();
    server.signal('SIGTERM');
    await server.says(RECEIVED);
    await stays(() => !used.closed && !idle.closed, 'idle connections are open', 200);
    expect((await used.send(request('GET', '/again')).answer()).headers).to.include({ connection: 'close' });
    expect(await idle.end()).to.equal('');
    expect(await silent.end()).to.equal('');
    expect(await server.endOfStop(SHUTDOWN_TIMEOUT_MS)).to.deep.equal(CLEAN);
    expect(server.out).to.not.include('cut');
  });

  it('goes on serving for SHUTDOWN_DELAY, with failing health checks and Connection: close', async () => {
    const server = await serve({ env: { SHUTDOWN_DELAY: '1.5' } });
    server.signal('SIGTERM');
    await server.says(RECEIVED);
    await eventually(
      async () => (await exchange(server.port, request('GET', '/health'))).status === 503,
      'health fails',
    );
    const health = await exchange(server.port, request('GET', '/health'));
    expect(JSON.parse(health.body)).to.include({ status: 'stopping' });
    const hello = await exchange(server.port, request('GET', '/'));
    expect(hello).to.deep.include({ status: 200, body: 'Hello, World!' });
    expect(hello.headers).to.include({ connection: 'close' });
    expect(await server.endOfStop(1500 + SHUTDOWN_TIMEOUT_MS)).to.deep.equal(CLEAN);
  });

  it('calls what the app exports: the abort signal with its reason, then close', async () => {
    const server = await serve({ args: [fixture('closing.js')], env: { WEB_CONCURRENCY: '1' } });
    expect(await server.stop()).to.deep.equal(CLEAN);
    expect(server.out).to.match(/aborted: stop\nclosed\nServer closed successfully\n$/);
  });

  describe('when the primary is killed', () => {
    it('lets workers answer what they hold, and leaves no process', async () => {
      const server = await serve({ args: [fixture('wait.js')], env: { SHUTDOWN_TIMEOUT: '4' } });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=1500'));
      await eventuallyReceived(server, raw);
      server.signal('SIGKILL');
      expect(await raw.answer()).to.deep.include({ status: 200, body: 'waited 1500' });
      await eventually(() => server.pids().length === 0, 'no orphan is left', 4000);
    });

    it('ends workers whose requests do not end, within SHUTDOWN_TIMEOUT', async () => {
      const server = await serve({ args: [fixture('wait.js')], env: { SHUTDOWN_TIMEOUT: '1' } });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=60000'));
      await eventuallyReceived(server, raw);
      server.signal('SIGKILL');
      await eventually(() => server.pids().length === 0, 'no orphan is left', 1000 + SEEN_MS);
    });
  });

  it('ends all the same when it is told to while a worker cannot listen to it', async () => {
    const server = await serve({ env: { SHUTDOWN_TIMEOUT: '1' } });
    const [worker] = server.workers();
    execFileSync('kill', ['-STOP', String(worker)]);
    server.signal('SIGTERM');
    expect(await server.endOfStop(1000)).to.deep.equal(CLEAN);
    expect(server.out).to.match(/killed worker \d \(pid \d+\): not drained in time\n/);
  });
});

describe('errors that nobody caught', () => {
  for (const [path, origin, text] of [
    ['/throw', 'uncaughtException', 'thrown in the open'],
    ['/reject', 'unhandledRejection', 'rejected in the open'],
  ] as const) {
    it(`are logged as fatal with their stack, and the worker is replaced: ${origin}`, async () => {
      const server = await serve({
        args: [fixture('uncaught.js')],
        env: { WEB_CONCURRENCY: '1', LOG_FORMAT: 'json' },
      });
      const [worker] = server.workers();
      const held = await Raw.open(server.port);
      await held.send(request('GET', '/')).answer();
      expect((await exchange(server.port, request('GET', path))).body).to.equal(String(worker));
      const [line] = await server.says(/\{"level":"fatal".*\n/);
      expect(JSON.parse(line)).to.include({ msg: `${origin}: ${text}` });
      expect(JSON.parse(line).err.stack).to.match(/uncaught\.js:\d+/);
      await eventually(
        async () => (await exchange(server.port, request('GET', '/'))).body !== String(worker),
        'another worker answers',
      );
      // The new worker may answer before the old one has heard that it is to go.
      await eventually(async () => {
        const { body, headers } = await held.send(request('GET', '/')).answer();
        expect(body).to.equal(String(worker));
        return headers.connection === 'close';
      }, 'the old worker closes the connection that it holds with an answer');
      await eventually(() => !server.workers().includes(worker ?? 0), 'the worker has gone');
    });
  }
});
