import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, launch, type Running, serve } from '../helpers/server.ts';

const CLEAN = { code: 0, signal: null };
const RECEIVED = /Received SIG(TERM|INT|QUIT), shutting down gracefully\.\.\.\n/;
/** All that a start and a stop say at `info`; a stop while workers boot has no start to tell of. */
const START = /Server listening on port \d+\nVisit http:\S+ or use curl -v http:\S+\n/.source;
const STOP = `${RECEIVED.source}Server closed successfully\n`;
const START_AND_STOP = new RegExp(`^${START}${STOP}$`);
const STOP_ALONE = new RegExp(`^(${START})?${STOP}$`);

describe('stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    it(`drains on ${signal}, says the two lines of the seed, and exits with 0`, async () => {
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
      expect(await server.end(5000)).to.deep.equal(CLEAN);
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
    setTimeout(() => raw.socket.resume(), 1500);
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
    setTimeout(() => raw.send('x'.repeat(5000)), 1000);
    expect(await raw.answer()).to.deep.include({ status: 200, body: '10000' });
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
    setTimeout(() => {
      for (const raw of [fresh, used]) raw.send('\r\n');
    }, 1500);
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
    setTimeout(() => used.send(request('GET', '/again')), 200);
    expect((await used.answer()).headers).to.include({ connection: 'close' });
    expect(await idle.end()).to.equal('');
    expect(await silent.end()).to.equal('');
    expect(await server.end(4000)).to.deep.equal(CLEAN);
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
    expect(await server.end()).to.deep.equal(CLEAN);
  });

  it('calls what the app exports: the abort signal with its reason, then close', async () => {
    const server = await serve({ args: [fixture('closing.js')], env: { WEB_CONCURRENCY: '1' } });
    expect(await server.stop()).to.deep.equal(CLEAN);
    expect(server.out).to.match(/aborted: stop\nclosed\nServer closed successfully\n$/);
  });

  describe('signals', () => {
    it('takes a second one within a second for the same', async () => {
      const server = await serve({ args: [fixture('wait.js')] });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=1000'));
      await eventuallyReceived(server, raw);
      server.signal('SIGTERM');
      server.signal('SIGINT');
      server.signal('SIGTERM');
      expect((await raw.answer()).status).to.equal(200);
      expect(await server.end()).to.deep.equal(CLEAN);
      expect(server.out.match(/Received/g)).to.have.length(1);
    });

    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
      ['SIGQUIT', 131],
    ] as const) {
      it(`ends at once on a ${signal} more than a second later, exit ${code}`, async () => {
        const server = await serve({ args: [fixture('wait.js')] });
        const raw = await Raw.open(server.port);
        raw.send(request('GET', '/?ms=60000'));
        await eventuallyReceived(server, raw);
        server.signal('SIGTERM');
        const since = Date.now();
        await server.says(RECEIVED);
        await eventually(() => Date.now() - since > 1200, 'a second has passed');
        server.signal(signal);
        expect(await server.end(2000)).to.deep.equal({ code, signal: null });
      });
    }

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
      for (const when of ['while serving', 'while workers boot'] as const) {
        for (const order of ['to the whole group', 'to the children first'] as const) {
          it(`is one when ${signal} goes ${order} ${when}`, async () => {
            const server = launch({ detached: true });
            if (when === 'while serving') await server.serving();
            else await eventually(() => server.workers().length === 2, 'the workers have been forked');
            if (order === 'to the whole group') process.kill(-server.pid, signal);
            else {
              for (const pid of server.workers()) process.kill(pid, signal);
              server.signal(signal);
            }
            expect(await server.end()).to.deep.equal(CLEAN);
            expect(server.out).to.match(when === 'while serving' ? START_AND_STOP : STOP_ALONE);
            expect(server.err).to.equal('');
          });
        }
      }
    }

    it('says its two lines and forks nothing, although TERM goes to every process of the group', async function () {
      this.timeout(60_000);
      for (const level of ['info', 'info', 'info', 'info', 'debug']) {
        const server = await serve({
          detached: true,
          args: [fixture('wait.js')],
          env: { WEB_CONCURRENCY: '4', ACCESS_LOG: 'false', LOG_LEVEL: level },
        });
        const raw = await Raw.open(server.port);
        raw.send(request('GET', '/?ms=700'));
        await eventuallyReceived(server, raw);
        process.kill(-server.pid, 'SIGTERM');
        const answer = await raw.answer();
        expect(answer).to.deep.include({ status: 200, body: 'waited 700' });
        expect(await server.end()).to.deep.equal(CLEAN);
        if (level === 'info') expect(server.out).to.match(START_AND_STOP);
        else expect(server.out.match(/ (ready|gone) /g), server.log).to.have.length(4 + 4);
        expect(server.err).to.equal('');
      }
    });

    it('does so although the workers have asked for replacements before the primary gets its TERM', async () => {
      const server = await serve({
        args: [fixture('says-term.js')],
        env: { ACCESS_LOG: 'false', LOG_LEVEL: 'debug' },
      });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=700'));
      await eventuallyReceived(server, raw);
      for (const pid of server.workers()) process.kill(pid, 'SIGTERM');
      await server.says(/got TERM\n(.*\n)*got TERM\n/);
      server.signal('SIGTERM');
      expect(await raw.answer()).to.deep.include({ status: 200, body: 'waited 700' });
      expect(await server.end()).to.deep.equal(CLEAN);
      expect(server.out.match(/ (ready|gone) /g), server.log).to.have.length(2 + 2);
      expect(server.out).to.not.include('replacing');
      expect(server.err).to.equal('');
    });

    it('ignores INT, QUIT and HUP sent to a worker alone, and says that USR1 and USR2 do not reload', async () => {
      const server = await serve();
      const before = server.workers();
      for (const pid of before)
        for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const) process.kill(pid, signal);
      server.signal('SIGUSR1');
      await server.says(/ignored SIGUSR1: SIGHUP reloads\n/);
      server.signal('SIGUSR2');
      await server.says(/ignored SIGUSR2: SIGHUP reloads\n/);
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
      expect(server.workers()).to.deep.equal(before);
    });
  });

  describe('when the primary is killed', () => {
    it('lets workers answer what they hold, and leaves no process', async () => {
      const server = await serve({ args: [fixture('wait.js')], env: { SHUTDOWN_TIMEOUT: '4' } });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=1500'));
      await eventuallyReceived(server, raw);
      server.signal('SIGKILL');
      expect(await raw.answer()).to.deep.include({ status: 200, body: 'waited 1500' });
      await eventually(() => server.pids().length === 0, 'no orphan is left', 5000);
    });

    it('ends workers whose requests do not end, within SHUTDOWN_TIMEOUT', async () => {
      const server = await serve({ args: [fixture('wait.js')], env: { SHUTDOWN_TIMEOUT: '1' } });
      const raw = await Raw.open(server.port);
      raw.send(request('GET', '/?ms=60000'));
      await eventuallyReceived(server, raw);
      server.signal('SIGKILL');
      await eventually(() => server.pids().length === 0, 'no orphan is left', 3000);
    });
  });

  it('ends all the same when it is told to while a worker cannot listen to it', async () => {
    const server = await serve({ env: { SHUTDOWN_TIMEOUT: '1' } });
    const [worker] = server.workers();
    execFileSync('kill', ['-STOP', String(worker)]);
    server.signal('SIGTERM');
    expect(await server.end(4000)).to.deep.equal(CLEAN);
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
      const last = await held.send(request('GET', '/')).answer();
      expect(last.body).to.equal(String(worker));
      expect(last.headers).to.include({ connection: 'close' });
      await eventually(() => !server.workers().includes(worker ?? 0), 'the worker has gone');
    });
  }
});

/** Waits until the server holds a connection with what was sent on it: accepted, and read. */
async function eventuallyReceived(server: Running, raw: Raw): Promise<void> {
  const port = raw.socket.localPort ?? 0;
  const side = `:${server.port.toString(16).toUpperCase().padStart(4, '0')} `;
  const peer = `:${port.toString(16).toUpperCase().padStart(4, '0')} 01 `;
  await eventually(() => {
    const rows = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFileSync(file, 'utf8'));
    return rows
      .join('')
      .split('\n')
      .some((row) => row.includes(side) && row.includes(peer) && /01 [0-9A-F]{8}:00000000 /.test(row));
  }, 'the server has read what was sent');
}
