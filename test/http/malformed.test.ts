// Malformed input over raw sockets, in the order of RFC 9112; each table row is one connection to the real server.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, type Running, serve } from '../helpers/server.ts';
import { closeLocals, local } from '../helpers/service.ts';

type Row = readonly [bytes: string, status: number];

/** What each row was answered with; an error answer has to be exact and followed by a close. */
async function statuses({ port }: { port: number }, rows: readonly Row[]): Promise<Row[]> {
  const found: Row[] = [];
  for (const [bytes] of rows) {
    const raw = await Raw.open(port);
    const { status } = await raw.send(bytes).answer(5000, bytes.startsWith('HEAD '));
    if (status >= 400) await raw.end();
    raw.destroy();
    found.push([bytes, status]);
  }
  return found;
}

/** One test of a table: inputs that are good, inputs that are not. */
function table(name: string, good: readonly string[], bad: readonly string[], status = 400): void {
  it(name, async () => {
    const server = await serve();
    const rows: Row[] = [
      ...good.map((bytes): Row => [bytes, 200]),
      ...bad.map((bytes): Row => [bytes, status]),
    ];
    expect(await statuses(server, rows)).to.deep.equal(rows);
    expect(server.err).to.equal('');
  });
}

/** The rows of a table that need no more than a bar between them. */
const each = (rows: string): string[] => rows.split('|');
const lines = (number: number): string[] => Array.from({ length: number }, () => 'X: 1');

const startLine = (line: string): string => `${line}\r\nHost: localhost\r\n\r\n`;
const target = (text: string): string => startLine(`GET ${text} HTTP/1.1`);
const headers = (...fields: string[]): string => `GET / HTTP/1.1\r\n${[...fields, ''].join('\r\n')}\r\n`;
const http10 = (...fields: string[]): string => headers(...fields).replace('HTTP/1.1', 'HTTP/1.0');
const field = (line: string): string => headers('Host: localhost', line);
const host = (value: string): string => headers(`Host:${value}`);
const length = (value: string): string => `${request('POST', '/', `Content-Length:${value}`)}hello`;
const chunked = (body: string): string => `${request('POST', '/', 'Transfer-Encoding: chunked')}${body}`;
const coding = (value: string): string =>
  `${request('POST', '/', `Transfer-Encoding:${value}`)}5\r\nhello\r\n0\r\n\r\n`;

afterEach(closeLocals);

