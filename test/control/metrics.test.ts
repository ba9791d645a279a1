import { expect } from 'chai';
import { statusOf as fleetStatus } from '../../src/control/fleet-status.ts';
import { Ledger } from '../../src/control/ledger.ts';
import { ownFamilies, textOf } from '../../src/control/metrics.ts';
import { familiesIn } from '../../src/control/prometheus-text.ts';
import { Script } from '../core/script.ts';
import { statsOf } from '../helpers/stats.ts';

const IDENTITY = { version: '1.2.3', port: 3000, host: undefined, app: undefined };
const OWN = {
  cpuSeconds: 1.5,
  residentBytes: 1000,
  startSeconds: 1_700_000_000,
  openFds: null,
  maxFds: null,
};

/** The families of a fleet of so many workers, each of which has answered twice. */
function families(workers: number, then: (script: Script) => void = () => {}) {
  const script = new Script(workers, { canaryMs: 5000 });
  const ledger = new Ledger(0);
  script.on({ type: 'wake' });
  for (let id = 1; id <= workers; id++) {
    script.on({ type: 'forked', id, pid: 100 + id });
    script.on({ type: 'ready', id });
    ledger.beat(
      id,
      id - 1,
      statsOf({ answers2xx: 2, latencyMs: 40 }, { rssMiB: 40, loopDelayP99Ms: 3 }, [0.05, 39]),
      1,
    );
  }
  then(script);
  const status = fleetStatus(script.fleet, 1, IDENTITY, ledger, { rssMiB: 1, logLinesDropped: 0 });
  return ownFamilies({
    status,
    total: ledger.total,
    slots: ledger.slots(),
    restarts: new Map([[0, 3]]),
    own: OWN,
  });
}

describe('the metrics', () => {
  it('are Prometheus text, and the same as OpenMetrics', async () => {
    const own = families(2);
    const [prometheus, openMetrics] = await Promise.all([textOf(own, false), textOf(own, true)]);
    expect(openMetrics).to.match(/\n# EOF\n$/);
    expect(openMetrics).to.include('# TYPE http_requests counter\nhttp_requests_total{code="2xx"} 4\n');
    for (const text of [prometheus, openMetrics]) {
      const read = familiesIn(text);
      if (typeof read === 'string') throw new Error(read);
      const base = (name: string): string => name.replace(/_total$/, '');
      expect(read.map(({ name }) => base(name))).to.deep.equal(own.map(({ name }) => base(name)));
      expect(read.map(({ values }) => values.map(({ value }) => value))).to.deep.equal(
        own.map(({ values }) => values.map(({ value }) => value)),
      );
    }
  });

  it('say in which phase a reload is', () => {
    const phases = (then?: (script: Script) => void) => {
      const family = families(1, then).find(({ name }) => name === 'hello_server_reload_phase');
      return Object.fromEntries(family?.values.map(({ labels, value }) => [labels.phase, value]) ?? []);
    };
    expect(phases()).to.deep.equal({ replacing: 0, canary: 0, settling: 0 });
    const canary = (script: Script): void => {
      script.on({ type: 'reload' });
      script.ready(2);
    };
    expect(phases(canary)).to.deep.equal({ replacing: 0, canary: 1, settling: 0 });
    const settling = (script: Script): void => {
      canary(script);
      script.pass(5000);
    };
    expect(phases(settling)).to.deep.equal({ replacing: 0, canary: 0, settling: 1 });
  });

  it('are named by the conventions', () => {
    for (const { name, type, help } of families(1)) {
      expect(name).to.match(/^(?:http|hello_server|process)_[a-z_]+$/);
      expect(/_total$/.test(name), name).to.equal(type === 'counter');
      expect(help, name).to.match(/^[A-Z].*\.$/);
    }
  });

  it('have a histogram that counts up to all answers', () => {
    const { values = [] } = families(3).find(({ name }) => name === 'http_request_duration_seconds') ?? {};
    const at = (le: string): number | undefined => values.find(({ labels }) => labels.le === le)?.value;
    expect([at('0.0001'), at('0.025'), at('0.05'), at('+Inf')]).to.deep.equal([3, 3, 6, 6]);
    expect(values.slice(-2).map(({ metricName, value }) => [metricName, value])).to.deep.equal([
      ['http_request_duration_seconds_sum', 0.12],
      ['http_request_duration_seconds_count', 6],
    ]);
    const counts = values.slice(0, -2).map(({ value }) => value);
    expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b));
  });

  it('have as many series as the fleet has workers makes necessary, whatever clients do', async () => {
    const series = async (workers: number): Promise<number> =>
      (await textOf(families(workers), false))
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')).length;
    const one = await series(1);
    expect(await series(512)).to.equal(one + 511 * ((await series(2)) - one));
  });
});
