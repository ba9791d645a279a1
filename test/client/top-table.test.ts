import { expect } from 'chai';
import { page } from '../../src/client/text.ts';
import { topPage } from '../../src/client/top-table.ts';
import type { Top } from '../../src/control/status.ts';
import { inFlight } from './made-up.ts';

const shown = (top: Partial<Top>, columns?: number): string => {
  const requests = top.requests ?? [];
  const { lines, width } = topPage({ total: requests.length, requests, silent: [], ...top }, columns);
  return page(lines, width, false);
};

describe('the page of the requests in flight', () => {
  it('is one line each', () => {
    expect(
      shown({ requests: [inFlight(), inFlight({ age: 0.25, method: 'POST', worker: 12, client: null })] }),
    ).to.equal(
      [
        ' age  worker   pid  method  target             client',
        ' 12s       1  1579  GET     /report?year=2026  192.0.2.17',
        '0.3s      12  1579  POST    /report?year=2026  gone',
        '',
      ].join('\n'),
    );
  });

  it('says that there are none, and which workers did not answer', () => {
    expect(shown({})).to.equal('no requests in flight\n');
    expect(shown({ silent: [{ worker: 1, pid: 123 }] })).to.equal(
      'no requests in flight in the workers that answered\nworker 1 (pid 123) did not answer: it hangs or is busy\n',
    );
  });

  it('says how many more there are than it lists', () => {
    expect(shown({ total: 130, requests: [inFlight()] })).to.match(/\n… and 129 more\n$/);
  });

  const widest = inFlight({
    worker: 511,
    pid: 4_194_303,
    age: 1e9,
    method: 'X'.repeat(40),
    target: `/${'a/'.repeat(100)}`,
    client: '2001:0db8:85a3:0000:0000:8a2e:0370:7334%eth0123',
  });
  for (const [columns, width] of [
    [undefined, 100],
    [200, 200],
    [80, 80],
    [20, 80],
  ] as const) {
    it(`is ${width} wide at most on ${columns === undefined ? 'a pipe' : `a terminal of ${columns} columns`}`, () => {
      const lines = shown({ requests: [widest, inFlight()] }, columns)
        .trimEnd()
        .split('\n');
      expect(Math.max(...lines.map((line) => line.length))).to.equal(width);
      expect(lines[1]).to.match(/\/a\/[a/]{10,}… +2001:/);
    });
  }

  it('lets no text from outside steer the terminal', () => {
    const evil = '\u001b[2J\r\n\u202e';
    expect(shown({ requests: [inFlight({ method: evil, target: evil, client: evil })] })).to.match(
      /^[\x20-\x7e\n…]*$/,
    );
  });
});