describe('malformed input', () => {
  table(
    'in the request line',
    each('GET / HTTP/1.1|GET / HTTP/1.0|\r\nGET / HTTP/1.1|\r\n\r\nOPTIONS * HTTP/1.1').map(startLine),
    [
      ...each('FOO / HTTP/1.1|get / HTTP/1.1|G\x00T / HTTP/1.1| GET / HTTP/1.1|/ HTTP/1.1|GET|GET /'),
      ...each('GET  HTTP/1.1|GET / HTTP/1.1 |GET\t/\tHTTP/1.1|GET / extra HTTP/1.1|\x16\x03\x01\x02\x01'),
      ...each('DESCRIBE / RTSP/1.0|SETUP / HTTP/1.1|PLAY / HTTP/1.1|GET / http/1.1|GET / HTTPS/1.1'),
      ...each(
        'GET / HTTP/0.9|GET / HTTP/1.2|GET / HTTP/2.0|GET / HTTP/1|GET / HTTP/11|GET / HTTP/1,1|PRI * HTTP/2.0',
      ),
    ].map(startLine),
  );

  table(
    'in the target',
    [
      ...each("/|/a?b=c&d|/%00%ff|//|/a/../b|/-._~!$&'()*+,;=:@|/?|/a?b?c|/http://a/").map(target),
      ...each('http://localhost|http://localhost/|HTTPS://[::1]:8/x?y|http://localhost?x').map(target),
      ...each('OPTIONS *|OPTIONS /a').map((text) => startLine(`${text} HTTP/1.1`)),
    ],
    [
      ...each('*|/a#b|/#|/a\\b|\\|/\x01|/\x7f|/\xe9|/\xc3\xa9|/a\tb|/a\x00b|/a\rb|a|?a|#|localhost:80').map(
        target,
      ),
      ...each('http:|http:/a|http://|http:///a|http://u@a/|http://a#b|http://a,b/|http://a:b/').map(target),
      ...each('http://[::1/|http://a\\b|://a/|1http://a/').map(target),
      ...each('POST *|OPTIONS **|OPTIONS *?a').map((text) => startLine(`${text} HTTP/1.1`)),
    ],
  );

  table(
    'in Host',
    [
      ...each('localhost|LOCALHOST:3000|127.0.0.1|[::1]|[::ffff:127.0.0.1]:80|a.example:|a_b-c.d~').map(host),
      ...each('   a   |\ta\t|a:65535|%41').map(host),
      ...[headers('hOST: a'), http10(), http10('Host: a')],
    ],
    [
      ...each('| |u@a|u:p@a|a/|a/b|a,b|a, b|a b|http://a|a?b|a#b|a\\b|\xe9|<a>|a:b|a:65536|a:1:2|a:-1').map(
        host,
      ),
      ...each('::1|[::1|::1]|[a]|[127.0.0.1]|[::1]a|[]|:80|%4|%zz').map(host),
      ...[headers(), headers('X-Host: a'), headers('Host: a', 'Host: a'), headers('Host: a', 'host: b')],
      ...[headers('Host: a', ...lines(900), 'hoSt: a'), headers('Host : a')],
      ...[http10('Host: a', 'Host: a'), http10('Host: a b')],
    ],
  );

  table(
    'in header lines',
    [
      ...each('X:|X: |X:1|X:\t1\t|X: \xe9\xff|X: a:b|X: "').map(field),
      field("!#$%&'*+-.^_`|~09az: 1"),
      headers('Host: localhost', ...lines(999)),
    ],
    [
      ...each('X|: 1|X : 1|X\t: 1|X Y: 1|X(: 1|X\x00: 1|X\xe9: 1|X: a\x00b|X: a\rb|X: 1\r\n folded|@: 1').map(
        field,
      ),
      ...each(' Host: localhost|\tHost: localhost').map((line) => headers(line)),
    ],
  );

  table(
    'in Content-Length',
    [...each('5| 5 |\t5').map(length), field('Content-Length: 0')],
    [
      ...each('| |05|00|000|+5|-5|-0|5 5|5,5|5, 5|5;|5.0|0x5|1e1|five|"5"|\x0b5|18446744073709551616').map(
        length,
      ),
      ...each(' 5\r\nContent-Length: 5| 5\r\ncontent-length: 6| 0\r\nContent-Length: 5').map(length),
      ...each('Content-Length: 00|CONTENT-LENGTH: 05').map(field),
    ],
  );

  table('in Transfer-Encoding', each('chunked| chunked | CHUNKED|\tchunked').map(coding), [
    ...each('| |gzip|identity|gzip, chunked|chunked, gzip|chunked, chunked|chunked, identity').map(coding),
    ...each(',chunked|chunked,|chunked;q=1|"chunked"|xchunked|chunkedx|chun ked|\x0bchunked|chunke').map(
      coding,
    ),
    ...each('chunked\r\nTransfer-Encoding: chunked|gzip\r\nTransfer-Encoding: chunked').map(coding),
    ...each('chunked\r\nContent-Length: 5|chunked\r\nContent-Length: 0|identity\r\nContent-Length: 5').map(
      coding,
    ),
    `${request('POST', '/', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    coding('chunked').replace('HTTP/1.1', 'HTTP/1.0'),
    coding('chunked').replace('Transfer-Encoding:', 'Transfer-Encoding :'),
    field('Transfer-Encoding: gzip'),
  ]);

  table(
    'in chunks',
    [
      ...each('0\r\n\r\n|5\r\nhello\r\n0\r\n\r\n|000A\r\n0123456789\r\n000\r\n\r\n'),
      ...each(
        '5;x\r\nhello\r\n0\r\n\r\n|5;x=y;z="q"\r\nhello\r\n0;e\r\n\r\n|0\r\nTrailer: 1\r\nX: 2\r\n\r\n',
      ),
    ].map(chunked),
    [
      ...each(
        'xyz\r\n|\r\n| 5\r\nhello\r\n|-1\r\n|+5\r\nhello\r\n|0x5\r\nhello\r\n|5 \r\nhello\r\n|5\thello',
      ),
      ...each(
        '5\r\nhello0\r\n\r\n|5\r\nhelloo\r\n0\r\n\r\n|4\r\nhello\r\n0\r\n\r\n|5\r\nhello\r0\r\n\r\n|5\rhello',
      ),
      ...each('10000000000000000\r\n|fffffffffffffffff\r\n|5;x\x00\r\nhello|5;\nhello|5_0\r\n|1,0\r\n'),
      ...each(
        '0\r\nTrailer\r\n\r\n|0\r\n: 1\r\n\r\n|0\r\nX Y: 1\r\n\r\n|0\r\nX: a\x00b\r\n\r\n|5\r\nhello\r\ng\r\n',
      ),
    ].map(chunked),
  );

  const sized = (bytes: number): string[] => [
    target(`/${'a'.repeat(bytes)}`),
    field(`X: ${'a'.repeat(bytes)}`),
    field(`${'X'.repeat(bytes)}: a`),
    headers('Host: localhost', ...Array.from({ length: bytes / 20 }, () => 'abcd: 0123456789ab')),
  ];

  table(
    'in the size of the header section',
    sized(16_000),
    [
      ...sized(16_500),
      headers('Host: localhost', ...lines(1000)),
      headers('Host: localhost', ...lines(1000), 'Host: localhost'),
      headers(...lines(1001)),
      `GET /${'a'.repeat(40_000)}`,
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(40_000)}`,
    ],
    431,
  );

  const CONNECT = 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n';
  table(
    'with CONNECT',
    [],
    [
      `${CONNECT}\r\n`,
      `${CONNECT}\r\n${target('/')}`,
      `${CONNECT}Connection: Upgrade\r\nUpgrade: a\r\n\r\n`,
      'CONNECT a:80 HTTP/1.1\r\n\r\n',
      'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
  );
});

describe('a request cut short', () => {
  it('by the end of its connection is answered with 400 or not at all, wherever it ends', async () => {
    const server = await serve({ env: { WEB_CONCURRENCY: '1' } });
    const workers = server.workers();
    const whole = `${request('POST', '/a', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`;
    for (let end = 0; end < whole.length; end++) {
      const raw = await Raw.open(server.port);
      raw.socket.end(whole.slice(0, end));
      const reply = await raw.end();
      if (reply !== '') expectErrorAnswer(reply, 400);
    }
    expect(server.workers()).to.deep.equal(workers);
    expect(server.err).to.equal('');
  });

  it('is closed without an answer when not one byte of it came', async () => {
    const server = await serve({ env: { REQUEST_TIMEOUT: '1' } });
    const raw = await Raw.open(server.port);
    expect(await raw.end()).to.equal('');
    await exchange(server.port, request('GET', '/after'));
    await server.says(/ - GET \/after\n/);
    expect(server.out).not.to.contain('- - -');
  });
});

describe('an error in a pipeline', () => {
  const serveSlow = (name: string, env: Record<string, string> = {}): Promise<Running> =>
    serve({ args: [fixture(name)], env: { WEB_CONCURRENCY: '1', ...env } });

  const faults: Record<string, Row> = {
    garbage: ['garbage\r\n\r\n', 400],
    'a request invalid to the validation': [headers('Host: a', 'Host: b'), 400],
    'a header section too large': [field(`X: ${'x'.repeat(17_000)}`), 431],
    CONNECT: ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 400],
    'a bad chunk': [chunked('xyz\r\n'), 400],
  };

  for (const [name, [bytes, status]] of Object.entries(faults)) {
    it(`(${name}) is answered after the answers still owed, and after nothing else`, async () => {
      const server = await serveSlow('answers-after.js');
      const raw = await Raw.open(server.port);
      raw.send(target('/400') + target('/100') + bytes + target('/0'));
      expect((await raw.answer()).body).to.equal('after 400');
      expect((await raw.answer()).body).to.equal('after 100');
      expectErrorAnswer(await raw.end(), status as 400);
      expect(server.err).to.equal('');
    });
  }

  it('of one that comes apart, byte by byte, is the same', async () => {
    const server = await serve();
    const raw = await Raw.open(server.port);
    raw.socket.setNoDelay();
    for (const byte of `${target('/a') + request('HEAD', '/b')}GET /c\r\n\r\n`) {
      raw.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await raw.answer()).body).to.equal('Hello, World!');
    expect((await raw.answer(5000, true)).status).to.equal(200);
    expectErrorAnswer(await raw.end(), 400);
  });

  it('that times out waits for an answer that has begun', async () => {
    const server = await serveSlow('streams-for.js', { REQUEST_TIMEOUT: '1' });
    const raw = await Raw.open(server.port);
    raw.send(`${target('/2500')}GET /half HTTP/1.1\r\n`);
    expect((await raw.answer()).body).to.equal('begun, ended');
    expectErrorAnswer(await raw.end(), 408);
  });

  it('in a body whose request is answered already takes no answer away', async () => {
    const { port } = await local((req, res) => {
      if (req.url === '/slow') setTimeout(() => res.end('slow'), 300);
      else res.end('early');
    });
    const raw = await Raw.open(port);
    raw.send(target('/slow') + chunked('xyz\r\n'));
    expect((await raw.answer()).body).to.equal('slow');
    expect((await raw.answer()).body).to.equal('early');
    await raw.end();
  });

  it('that has its refusal waiting is not answered by the app as well', async () => {
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      const ms = Number(req.url?.slice(1));
      setTimeout(() => res.writeHead(200, { 'Content-Length': 9 }).write('late'), ms);
      setTimeout(() => res.end(' part'), ms + 200);
    };
    const { port, answered } = await local(listener);
    for (const second of ['/100', '/200', '/300']) {
      const raw = await Raw.open(port);
      raw.send(target('/200') + chunked('xyz\r\n').replace(' / ', ` ${second} `));
      expect((await raw.answer()).body).to.equal('late part');
      expectErrorAnswer(await raw.end(), 400);
    }
    expect(answered.filter((line) => line.startsWith('-'))).to.have.length(3);
  });
});

