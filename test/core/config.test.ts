import { expect } from 'chai';
import { DEFAULTS, parseWorkerCount, printable, readConfig } from '../../src/core/config.ts';
import { lineOf } from '../../src/log/wording.ts';

const DEFAULT_CONFIG = {
  port: 3000,
  host: undefined,
  workers: 'auto',
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  drainTimeoutMs: 75_000,
  shutdownDelayMs: 0,
  shutdownTimeoutMs: 8000,
  bootTimeoutMs: 30_000,
  hangTimeoutMs: 30_000,
  maxRequests: 0,
  maxMemoryMiB: 0,
  logFormat: 'text',
  logLevel: 'info',
  accessLog: true,
  controlSocket: undefined,
  adminPort: undefined,
  adminHost: '127.0.0.1',
  reloadSurge: { workers: 1 },
  settleTimeMs: 1000,
  canaryTimeMs: 0,
  canaryWorkers: { workers: 1 },
  keepPreviousMs: 0,
  slowTurnMs: 500,
};

const SECONDS = {
  REQUEST_TIMEOUT: 'requestTimeoutMs',
  KEEP_ALIVE_TIMEOUT: 'keepAliveTimeoutMs',
  DRAIN_TIMEOUT: 'drainTimeoutMs',
  SHUTDOWN_DELAY: 'shutdownDelayMs',
  SHUTDOWN_TIMEOUT: 'shutdownTimeoutMs',
  BOOT_TIMEOUT: 'bootTimeoutMs',
  HANG_TIMEOUT: 'hangTimeoutMs',
  SETTLE_TIME: 'settleTimeMs',
  CANARY_TIME: 'canaryTimeMs',
  KEEP_PREVIOUS: 'keepPreviousMs',
  SLOW_TURN: 'slowTurnMs',
} as const;

/** What each variable expects, in words; beside it what it takes and what it refuses. */
const TABLE: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  [
    'PORT',
    'an integer from 0 to 65535',
    ['0', '80', '65535'],
    ['65536', '-1', '80a', '8.0', '1e3', '0x50', ' 80', '+80'],
  ],
  [
    'WEB_CONCURRENCY',
    'auto or an integer from 1 to 512',
    ['auto', '1', '512'],
    ['0', '513', 'AUTO', '-1', '1.5', 'max', 'NaN', 'Infinity'],
  ],
  ...Object.keys(SECONDS).map(
    (name) =>
      [
        name,
        'seconds from 0 to 86400',
        ['0', '1', '0.5', '.5', '5.', '86400'],
        ['86400.1', '86401', '-1', '1e3', '5s', '.', '1,5', 'Infinity', 'NaN', ' 1'],
      ] as const,
  ),
  [
    'MAX_REQUESTS',
    'an integer from 0 to 1000000000',
    ['0', '1000000000'],
    ['1000000001', '-1', '1.5', 'many'],
  ],
  ['MAX_MEMORY', 'an integer from 0 to 1048576', ['0', '512'], ['1048577', '-1', '1.5', '512M']],
  ['LOG_FORMAT', 'one of text, json', ['text', 'json'], ['JSON', 'pretty']],
  [
    'LOG_LEVEL',
    'one of trace, debug, info, warn, error, fatal, silent',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    ['INFO', 'warning', '30'],
  ],
  ['ACCESS_LOG', 'true or false', ['true', 'false'], ['1', '0', 'yes', 'TRUE']],
  ['HOST', 'a text without control characters', ['127.0.0.1', '::', 'localhost'], ['a\u0001b', '\u007f']],
  ['CONTROL_SOCKET', 'a text without control characters', ['/run/hello.sock', './a b.sock'], ['/run/\u0007']],
  ['ADMIN_PORT', 'an integer from 1 to 65535', ['1', '9090', '65535'], ['0', '65536', '-1', '90a']],
  ...['RELOAD_SURGE', 'CANARY_WORKERS'].map(
    (name) =>
      [
        name,
        'an integer from 1 to 512 or a percentage from 1% to 100%',
        ['1', '512', '1%', '25%', '100%'],
        ['0', '513', '0%', '101%', '25 %', '-1', '2.5', '2.5%', '%', 'all'],
      ] as const,
  ),
  ['ADMIN_HOST', 'a text without control characters', ['0.0.0.0', '::1'], ['\u0007']],
];

