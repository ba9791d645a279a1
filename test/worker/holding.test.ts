import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { Connection } from '../../src/http/connection.ts';
import { nameOf } from '../../src/http/held.ts';
import type { Service } from '../../src/http/service.ts';
import { Holding } from '../../src/worker/holding.ts';
import { eventually } from '../helpers/server.ts';

/** As much of a service as is looked at. */
function serviceOf() {
  const inFlight = new Map<ServerResponse, number>();
  const connections = new Set<Connection>();
  const woken: (() => void)[] = [];
  const service = { inFlight, connections, woken, current: undefined } as unknown as Service;
  return { service, inFlight, connections, woken };
}

const answer = (url: string, head = ''): ServerResponse =>
  ({ req: { method: 'GET', url }, _header: head }) as unknown as ServerResponse;

describe('the requests that a worker holds', () => {
  it('are told once they are held for a while, and again only when they are others; of the longest ten', async () => {
    const told: (readonly string[])[] = [];
    const holding = new Holding((requests) => told.push(requests));
    const { service, inFlight, connections, woken } = serviceOf();
    holding.begin(service);
    connections.add({} as Connection);
    for (const wake of woken) wake();
    const first = answer('/report?token=secret');
    inFlight.set(first, performance.now());
    expect(told).to.deep.equal([]);
    await eventually(() => told.length === 1, 'it is told');
    for (let i = 0; i < 20; i++) inFlight.set(answer(`/${i}`), performance.now() - 200);
    await eventually(() => told.length === 2, 'more are told');
    inFlight.clear();
    await eventually(() => told.length === 3, 'that they are over is told');
    expect(told).to.deep.equal([
      ['GET /report'],
      ['GET /report', ...Array.from({ length: 9 }, (_, i) => `GET /${i}`)],
      [],
    ]);
    // The timer ends with the last connection.
    connections.clear();
  });

  it('are, at its end, the one whose listener runs and then the latest', () => {
    const holding = new Holding(() => {});
    expect(holding.now).to.deep.equal([]);
    const { service, inFlight } = serviceOf();
    holding.begin(service);
    for (let i = 0; i < 20; i++) inFlight.set(answer(`/${i}`), i);
    inFlight.set(answer('/events', 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'), 20);
    service.current = { method: 'POST', url: '/now?x' } as IncomingMessage;
    expect(holding.now).to.deep.equal([
      'POST /now',
      ...Array.from({ length: 9 }, (_, i) => `GET /${19 - i}`),
    ]);
  });

  it('are named without their query, as they came, and no longer than 200 characters', () => {
    const req = (fields: object): IncomingMessage => fields as IncomingMessage;
    expect(nameOf(req({ method: 'GET', url: '/a?b=1?c' }))).to.equal('GET /a');
    expect(nameOf(req({ method: 'GET', url: '/a', originalUrl: '/api/a?b' }))).to.equal('GET /api/a');
    expect(nameOf(req({}))).to.equal('- -');
    expect(nameOf(req({ method: 'GET', url: `/${'x'.repeat(500)}` }))).to.have.length(200);
  });
});
