import { expect } from 'chai';
import { readConfig } from '../../src/core/config.ts';
import { dockerStopSeconds, graceSeconds, unitDeadlines } from '../../src/init/deadlines.ts';

const config = (env: Readonly<Record<string, string>> = {}) => readConfig(env).config;

describe('the deadlines of a manager', () => {
  it('of a stop are above the sum of both settings, and no shorter than 20 s', () => {
    expect(graceSeconds(config())).to.equal(20);
    expect(graceSeconds(config({ SHUTDOWN_DELAY: '5', SHUTDOWN_TIMEOUT: '8' }))).to.equal(20);
    expect(graceSeconds(config({ SHUTDOWN_DELAY: '4.5', SHUTDOWN_TIMEOUT: '30' }))).to.equal(42);
  });

  it("of docker are only said where docker's 10 s are not enough", () => {
    expect(dockerStopSeconds(config())).to.equal(undefined);
    expect(dockerStopSeconds(config({ SHUTDOWN_DELAY: '0.1' }))).to.equal(11);
    expect(dockerStopSeconds(config({ SHUTDOWN_TIMEOUT: '30' }))).to.equal(32);
  });

  it('of a start hold a whole reload, however many workers there are', () => {
    expect(unitDeadlines(config(), 2).start).to.equal(300);
    // 64 boots one after the other, SETTLE_TIME 1 and DRAIN_TIMEOUT 75.
    expect(unitDeadlines(config(), 64).start).to.equal(64 * 30 + 1 + 75 + 7);
    expect(unitDeadlines(config({ RELOAD_SURGE: '25%' }), 64).start).to.equal(300);
    expect(unitDeadlines(config({ RELOAD_SURGE: '25%', CANARY_TIME: '600' }), 64).start).to.equal(
      4 * 30 + 600 + 1 + 75 + 7,
    );
  });

  it('of a start are none where a boot has none', () => {
    expect(unitDeadlines(config({ BOOT_TIMEOUT: '0' }), 2).start).to.equal(0);
  });
});
