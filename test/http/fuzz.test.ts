// Mutated requests by the thousand at what a worker serves: each gets well-formed answers or a close, and nothing is thrown.

import { connect } from 'node:net';
import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { closeLocals, helloHere } from '../helpers/service.ts';

const REQUESTS = 20_000;
/** Of so many requests one is not followed by the end of the connection: the server has to time it out. */
const ONE_LEFT_OPEN_IN = 40;
const CONNECTIONS = 64;
const CONNECTIONS_LEFT_OPEN = 100;
const DEADLINE_MS = 10_000;

const SEEDS: readonly string[] = [
  request('GET', '/'),
  request('GET', '/a/b?c=d%20e', 'Accept: */*', 'User-Agent: fuzz'),
  request('HEAD', '/health'),
  request('OPTIONS', '*'),
  request('GET', 'http://localhost/health'),
  request('GET', '/', 'Connection: close'),
  request('GET', '/', 'Connection: Upgrade', 'Upgrade: websocket'),
  request('GET', '/', 'Expect: 100-continue'),
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
  `${request('POST', '/', 'Content-Length: 5')}hello`,
  `${request('PUT', '/', 'Content-Length: 5', 'Expect: 100-continue')}hello`,
  `${request('POST', '/', 'Transfer-Encoding: chunked')}5;x=y\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n`,
  `${request('GET', '/a')}${request('GET', '/b')}${request('POST', '/c', 'Content-Length: 1')}x${request('GET', '/d')}`,
];

const TOKENS: readonly string[] = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '#',
    '\\',
    '%',
    '\xff',
    '\x7f',
    '0',
    '-1',
  ],
  ...[
    'Host: a\r\n',
    'Host: \r\n',
    'Content-Length: 3\r\n',
    'Content-Length: 99999999999999999999\r\n',
    'Content-Length: 05\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Expect: 100-continue\r\n',
    'Expect: x\r\n',
  ],
  ...[
    'Connection: Upgrade\r\nUpgrade: h2c\r\n',
    'Connection: close\r\n',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    ' HTTP/2.0\r\n',
  ],
  ...[
    'GET / HTTP/1.1\r\n',
    'HEAD ',
    'CONNECT ',
    '/health',
    'http://',
    '*',
    'ffffffffffffffffff\r\n',
    `X: ${'x'.repeat(20_000)}\r\n`,
  ],
];

type Random = (below: number) => number;

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const pick = (random: Random, from: readonly string[]): string => from[random(from.length)] ?? '';

/** A request with one to four things wrong with it. */
function mutated(random: Random): string {
  let text = pick(random, SEEDS);
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(text.length + 1);
    const end = at + random(12);
    const [before, piece, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
    switch (random(7)) {
      case 0:
        text = before + String.fromCharCode(random(256)) + text.slice(at + 1);
        break;
      case 1:
        text = before + String.fromCharCode(random(256)) + text.slice(at);
        break;
      case 2:
        text = before + after;
        break;
      case 3:
        text = before + piece.repeat(1 + random(5)) + after;
        break;
      case 4:
        text = before + pick(random, TOKENS) + text.slice(random(2) === 0 ? at : end);
        break;
      case 5:
        text = before + pick(random, SEEDS).slice(random(30));
        break;
      default:
        text = random(4) === 0 ? before : text + pick(random, SEEDS);
    }
  }
  return text;
}

/** What came back until the connection ended. Rejects when it does not end. */
function reply(port: number, bytes: string, leaveOpen: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.write(bytes, 'latin1');
      if (!leaveOpen) socket.end();
    });
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end within ${DEADLINE_MS} ms, after ${JSON.stringify(text)}`));
    }, DEADLINE_MS);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {}); // a reset is a close
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve(text);
    });
  });
}

const FIELD_LINE = /^[!#$%&'*+.^_`|~\w-]+: [\x20-\x7e]*$/;

/** What is wrong with a sequence of answers; undefined if nothing is. */
function flaw(text: string, bytes: string): string | undefined {
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return 'half a header section';
    const [statusLine = '', ...fields] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) [A-Z][A-Za-z ]+$/.exec(statusLine)?.[1]);
    if (![100, 200, 400, 408, 431].includes(status)) return `the status line ${statusLine}`;
    const wrong = fields.find((line) => !FIELD_LINE.test(line));
    if (wrong !== undefined) return `the header line ${wrong}`;
    rest = rest.slice(end + 4);
    if (status === 100) continue;
    const lengths = fields.filter((line) => line.startsWith('Content-Length: '));
    const length = Number(lengths[0]?.slice(16));
    if (lengths.length !== 1 || !(length > 0)) return `${lengths.length} lengths`;
    for (const name of ['Date', 'Server', 'Content-Type']) {
      if (fields.filter((line) => line.startsWith(`${name}: `)).length !== 1) return `not one ${name}`;
    }
    const toHead = bytes.includes('HEAD') && (rest === '' || rest.startsWith('HTTP/1.1 '));
    if (toHead) continue;
    if (rest.length < length) return 'half a body';
    if (status >= 400 && (rest.length > length || !fields.includes('Connection: close')))
      return 'something after an error';
    rest = rest.slice(length);
  }
  return undefined;
}

/** Sends `number` requests over so many connections at a time; fails with the first that goes wrong. */
async function throwAt(
  port: number,
  random: Random,
  number: number,
  atOnce: number,
  leaveOpen: boolean,
): Promise<number> {
  let left = number;
  let answers = 0;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const bytes = mutated(random);
      const problem = await reply(port, bytes, leaveOpen).then(
        (text) => {
          if (text !== '') answers += 1;
          const wrong = flaw(text, bytes);
          return wrong && `${wrong} in ${JSON.stringify(text)}`;
        },
        (error: Error) => error.message,
      );
      if (problem !== undefined) throw new Error(`${problem}\nto ${JSON.stringify(bytes)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return answers;
}

afterEach(closeLocals);

describe('a worker', () => {
  it(`answers or closes each of ${REQUESTS} mutated requests, and lives on`, async function () {
    this.timeout(120_000);
    const seed = Number(process.env.FUZZ_SEED || Date.now() % 2 ** 31);
    const server = await helloHere({ REQUEST_TIMEOUT: '1', KEEP_ALIVE_TIMEOUT: '1' });
    const leftOpen = REQUESTS / ONE_LEFT_OPEN_IN;
    try {
      const answers = await Promise.all([
        throwAt(server.port, randomFrom(seed), REQUESTS - leftOpen, CONNECTIONS, false),
        throwAt(server.port, randomFrom(~seed), leftOpen, CONNECTIONS_LEFT_OPEN, true),
      ]);
      expect(answers[0] + answers[1], 'requests answered').to.be.above(REQUESTS / 2);
      // The last answers may still be on their way to a client that has left.
      await exchange(server.port, request('GET', '/lives-on'));
      expect(server.err).to.equal('');
      const line = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - ([A-Z-]+ [\x21-\x7e]+|- -)|)$/;
      expect(server.out.split('\n').filter((text) => !line.test(text))).to.deep.equal([]);
    } catch (error) {
      throw new Error(`with FUZZ_SEED=${seed}: ${String(error)}\n${server.log}`);
    }
  });
});
