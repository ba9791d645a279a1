// Work that must run once: `lead` is called in one worker at a time, and handed over in a reload, a crash and a stop.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { reload } from '../helpers/reload.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';

describe('lead', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const serving = (how: string): Promise<Running> =>
    serve({
      args: [fixture('leads.js')],
      env: { HOW: how, LEADS: join(folder, 'leads'), WEB_CONCURRENCY: '3', DRAIN_TIMEOUT: '2' },
    });
  const lines = (): string[] => {
    try {
      return readFileSync(join(folder, 'leads'), 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  };
  const begun = (times: number): Promise<void> =>
    eventually(() => lines().filter((line) => line.startsWith('begins')).length >= times, `${times} begin`);

  it('runs in one worker, and in another only when the one before has handed over', async () => {
    const server = await serving('well');
    await begun(1);
    const workers = server.workers();
    expect(workers).to.include(Number(lines()[0]?.split(' ')[1]));
    await reload(server, 2);
    await begun(2);
    process.kill(Number(lines().at(-1)?.split(' ')[1]), 'SIGKILL');
    await begun(3);
    expect((await server.stop()).code).to.equal(0);
    const words = lines().map((line) => line.split(' ')[0]);
    expect(words).to.deep.equal(['begins', 'ends', 'begins', 'begins', 'ends']);
    expect(lines()[0]?.split(' ')[1]).to.equal(lines()[1]?.split(' ')[1]);
  });

  it('that has returned is not called again while its worker serves', async () => {
    const server = await serving('returns');
    await begun(1);
    await reload(server, 2);
    await begun(2);
    await server.stop();
    expect(lines()).to.have.length(2);
  });

  it('that never returns holds nobody up but the next to lead, who begins when its process is gone', async () => {
    const server = await serving('ignores');
    await begun(1);
    await reload(server, 2);
    await begun(2);
    expect((await server.stop()).code).to.equal(0);
  });

  it('that throws is logged, and called again a second later', async () => {
    const server = await serving('throws');
    await begun(2);
    await server.stop();
    expect(server.err).to.match(/^app failed to lead: cannot lead\n +Error: cannot lead\n/);
    expect(lines().length).to.be.lessThan(8);
  });
});
