// The events of a fleet that runs from code: which notices they are, and that the docs list all of them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Notice } from '../../src/core/notices.ts';
import { eventOf } from '../../src/log/events.ts';
import { read } from '../helpers/manual.ts';
import { ROOT } from '../helpers/server.ts';

const of = { worker: 1, generation: 2, pid: 4711 };

describe('the events of a fleet', () => {
  const EVENTS: readonly (readonly [Notice, unknown])[] = [
    [
      { notice: 'ready', of, afterMs: 300.4 },
      { name: 'ready', data: { ...of, afterMs: 300 } },
    ],
    [
      { notice: 'crashed', of, ending: { signal: 'SIGKILL' }, uptimeMs: 1, nextMs: 0 },
      { name: 'crashed', data: { ...of, how: 'SIGKILL', nextMs: 0 } },
    ],
    [
      { notice: 'hung', of, silentMs: 30_000, place: undefined, holding: ['GET /'], stack: undefined },
      { name: 'hung', data: { ...of, silentMs: 30_000, place: null, holding: ['GET /'] } },
    ],
    [
      { notice: 'abandoned', generation: 3, fault: { fault: 'failed', failure: { reason: 'no database' } } },
      { name: 'reloadAbandoned', data: { generation: 3, reason: 'no database' } },
    ],
    [
      { notice: 'killed', of, kill: { why: 'hung' } },
      { name: 'killed', data: { ...of, why: 'hung' } },
    ],
    [
      { notice: 'received', what: 'SIGTERM' },
      { name: 'stopping', data: { what: 'SIGTERM' } },
    ],
  ];
  for (const [notice, event] of EVENTS)
    it(`has one for ${notice.notice}`, () => expect(eventOf(notice)).to.deep.equal(event));

  it('has none for what is only a line of the log', () => {
    expect(eventOf({ notice: 'visit', port: 1 })).to.equal(undefined);
  });

  it('are those that docs/package.md lists', () => {
    const source = readFileSync(join(ROOT, 'src/core/fleet-events.ts'), 'utf8');
    const [, told = ''] = source.split('export interface ToldEvents');
    const named = [...told.matchAll(/^ {2}readonly (\w+): /gm)].map(([, name = '']) => name);
    const listed = read('docs/package.md')
      .lines.filter(({ anchor }) => anchor === 'events')
      .flatMap(({ text }) => /^\| `(\w+)` \|/.exec(text)?.[1] ?? []);
    expect(listed).to.have.members(named);
  });
});
