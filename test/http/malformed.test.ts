// Malformed input over raw sockets, in the order of RFC 9112; each table row is one connection to a server in this process.

import { expect } from 'chai';
import { expectErrorAnswer } from '../helpers/error-answer.ts';
import { exchange, Raw, request } from '../helpers/raw.ts';
import { chunked, field, headers, startLine, target } from '../helpers/requests.ts';
import { closeLocals, helloHere } from '../helpers/service.ts';

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
    const server = await helloHere();
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

const http10 = (...fields: string[]): string => headers(...fields).replace('HTTP/1.1', 'HTTP/1.0');
const host = (value: string): string => headers(`Host:${value}`);
const length = (value: string): string => `${request('POST', '/', `Content-Length:${value}`)}hello`;
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
    const server = await helloHere();
    const whole = `${request('POST', '/a', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`;
    for (let end = 0; end < whole.length; end++) {
      const raw = await Raw.open(server.port);
      raw.socket.end(whole.slice(0, end));
      const reply = await raw.end();
      if (reply !== '') expectErrorAnswer(reply, 400);
    }
    expect(server.err).to.equal('');
  });

  it('is closed without an answer when not one byte of it came', async () => {
    const server = await helloHere({ REQUEST_TIMEOUT: '0.4' });
    const raw = await Raw.open(server.port);
    expect(await raw.end()).to.equal('');
    await exchange(server.port, request('GET', '/after'));
    await server.says(/ - GET \/after\n/);
    expect(server.out).not.to.contain('- - -');
  });
});
