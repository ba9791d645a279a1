import { expect } from 'chai';
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { AppMetricsSum } from '../../src/control/app-metrics.ts';
import type { Family } from '../../src/control/families.ts';
import { familiesIn } from '../../src/control/prometheus-text.ts';

/** The families of a text that is expected to be one. */
function familiesOf(text: string): Family[] {
  const families = familiesIn(text);
  if (typeof families === 'string') throw new Error(families);
  return families;
}

describe('Prometheus text', () => {
  it('is read as prom-client writes it: of a registry the same families come out', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'jobs_total', help: 'Jobs\\done.', labelNames: ['kind'], registers }).inc(
      { kind: 'a"b\\c\nd, e="f}' },
      3,
    );
    new Gauge({ name: 'queue', help: 'Queue', registers }).set(-1.5e-7);
    new Histogram({ name: 'took_seconds', help: 'Took', buckets: [0.1, 1], registers }).observe(0.5);
    new Summary({ name: 'size', help: 'Size', percentiles: [0.5], registers }).observe(7);
    const families = familiesIn(await registry.metrics());
    if (typeof families === 'string') throw new Error(families);
    const wanted = await registry.getMetricsAsJSON();
    expect(families.map(({ name, help, type }) => ({ name, help, type }))).to.deep.equal(
      wanted.map(({ name, help, type }) => ({ name, help, type: String(type) })),
    );
    expect(families[0]?.values).to.deep.equal([{ value: 3, labels: { kind: 'a"b\\c\nd, e="f}' } }]);
    expect(families[1]?.values).to.deep.equal([{ value: -1.5e-7, labels: {} }]);
    expect(families[2]?.values.map(({ metricName, value }) => [metricName, value])).to.deep.equal([
      ['took_seconds_bucket', 0],
      ['took_seconds_bucket', 1],
      ['took_seconds_bucket', 1],
      ['took_seconds_sum', 0.5],
      ['took_seconds_count', 1],
    ]);
  });

  it('is read in all that the format allows', () => {
    const families = familiesIn(
      '# a comment\n\n# TYPE a counter\na 1 1395066363000\nb{x="1",} +Inf\r\n  c { y = "z" } NaN\n# EOF\n',
    );
    if (typeof families === 'string') throw new Error(families);
    expect(families.map(({ name, type, values }) => [name, type, values[0]?.value])).to.deep.equal([
      ['a', 'counter', 1],
      ['b', 'untyped', Infinity],
      ['c', 'untyped', Number.NaN],
    ]);
    expect(families[1]?.values[0]?.labels).to.deep.equal({ x: '1' });
  });

  it('has label values in which anything may be', () => {
    for (const value of ['/a/{id} b', 'a\u2028b', 'a\rb', 'a}b', 'a#b', '', 'x=","y'])
      expect(familiesOf(`ok_total{route="${value.replaceAll('"', '\\"')}",} 1`)[0]?.values).to.deep.equal([
        { value: 1, labels: { route: value } },
      ]);
    expect(familiesOf('a{p="1"}1')[0]?.values).to.deep.equal([{ value: 1, labels: { p: '1' } }]);
    expect(familiesOf('a{p="1"} 1 # {id="a b"} 2 3')[0]?.values[0]?.value).to.equal(1);
  });

  it('has labels of every name', () => {
    const [family] = familiesOf('a{__proto__="1",constructor="2"} 1');
    expect(Object.entries(family?.values[0]?.labels ?? {})).to.deep.equal([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  it('has types that are not known, which are none', () => {
    for (const type of ['info', 'stateset', 'unknown', 'number'])
      expect(familiesOf(`# TYPE a ${type}\na 1`)[0]).to.include({ name: 'a', type: 'untyped' });
    expect(
      familiesOf('# TYPE a gaugehistogram\na_bucket{le="+Inf"} 1\na_gcount 1\na_gsum 1').map(
        ({ name, type }) => [name, type],
      ),
    ).to.deep.equal([
      ['a_bucket', 'gauge'],
      ['a_gcount', 'gauge'],
      ['a_gsum', 'gauge'],
    ]);
  });

  it('may be OpenMetrics, whose counters are named without their ending', () => {
    const [orders, ...others] = familiesOf(
      '# TYPE orders counter\n# HELP orders Orders.\norders_total 3\norders_created 1.7e9\n# EOF\n',
    );
    expect(others).to.deep.equal([]);
    expect(orders).to.deep.include({ name: 'orders_total', type: 'counter', help: 'Orders.' });
    expect(orders?.values).to.deep.equal([{ value: 3, labels: {} }]);
  });

  it('is read in a time that grows with its length, and no longer line than 64 KiB is read', () => {
    const many = 'a'.repeat(60_000);
    const lines = [
      `${many} b c d`,
      `a ${'1'.repeat(60_000)}x`,
      `a${' '.repeat(60_000)}b c`,
      `a{${'b="c",'.repeat(10_000)}`,
      `a{b="${'\\\\'.repeat(30_000)}`,
      `# TYPE ${many}-`,
      `# HELP${' '.repeat(60_000)}-`,
    ];
    const before = performance.now();
    for (const line of lines) familiesIn(line);
    expect(performance.now() - before).to.be.below(1000);
    expect(familiesIn(`a 1\n${'a'.repeat(66_000)} 1`)).to.equal(
      'line 2 is too long: expected at most 65536 characters, got 66002',
    );
  });

  for (const text of [
    'Hello, World!',
    '<html></html>',
    '{"jobs": 1}',
    'jobs one',
    'jobs',
    'jobs{kind=a} 1',
    'jobs{kind="a"',
    'jobs{kind="a" kind="b"} 1',
    '1jobs 1',
    'jobs 1 soon',
  ]) {
    it(`is not ${JSON.stringify(text)}, of which the line is named`, () => {
      expect(familiesIn(text)).to.match(/^line \d+ is no Prometheus text: /);
    });
  }
});

describe('the sum of the app’s metrics', () => {
  const LIBRARY = { AggregatorRegistry };
  const TEXT = (jobs: number, queue: number): string =>
    `# TYPE jobs_total counter\njobs_total{kind="a"} ${jobs}\n# TYPE queue gauge\nqueue ${queue}\n` +
    `# TYPE took histogram\ntook_bucket{le="1"} ${jobs}\ntook_bucket{le="+Inf"} ${jobs}\ntook_sum 1\ntook_count ${jobs}\n`;
  let problems: string[];
  let sum: AppMetricsSum;
  beforeEach(() => {
    problems = [];
    sum = new AppMetricsSum(LIBRARY, (problem) => problems.push(problem));
  });
  const values = (own = ''): Record<string, number> =>
    Object.fromEntries(
      sum
        .families(familiesOf(own))
        .flatMap(({ name, values: samples }) =>
          samples.map(({ metricName, labels, value }) => [
            `${metricName ?? name}${labels.le ? ` ${labels.le}` : ''}`,
            value,
          ]),
        ),
    );

  it('is of all workers, and keeps what those had counted that are gone', () => {
    expect(values()).to.deep.equal({});
    sum.take(1, { text: TEXT(3, 10) });
    sum.take(2, { text: TEXT(4, 20) });
    sum.take(2, { text: TEXT(5, 20) });
    expect(values()).to.include({ jobs_total: 8, queue: 30, 'took_bucket 1': 8, took_count: 8 });
    sum.forget(1);
    for (let id = 3; id < 100; id++) {
      sum.take(id, { text: TEXT(1, 1) });
      sum.forget(id);
    }
    expect(values()).to.include({ jobs_total: 105, queue: 20, took_count: 105 });
    expect(problems).to.deep.equal([]);
  });

  it('keeps of workers that are gone what counts by its name, and no quantiles', () => {
    sum.take(1, {
      text: 'a_total 1\nb_count 2\nc_sum 3\nd_bucket{le="1"} 4\ne 5\n# TYPE s summary\ns{quantile="0.5"} 6\ns_sum 7\ns_count 8',
    });
    sum.forget(1);
    expect(values()).to.deep.equal({
      a_total: 1,
      b_count: 2,
      c_sum: 3,
      'd_bucket 1': 4,
      s_sum: 7,
      s_count: 8,
    });
  });

  it('keeps so many series of workers that are gone and no more, and what it keeps goes on counting', () => {
    for (let id = 1; id <= 400; id++) {
      const took = Array.from(
        { length: 10 },
        (_, i) => `took_bucket{le="+Inf",pid="${id}",i="${i}"} 1\ntook_count{pid="${id}",i="${i}"} 1`,
      );
      const jobs = Array.from({ length: 100 }, (_, i) => `jobs_total{pid="${id}",i="${i}"} 1`);
      sum.take(id, {
        text: `# TYPE took histogram\n${took.join('\n')}\n# TYPE jobs_total counter\n${jobs.join('\n')}\nall_total 1\n`,
      });
      sum.forget(id);
    }
    const families = sum.families([]);
    const size = (name: string): number =>
      families.find((family) => family.name === name)?.values.length ?? 0;
    expect(size('jobs_total') + size('took') + size('all_total')).to.be.within(9_000, 10_000);
    expect(size('took') % 2).to.equal(0);
    expect(values()).to.include({ all_total: 400 });
    expect(problems).to.deep.equal(['of workers that have gone 10000 series are kept, and no more']);
  });

  it('leaves out what is of no use, and says each reason once, whatever its words', () => {
    sum.take(1, { text: TEXT(3, 10) });
    for (const id of [2, 3, 4]) {
      sum.take(id, { text: `{"jobs":${id}}` });
      sum.take(id, { problem: `no ${id}${'x'.repeat(1000)}` });
      sum.take(id, { text: 'x'.repeat(1_100_000) });
    }
    for (let i = 0; i < 3; i++)
      expect(values('queue 1')).to.include({ jobs_total: 3 }).and.not.have.property('queue');
    expect(problems).to.deep.equal([
      'line 1 is no Prometheus text: {"jobs":2}',
      `no 2${'x'.repeat(296)}`,
      'queue is one of its own',
    ]);
  });

  it('has of a worker that says nothing of use any more only what it had counted', () => {
    for (const answer of [{ problem: 'no' }, { text: 'none' }]) {
      sum.take(1, { text: TEXT(3, 10) });
      expect(values()).to.include({ jobs_total: 3, queue: 10 });
      sum.take(1, answer);
      expect(values()).to.include({ jobs_total: 3, took_count: 3 }).and.not.have.property('queue');
    }
  });

  const OWN = `# TYPE http_requests_total counter\nhttp_requests_total 1
# TYPE http_request_duration_seconds histogram\nhttp_request_duration_seconds_bucket{le="+Inf"} 1
http_request_duration_seconds_sum 1\nhttp_request_duration_seconds_count 1`;
  for (const [text, problem] of [
    ['# TYPE jobs gauge\njobs 1\n# TYPE jobs_total counter\njobs_total 2', 'jobs has a name of jobs_total'],
    [
      '# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_count 1\nx_sum 1\n# TYPE x_count gauge\nx_count 1',
      'x_count has a name of x',
    ],
    [
      '# TYPE x_count gauge\nx_count 1\n# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_sum 1',
      'x_count has a name of x',
    ],
    ['# TYPE http_requests counter\nhttp_requests 1', 'http_requests is one of its own'],
    ['# TYPE http_requests counter\nhttp_requests_total 1', 'http_requests_total is one of its own'],
    ['# TYPE http_requests gauge\nhttp_requests 1', 'http_requests is one of its own'],
    ['http_request_duration_seconds_count 1', 'http_request_duration_seconds_count is one of its own'],
    ['constructor 1', 'constructor is a name that cannot be served'],
    ['# TYPE toString_total counter\ntoString_total 1', 'toString_total is a name that cannot be served'],
    ['# TYPE toString counter\ntoString_total 1', 'toString_total is a name that cannot be served'],
    ['__proto__ 1', '__proto__ is a name that cannot be served'],
  ] as const) {
    it(`has every name once in either text, also of ${JSON.stringify(text)}`, async () => {
      const own = familiesOf(OWN);
      for (let i = 0; i < 2; i++) {
        sum.take(1, { text: `${text}\nok 1\n` });
        for (const openMetrics of [false, true]) {
          const lines = (await sum.textWith(own, openMetrics)).split('\n').filter((line) => line !== '');
          expect(lines).to.include('ok 1');
          const names = lines
            .filter((line) => !line.startsWith('# HELP'))
            .map((line) => line.replace(/ [^ ]*$/, ''));
          expect(names.toSorted()).to.deep.equal([...new Set(names)].toSorted());
          expect(lines).to.include('http_requests_total 1');
        }
      }
      expect(problems).to.deep.equal([problem]);
    });
  }

  it('is left out where it makes no text, which is said once', async () => {
    const aggregate = (): never => {
      throw new Error('no sum today');
    };
    sum = new AppMetricsSum({ AggregatorRegistry: { aggregate } }, (problem) => problems.push(problem));
    for (let i = 0; i < 2; i++)
      expect(await sum.textWith(familiesOf('up 1'), false)).to.match(
        /^# HELP up up\n# TYPE up untyped\nup 1\n/,
      );
    expect(problems).to.deep.equal(['Error: no sum today']);
  });

  it('is an average or left out where prom-client itself does not add up', () => {
    for (const id of [1, 2])
      sum.take(id, {
        text: `nodejs_eventloop_lag_seconds ${id}\nprocess_start_time_seconds 5\nnodejs_version_info{version="v"} 1`,
      });
    expect(values()).to.deep.equal({ nodejs_eventloop_lag_seconds: 1.5, nodejs_version_info: 1 });
  });
});
