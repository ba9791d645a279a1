import { expect } from 'chai';
import {
  isoTime,
  jsonLines,
  MAX_LINE_BYTES,
  type RequestRecord,
  textLine,
} from '../../src/http/request-line.ts';

const NOON = Date.UTC(2024, 0, 1, 12);
const RECORD: RequestRecord = {
  method: 'GET',
  url: '/',
  remoteAddress: '::1',
  forwardedFor: undefined,
  userAgent: undefined,
  statusCode: 200,
  responseTimeMs: 1.23456,
};
const BINDINGS = { pid: 4711, worker: 1, generation: 2 };

const bytes = (line: string): number => Buffer.byteLength(line);
/** Every character that a header value or a target can hold, and some that it cannot. */
const LATIN1 = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));

describe('isoTime', () => {
  it('is what Date says, at every kind of instant', () => {
    const instants = [
      0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 59_999, 60_000, 60_001, 3_599_999, 3_600_000,
    ];
    for (const base of [
      0,
      NOON,
      Date.UTC(2024, 1, 29),
      Date.UTC(2023, 11, 31, 23, 59),
      Date.UTC(2038, 0, 19, 3, 14),
    ]) {
      for (const after of instants) {
        expect(isoTime(base + after)).to.equal(new Date(base + after).toISOString());
        expect(isoTime(base - after + 3_600_000)).to.equal(new Date(base - after + 3_600_000).toISOString());
      }
    }
  });

  it('is what Date says around every minute of a day, forth and back', () => {
    for (let minute = 0; minute < 1440; minute++) {
      for (const after of [-1, 0, 1, 30_500]) {
        const now = NOON + minute * 60_000 + after;
        expect(isoTime(now)).to.equal(new Date(now).toISOString());
      }
    }
  });

  it('is what Date says of many instants that follow no rule', () => {
    let seed = 1;
    for (let index = 0; index < 20_000; index++) {
      seed = (seed * 48_271) % 2_147_483_647;
      const now = seed * 1200 + index;
      expect(isoTime(now)).to.equal(new Date(now).toISOString());
    }
  });

  it('drops parts of a millisecond', () => {
    expect(isoTime(NOON + 59_999.999)).to.equal('2024-01-01T12:00:59.999Z');
  });
});

describe('the text line of a request', () => {
  it('is the time, the method and the target', () => {
    expect(textLine(NOON, 'GET', '/a?b=c')).to.equal('2024-01-01T12:00:00.000Z - GET /a?b=c\n');
  });

  it('is a - for both of one that the parser refused', () => {
    expect(textLine(NOON, '-', '-')).to.equal('2024-01-01T12:00:00.000Z - - -\n');
  });

  it('has 4096 bytes at most, and is cut only when it had more', () => {
    const room = MAX_LINE_BYTES - bytes(textLine(NOON, 'GET', ''));
    const whole = '/'.padEnd(room, 'x');
    expect(textLine(NOON, 'GET', whole)).to.equal(`2024-01-01T12:00:00.000Z - GET ${whole}\n`);
    for (const length of [room + 1, room + 2, 8000, 16_000]) {
      const line = textLine(NOON, 'M-SEARCH', '/'.padEnd(length, 'x'));
      expect(bytes(line)).to.be.at.most(MAX_LINE_BYTES);
      expect(line).to.match(/^[^\n]*x\.\.\.\n$/);
    }
  });
});

describe('the json line of a request', () => {
  const line = jsonLines(BINDINGS);

  it('is pino’s, and says what there is to say', () => {
    const full = { ...RECORD, forwardedFor: '10.0.0.1, 10.0.0.2', userAgent: 'curl/8 "x" \\ ü' };
    expect(JSON.parse(line(NOON, full))).to.deep.equal({
      level: 'info',
      time: '2024-01-01T12:00:00.000Z',
      pid: 4711,
      worker: 1,
      generation: 2,
      req: {
        method: 'GET',
        url: '/',
        remoteAddress: '::1',
        forwardedFor: '10.0.0.1, 10.0.0.2',
        userAgent: 'curl/8 "x" \\ ü',
      },
      res: { statusCode: 200 },
      responseTime: 1.235,
      msg: 'request',
    });
  });

  it('leaves out what is not known', () => {
    const { req } = JSON.parse(line(NOON, { ...RECORD, remoteAddress: undefined }));
    expect(req).to.deep.equal({ method: 'GET', url: '/' });
  });

  it('is one line whose fields read back as they were, whatever they hold', () => {
    const values = [
      LATIN1,
      '"',
      '\\',
      '\\"',
      '\u2028\u2029',
      '',
      'x"},"level":"fatal',
      '\ud83d\ude00',
      'a\nb\rc',
    ];
    for (const value of values) {
      const said = line(NOON, { ...RECORD, url: value, forwardedFor: value, userAgent: value });
      const { req } = JSON.parse(said);
      expect([req.url, req.forwardedFor, req.userAgent]).to.deep.equal([value, value, value]);
      expect(said.indexOf('\n')).to.equal(said.length - 1);
    }
  });

  it('has no raw control character, C1 and DEL included', () => {
    const said = line(NOON, { ...RECORD, url: LATIN1, userAgent: LATIN1, forwardedFor: '\u009b31m' });
    const raw = [...said.slice(0, -1)].filter((char) => /[\p{Cc}]/u.test(char));
    expect(raw).to.deep.equal([]);
  });

  it('has 4096 bytes at most, whatever the fields hold', () => {
    for (const char of ['x', '"', '\\', 'ü', '\u009b', '\t']) {
      for (const length of [100, 400, 500, 501, 700, 1000, 1300, 2000, 4000, 16_000]) {
        const value = char.repeat(length);
        const target = 'x'.repeat(length);
        for (const record of [
          { ...RECORD, url: target },
          { ...RECORD, url: target, userAgent: value },
          { ...RECORD, url: target, userAgent: value, forwardedFor: value },
        ]) {
          const said = line(NOON, record);
          expect(bytes(said), `${length} times ${JSON.stringify(char)}`).to.be.at.most(MAX_LINE_BYTES);
          expect(JSON.parse(said).req.url).to.match(/^x+(\.\.\.)?$/);
        }
      }
    }
  });

  it('is whole when it is not too long', () => {
    const url = `/${'x'.repeat(3000)}`;
    expect(JSON.parse(line(NOON, { ...RECORD, url })).req.url).to.equal(url);
  });
});
