// What a worker's beat says, and that it beats less often at rest, until there is something to say again.

import { expect } from 'chai';
import { readConfig } from '../../src/core/config.ts';
import { Beat } from '../../src/worker/beat.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, local } from '../helpers/service.ts';

afterEach(closeLocals);

describe('the beat of a worker', () => {
  interface Said {
    readonly at: number;
    /** undefined = there were no figures. */
    readonly maxMs: number | undefined;
    readonly unwell: string | null;
  }

  /** A worker that beats; with a HANG_TIMEOUT of 12 s once a second, and every three seconds at rest. */
  async function beating(answer: () => void = () => {}) {
    const { service, port } = await local((_req, res) => {
      answer();
      res.end();
    });
    const said: Said[] = [];
    const { config } = readConfig({ HANG_TIMEOUT: '12' });
    const beat = new Beat(config, service, {
      alive: () => said.push({ at: performance.now(), maxMs: undefined, unwell: null }),
      beat: ({ gauges: { loopDelayMaxMs: maxMs }, unwell }) =>
        said.push({ at: performance.now(), maxMs, unwell }),
      replace: () => {},
      unwell: () => 'no database',
      logLinesDropped: () => 0,
    });
    return { beat, said, port, service };
  }

  it('has figures now and then at rest, and all of them sooner when a connection opens', async () => {
    const { said, port, service } = await beating(() => {
      const until = performance.now() + 200;
      while (performance.now() < until);
    });
    const figures = (): boolean[] => said.map(({ maxMs }) => maxMs !== undefined);
    const hasRested = (): boolean => figures().includes(false) && figures().at(-1) === true;
    await eventually(hasRested, 'figures after beats without them', 17_000);
    expect(figures().join(' ')).not.to.match(/(false ?){4}/);
    // It has just beaten: at rest the next beat would come in three seconds.
    const raw = await Raw.open(port);
    await raw.send(request('GET', '/')).answer();
    const since = performance.now();
    raw.destroy();
    await eventually(() => service.connections.size === 0, 'it has left');
    await eventually(() => said.some(({ at }) => at > since), 'the next beat');
    const next = said.find(({ at }) => at > since) as Said;
    expect(next.at - since).to.be.below(2600);
    expect(next.maxMs).to.be.within(200, 400);
  });

  it('says at once what it is told to say', async () => {
    const { beat, said } = await beating();
    said.length = 0;
    beat.say();
    expect(said.map(({ unwell }) => unwell)).to.deep.equal(['no database']);
  });
});
