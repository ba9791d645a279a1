// What a worker's beat says at rest, and that it says all as soon as there is something to say.

import { expect } from 'chai';
import { readConfig } from '../../src/core/config.ts';
import type { Service } from '../../src/http/service.ts';
import { Beat } from '../../src/worker/beat.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, local } from '../helpers/service.ts';

afterEach(closeLocals);

describe('the beat of a worker', () => {
  /** Beats every 25 ms; `said` has `figures` or `alive` for each. */
  async function beating(answer: () => void = () => {}) {
    const { service, port } = await local((_req, res) => {
      answer();
      res.end();
    });
    const said: string[] = [];
    let unwell: string | null = null;
    const { config } = readConfig({ HANG_TIMEOUT: '0.1' });
    new Beat(config, service, {
      beat: ({ gauges, unwell: why }) =>
        said.push(why === null ? `figures ${Math.round(gauges.loopDelayMaxMs / 100)}` : `unwell: ${why}`),
      alive: () => said.push('alive'),
      replace: () => {},
      unwell: () => unwell,
      logLinesDropped: () => 0,
    });
    const sicken = (why: string): void => {
      unwell = why;
    };
    await eventually(() => said.includes('alive'), 'it is at rest');
    return { said, port, service, sicken };
  }
  const isOpen = ({ connections }: Service): boolean => connections.size > 0;

  it('has figures now and then at rest, and says otherwise only that it lives', async () => {
    const { said } = await beating();
    said.length = 0;
    await eventually(() => said.length >= 12, 'a dozen beats');
    expect(said.filter((one) => one === 'alive').length).to.be.within(6, 9);
  });

  it('has figures every time while a connection is open', async () => {
    const { said, port, service } = await beating();
    const raw = await Raw.open(port);
    await eventually(() => isOpen(service), 'it is connected');
    said.length = 0;
    await eventually(() => said.length >= 8, 'some beats');
    expect(said).not.to.include('alive');
    raw.destroy();
    await eventually(() => said.includes('alive'), 'it is at rest again');
  });

  it('has figures when a request came and went between two beats, with the time that its listener blocked', async () => {
    const { said, port, service } = await beating(() => {
      const until = performance.now() + 200;
      while (performance.now() < until);
    });
    said.length = 0;
    const raw = await Raw.open(port);
    await raw.send(request('GET', '/')).answer();
    raw.destroy();
    await eventually(() => !isOpen(service), 'it has left');
    await eventually(() => said.some((one) => one === 'figures 2'), 'the block is said');
  });

  it('says at once that the app is unwell', async () => {
    const { said, sicken } = await beating();
    sicken('no database');
    said.length = 0;
    await eventually(() => said.length > 0, 'the next beat');
    expect(said[0]).to.equal('unwell: no database');
  });
});