describe('config', () => {
  it('has a default for every variable', () => {
    expect(readConfig({})).to.deep.equal({ config: DEFAULT_CONFIG, errors: [], warnings: [] });
  });

  it('takes an empty variable for one that is not set', () => {
    const empty = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '']));
    expect(readConfig(empty)).to.deep.equal({ config: DEFAULT_CONFIG, errors: [], warnings: [] });
  });

  it('takes its own defaults as they are spelled', () => {
    expect(readConfig(DEFAULTS)).to.deep.equal({ config: DEFAULT_CONFIG, errors: [], warnings: [] });
  });

  it('has a test for every variable', () => {
    expect(TABLE.map(([name]) => name).sort()).to.deep.equal(Object.keys(DEFAULTS).sort());
  });

  for (const [name, expected, taken, refused] of TABLE) {
    describe(name, () => {
      it(`takes ${taken.join(' ')}`, () => {
        for (const value of taken) expect(readConfig({ [name]: value }).errors, value).to.deep.equal([]);
      });

      it(`refuses ${refused.map(printable).join(' ')}, expecting ${expected}`, () => {
        for (const value of refused) {
          const { config, errors } = readConfig({ [name]: value });
          expect(errors).to.deep.equal([`${name}: expected ${expected}, got \`${printable(value)}\``]);
          expect(config).to.deep.equal(DEFAULT_CONFIG);
        }
      });
    });
  }

  it('reads seconds into milliseconds', () => {
    for (const [name, field] of Object.entries(SECONDS)) {
      expect(readConfig({ [name]: '1.5' }).config[field], name).to.equal(1500);
      expect(readConfig({ [name]: '0' }).config[field], name).to.equal(0);
    }
  });

  it('has whole milliseconds for every duration with decimals, and none for 0 alone', () => {
    for (let hundredths = 1; hundredths <= 8_640_000; hundredths += 61) {
      const text = (hundredths / 100).toFixed(2);
      expect(readConfig({ KEEP_ALIVE_TIMEOUT: text }).config.keepAliveTimeoutMs, text).to.equal(
        hundredths * 10,
      );
    }
    expect(readConfig({ HANG_TIMEOUT: '0.0001' }).config.hangTimeoutMs).to.equal(1);
    expect(readConfig({ HANG_TIMEOUT: '0.0' }).config.hangTimeoutMs).to.equal(0);
  });

  it('warns of a duration above an hour, which may have been meant in milliseconds', () => {
    const { warnings, errors } = readConfig({
      KEEP_ALIVE_TIMEOUT: '65000',
      DRAIN_TIMEOUT: '3600',
      PORT: '8080',
    });
    expect(errors).to.deep.equal([]);
    expect(warnings).to.deep.equal([{ variable: 'KEEP_ALIVE_TIMEOUT', seconds: 65_000 }]);
    expect(lineOf({ notice: 'long duration', variable: 'KEEP_ALIVE_TIMEOUT', seconds: 65_000 })).to.include({
      level: 'warn',
      text: 'KEEP_ALIVE_TIMEOUT: 65000 is 65000 seconds, about 18 hours; durations are seconds',
    });
  });

  it('reads all the rest as it is', () => {
    const { config } = readConfig({
      PORT: '0',
      HOST: '::1',
      WEB_CONCURRENCY: '7',
      MAX_REQUESTS: '1000',
      MAX_MEMORY: '256',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'silent',
      ACCESS_LOG: 'false',
      CONTROL_SOCKET: '/run/x.sock',
      ADMIN_PORT: '9090',
      RELOAD_SURGE: '25%',
      CANARY_WORKERS: '2',
      ADMIN_HOST: '::1',
    });
    expect(config).to.deep.include({
      port: 0,
      host: '::1',
      workers: 7,
      maxRequests: 1000,
      maxMemoryMiB: 256,
      logFormat: 'json',
      logLevel: 'silent',
      accessLog: false,
      controlSocket: '/run/x.sock',
      adminPort: 9090,
      reloadSurge: { percent: 25 },
      canaryWorkers: { workers: 2 },
      adminHost: '::1',
    });
  });

  it('reports an error as the contract has it', () => {
    expect(readConfig({ PORT: '80a' }).errors).to.deep.equal([
      'PORT: expected an integer from 0 to 65535, got `80a`',
    ]);
  });

  it('reports all errors together, and reads the rest all the same', () => {
    const { config, errors } = readConfig({
      PORT: 'x',
      WEB_CONCURRENCY: '0',
      LOG_LEVEL: 'loud',
      MAX_REQUESTS: '5',
    });
    expect(errors.map((line) => line.split(':')[0])).to.deep.equal(['PORT', 'WEB_CONCURRENCY', 'LOG_LEVEL']);
    expect(config.maxRequests).to.equal(5);
  });

  it('keeps an error on one line, whatever the value', () => {
    const [line] = readConfig({ PORT: '1\n2\u001b[2J\u009b31m' }).errors;
    expect(line).to.equal('PORT: expected an integer from 0 to 65535, got `1\\x0a2\\x1b[2J\\x9b31m`');
  });

  it('ignores variables it does not know', () => {
    expect(readConfig({ PATH: '/bin', PORTS: 'x' }).errors).to.deep.equal([]);
  });

  it('reads the number of workers of scale as its own, but never auto', () => {
    expect(['1', '512', '0', '513', 'auto', '', '2.0'].map(parseWorkerCount)).to.deep.equal([
      1,
      512,
      ...Array(5).fill(undefined),
    ]);
  });
});
