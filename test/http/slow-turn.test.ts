// Listeners that run long in one piece: which are named, how often, and that all are counted.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { Service, SlowTurn } from '../../src/http/service.ts';
import { exchange, request } from '../helpers/raw.ts';
import { closeLocals, local } from '../helpers/service.ts';

const LIMIT_MS = 20;

const block = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

/** Blocks for as long as its query says, and goes on as its path says. */
async function app(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost');
  block(Number(searchParams.get('ms')));
  if (pathname === '/throws') throw new Error('boom');
  if (pathname === '/waits') await new Promise((resolve) => setTimeout(resolve, 2 * LIMIT_MS));
  res.end();
}

afterEach(closeLocals);

describe('a slow turn', () => {
  async function serving(slowTurnMs: number | undefined) {
    const turns: SlowTurn[] = [];
    const slowTurn = (turn: SlowTurn): void => void turns.push(turn);
    const settings = { slowTurn, ...(slowTurnMs !== undefined && { slowTurnMs }) };
    const { service, port } = await local(app, settings);
    const ask = (target: string) => exchange(port, request('GET', target));
    return { turns, service, ask };
  }
  const counted = (service: Service): number => service.counts.read([]).slowTurns;

  for (const path of ['/answers', '/waits', '/throws'])
    it(`is named when a listener blocks that then ${path.slice(1)}, without its query`, async () => {
      const { turns, service, ask } = await serving(LIMIT_MS);
      await ask(`${path}?ms=${LIMIT_MS + 5}`);
      expect(turns.map(({ method, path: named }) => `${method} ${named}`)).to.deep.equal([`GET ${path}`]);
      expect(turns[0]?.ms).to.be.within(LIMIT_MS + 5, 1000);
      expect(counted(service)).to.equal(1);
    });

  it('is none when a listener waits without blocking', async () => {
    const { turns, service, ask } = await serving(LIMIT_MS);
    await ask('/waits?ms=0');
    expect([turns, counted(service)]).to.deep.equal([[], 0]);
  });

  it('is named once a second at most, and counted every time', async () => {
    const { turns, service, ask } = await serving(LIMIT_MS);
    for (let i = 0; i < 3; i++) await ask(`/answers?ms=${LIMIT_MS + 1}`);
    expect(turns).to.have.length(1);
    expect(counted(service)).to.equal(3);
  });

  for (const off of [0, undefined])
    it(`is never named with a limit of ${off}`, async () => {
      const { turns, service, ask } = await serving(off);
      await ask(`/answers?ms=${2 * LIMIT_MS}`);
      expect([turns, counted(service)]).to.deep.equal([[], 0]);
    });
});
