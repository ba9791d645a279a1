// What the request log says of requests answered and refused, and what no client can make it say.

import { expect } from 'chai';
import { exchange } from '../helpers/raw.ts';
import { FORGED, field, headers, NASTY, target } from '../helpers/requests.ts';
import { eventually } from '../helpers/server.ts';
import { closeLocals, helloHere, local } from '../helpers/service.ts';

afterEach(closeLocals);

describe('the request log', () => {
  it('has a line with - for each request that was refused, and one for each that was not', async () => {
    const server = await helloHere();
    const refused = [
      'garbage\r\n\r\n',
      headers(),
      target('/#'),
      field(`X: ${'x'.repeat(17_000)}`),
      'CONNECT a:1 HTTP/1.1\r\n\r\n',
    ];
    for (const bytes of refused) await exchange(server.port, bytes);
    await exchange(server.port, target('/last'));
    const expected = [...refused.map(() => '- -'), 'GET /last'];
    const logged = (): string[] =>
      [...server.out.matchAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - (.*)$/gm)].map(
        ([, rest = '']) => rest,
      );
    await eventually(() => logged().length >= expected.length, `the lines of ${expected.length} requests`);
    expect(logged().sort()).to.deep.equal(expected.sort());
    expect(server.err).to.equal('');
  });

  it('counts them as requests answered', async () => {
    const { port, service, answered } = await local((_req, res) => res.end());
    await exchange(port, target('/'));
    await exchange(port, 'garbage\r\n\r\n');
    await exchange(port, headers());
    expect(answered).to.deep.equal(['GET / 200', '- - 400', '- - 400']);
    expect(service.counts.requests).to.equal(3);
  });

  it('cannot be forged or broken by a client, as text', async () => {
    const server = await helloHere();
    for (const bytes of NASTY) await exchange(server.port, bytes);
    await exchange(server.port, target('/last'));
    await eventually(() => server.out.split('\n').length === NASTY.length + 2, `${NASTY.length + 1} lines`);
    const printable = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - ([A-Z]+ [\x21-\x7e]+|- -)|)$/;
    expect(server.out.split('\n').filter((line) => !printable.test(line) || line === FORGED)).to.deep.equal(
      [],
    );
  });

  it('cannot be forged or broken by a client, as json', async () => {
    const server = await helloHere({ LOG_FORMAT: 'json' });
    for (const bytes of NASTY) await exchange(server.port, bytes);
    await exchange(server.port, target('/last'));
    await eventually(() => server.out.split('\n').length === NASTY.length + 2, `${NASTY.length + 1} lines`);
    const records = server.out.trimEnd().split('\n');
    for (const line of records) {
      expect(line).not.to.match(/\p{Cc}/u);
      const { level, msg, req, res } = JSON.parse(line) as Record<string, unknown> &
        Record<'req' | 'res', object>;
      expect({ level, msg }).to.deep.equal({ level: 'info', msg: 'request' });
      expect(req).to.include.keys('method', 'url', 'remoteAddress');
      expect(res).to.have.keys('statusCode');
    }
  });
});
