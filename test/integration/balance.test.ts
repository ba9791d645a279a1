// Clients that keep their connection and came all at once are spread over the workers, without one of them noticing.

import { Agent, get } from 'node:http';
import { expect } from 'chai';
import { seen, statusAt } from '../helpers/seen.ts';
import { eventually } from '../helpers/server.ts';

/** A client that asks over a connection it keeps, now and then, until it is told to end; returns what went wrong. */
async function client(port: number, goesOn: () => boolean): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const wrong: string[] = [];
  while (goesOn()) {
    await new Promise<void>((resolve) => {
      const request = get({ port, host: '127.0.0.1', agent }, (answer) => {
        if (answer.statusCode !== 200) wrong.push(String(answer.statusCode));
        answer.resume().once('end', resolve);
      });
      request.once('error', (error) => {
        wrong.push(error.message);
        resolve();
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
  }
  agent.destroy();
  return wrong;
}

describe('kept connections', () => {
  it('are spread over the workers after they have all come at once', async () => {
    const { server, admin } = await seen({ env: { WEB_CONCURRENCY: '4', ACCESS_LOG: 'false' } });
    let goesOn = true;
    const clients = Array.from({ length: 200 }, () => client(server.port, () => goesOn));
    const spread = async (): Promise<boolean> => {
      const { workers } = await statusAt(admin);
      const kept = workers.map(({ connections }) => connections ?? 0);
      const mean = kept.reduce((sum, count) => sum + count, 0) / kept.length;
      return mean > 45 && Math.max(...kept) <= 1.5 * mean;
    };
    await eventually(spread, 'no worker has more than half as much again as the mean', 20_000);
    goesOn = false;
    expect((await Promise.all(clients)).flat()).to.deep.equal([]);
  });
});