describe('the request log', () => {
  it('has a line with - for each request that was refused, and one for each that was not', async () => {
    const server = await serve();
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
    expect(service.requests).to.equal(3);
  });

  const forged = '2024-01-01T12:00:00.000Z - GET /forged';
  const nasty = [
    target(`/%0d%0a${encodeURIComponent(forged)}`),
    target(`/\r\n${forged}\r\n`),
    target(`/\n${forged}\n`),
    target(`/\x1b[2J\x85${forged}`),
    target(`/${'"\\'.repeat(300)}`.replaceAll('\\', '%5c')),
    target(`/${'a'.repeat(15_000)}`),
    field(`X-Forwarded-For: ::1\r\nX-Forwarded-For: "},{"level":"fatal\\`),
    field(`User-Agent: \x85\xff\xad "\\" ${'\xe9'.repeat(8000)}`),
    field('User-Agent: \t\x80\x9b31m\x9f'),
    `${forged}\r\n\r\n`,
    `${forged} HTTP/1.1\n\n`,
  ];

  it('cannot be forged or broken by a client, as text', async () => {
    const server = await serve();
    for (const bytes of nasty) await exchange(server.port, bytes);
    await exchange(server.port, target('/last'));
    await eventually(() => server.out.split('\n').length === nasty.length + 4, `${nasty.length + 3} lines`);
    const printable =
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - ([A-Z]+ [\x21-\x7e]+|- -)|(Server listening|Visit http).*|)$/;
    expect(server.out.split('\n').filter((line) => !printable.test(line) || line === forged)).to.deep.equal(
      [],
    );
  });

  it('cannot be forged or broken by a client, as json', async () => {
    const server = await serve({ env: { LOG_FORMAT: 'json' } });
    for (const bytes of nasty) await exchange(server.port, bytes);
    await exchange(server.port, target('/last'));
    await eventually(() => server.out.split('\n').length === nasty.length + 4, `${nasty.length + 3} lines`);
    const records = server.out.trimEnd().split('\n').slice(2);
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
