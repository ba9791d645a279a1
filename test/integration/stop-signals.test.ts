// Which signals stop a server, how often each counts, and what those that do not stop it do.

import { expect } from 'chai';
import { SAME_SIGNAL_MS } from '../../src/core/deadlines.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, eventuallyReceived, fixture, launch, serve, stays } from '../helpers/server.ts';

const CLEAN = { code: 0, signal: null };
const RECEIVED = /Received SIG(TERM|INT|QUIT), shutting down gracefully\.\.\.\n/;
/** All that a start and a stop say at `info`; a stop while workers boot has no start to tell of. */
const START = /Server listening on port \d+\nVisit http:\S+ or use curl -v http:\S+\n/.source;
const STOP = `${RECEIVED.source}Server closed successfully\n`;
const START_AND_STOP = new RegExp(`^${START}${STOP}$`);
const STOP_ALONE = new RegExp(`^(${START})?${STOP}$`);

describe('stop', () => {
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
        await server.says(RECEIVED);
        await stays(() => server.child.exitCode === null, 'it drains', SAME_SIGNAL_MS + 100);
        server.signal(signal);
        expect(await server.endOfStop(0)).to.deep.equal({ code, signal: null });
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

    it('ignores INT, QUIT and HUP sent to a worker alone, and says that USR1 does not reload', async () => {
      const server = await serve();
      const before = server.workers();
      for (const pid of before)
        for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const) process.kill(pid, signal);
      server.signal('SIGUSR1');
      await server.says(/ignored SIGUSR1: SIGHUP reloads\n/);
      expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
      expect(server.workers()).to.deep.equal(before);
    });
  });
});
