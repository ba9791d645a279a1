// The dashboard, the alerts and the page about them, held against the metrics that are served.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { type Family, familiesOf, type Sample } from '../helpers/exposition.ts';
import { servedMetrics } from '../helpers/metrics-source.ts';
import { askedBy, type Selector } from '../helpers/promql.ts';
import { ROOT } from '../helpers/server.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Target {
  readonly refId: string;
  readonly datasource: unknown;
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}
interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: unknown;
  readonly definition?: string;
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
interface RuleTest {
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

/** Labels that Prometheus gives a target. */
const OF_THE_TARGET: readonly string[] = ['job', 'instance'];

describe('what shows the metrics', function () {
  this.timeout(30_000);
  let families: Map<string, Family>;
  let samples: readonly Sample[];

  before(async () => {
    families = familiesOf(await servedMetrics());
    samples = [...families.values()].flatMap((family) => family.samples);
    // Prometheus' own, of every target.
    samples = [...samples, { name: 'up', labels: {}, value: 1 }];
  });

  const familyOf = (metric: string): string =>
    families.has(metric) ? metric : metric.replace(/_(bucket|sum|count)$/, '');
  /** What a selector asks for and nobody serves. */
  const missing = ({ metric, matchers }: Selector): string[] => {
    const served = samples.filter(({ name }) => name === metric);
    if (served.length === 0) return [metric];
    return matchers
      .filter(({ label }) => !OF_THE_TARGET.includes(label))
      .flatMap(({ label, operator, value }) => {
        const values = new Set(served.map(({ labels }) => labels[label]));
        const asked = operator === '=~' ? value.split('|') : [value];
        return asked.filter((one) => !values.has(one)).map((one) => `${metric}{${label}="${one}"}`);
      });
  };
  /** Labels that no metric of an expression has. */
  const strange = (labels: readonly string[], selectors: readonly Selector[]): string[] => {
    const known = selectors.flatMap(({ metric }) =>
      samples.filter(({ name }) => name === metric).flatMap((sample) => Object.keys(sample.labels)),
    );
    return labels.filter((label) => !OF_THE_TARGET.includes(label) && !known.includes(label));
  };
  const unserved = (expression: string): string[] => {
    const { selectors, grouped } = askedBy(expression);
    return [...selectors.flatMap(missing), ...strange(grouped, selectors)];
  };

  describe('deploy/grafana-dashboard.json', () => {
    const dashboard = JSON.parse(read('deploy/grafana-dashboard.json'));
    const panels: readonly Panel[] = dashboard.panels;
    const shown = panels.filter(({ type }) => type !== 'row');
    const variables: readonly Variable[] = dashboard.templating.list;
    const expressions: readonly string[] = [
      ...shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...dashboard.annotations.list.flatMap(({ expr = [] }) => expr),
    ];

    it('asks only for metrics, labels and values that are served', () => {
      expect(expressions.flatMap(unserved)).to.deep.equal([]);
      for (const { definition } of variables.slice(1)) {
        const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? [];
        expect(unserved(selector)).to.deep.equal([]);
        expect(OF_THE_TARGET).to.include(label);
      }
    });

    it('shows every metric that is served', () => {
      const asked = expressions.flatMap((expression) => askedBy(expression).selectors);
      const names = new Set(asked.map(({ metric }) => familyOf(metric)));
      expect([...families.keys()].filter((name) => !names.has(name))).to.deep.equal([]);
    });

    it('names its lines by labels that they have', () => {
      for (const { expr, legendFormat } of shown.flatMap(({ targets = [] }) => targets)) {
        const { selectors, grouped } = askedBy(expr);
        const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
        expect(strange(used, selectors), legendFormat).to.deep.equal([]);
        if (/^(sum|min|max|histogram_quantile)/.test(expr)) expect(grouped, expr).to.include.members(used);
      }
    });

    it('asks the data source, the job and the instances that were chosen', () => {
      expect(variables.map(({ name, type }) => `${name}: ${type}`)).to.deep.equal([
        'datasource: datasource',
        'job: query',
        'instance: query',
      ]);
      expect(variables[0]?.query).to.equal('prometheus');
      const source = { type: 'prometheus', uid: `\${datasource}` };
      for (const { title, datasource, targets = [] } of shown) {
        expect([datasource, ...targets.map((target) => target.datasource)], title).to.deep.equal(
          Array(targets.length + 1).fill(source),
        );
      }
      for (const { metric, matchers } of expressions.flatMap((expression) => askedBy(expression).selectors)) {
        const chosen = matchers.filter(({ operator }) => operator === '=~').map((one) => one.value);
        expect(chosen, metric).to.include.members(['$job', '$instance']);
      }
    });

    it('takes rates and increases over the interval that fits the scrapes', () => {
      const ranges = expressions.flatMap((expression) => [...expression.matchAll(/\[[^\]]*\]/g)]).map(String);
      expect(new Set(ranges)).to.deep.equal(new Set(['[$__rate_interval]']));
      for (const expression of expressions) {
        const counters = askedBy(expression).selectors.filter(
          // A quantile of a summary is measured, as a gauge is.
          ({ metric }) => !['gauge', 'summary'].includes(families.get(familyOf(metric))?.type ?? ''),
        );
        const bounded = expression.match(/(rate|increase)\(/g) ?? [];
        expect(bounded, expression).to.have.lengthOf(counters.length);
      }
    });

    it('says of every panel, in words, what it shows, and has a unit for it', () => {
      for (const { title, description = '', fieldConfig, type } of shown) {
        expect(['timeseries', 'stat', 'table']).to.include(type);
        expect(description, title).to.match(/^[A-Z9].{30,}\.$/);
        expect(fieldConfig?.defaults.unit, title).to.be.a('string');
      }
    });

    it('gives every panel an id and a place of its own', () => {
      const ids = panels.map(({ id }) => id);
      expect(new Set(ids).size).to.equal(ids.length);
      expect([dashboard.id, dashboard.uid]).to.deep.equal([null, 'hello-server']);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
      );
      expect(new Set(cells).size).to.equal(cells.length);
      expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).to.equal(24);
      for (const { targets = [], title } of shown)
        expect(new Set(targets.map(({ refId }) => refId)).size, title).to.equal(targets.length);
    });
  });

  describe('deploy/prometheus-alerts.yaml', () => {
    const rules: readonly Rule[] = parse(read('deploy/prometheus-alerts.yaml')).groups[0].rules;
    const tests: readonly RuleTest[] = parse(read('test/deploy/alerts.yaml')).tests;

    it('asks only for metrics, labels and values that are served', () => {
      for (const { alert, expr } of rules) expect(unserved(expr), alert).to.deep.equal([]);
    });

    it('asks for nothing but the job hello-server', () => {
      for (const { metric, matchers } of rules.flatMap(({ expr }) => askedBy(expr).selectors)) {
        const job = { label: 'job', operator: '=', value: 'hello-server' };
        expect(matchers, metric).to.deep.include(job);
      }
    });

    it('says how bad each is, and in a sentence or two what to do', () => {
      for (const { alert, labels, annotations } of rules) {
        expect(['critical', 'warning'], alert).to.include(labels.severity);
        expect(annotations.summary, alert).to.match(/^\S.{20,}[^.]$/);
        expect(annotations.description, alert).to.match(/^[A-Z{].{60,}\.$/);
      }
    });

    it('has a test of each alert: it fires, it waits, and it is quiet on a healthy server', () => {
      const [healthy, ...others] = tests;
      const names = rules.map(({ alert }) => alert);
      expect(new Set(healthy?.alert_rule_test.map(({ alertname }) => alertname))).to.deep.equal(
        new Set(names),
      );
      expect(healthy?.alert_rule_test.flatMap(({ exp_alerts }) => exp_alerts)).to.deep.equal([]);
      const cases = others.map(({ alert_rule_test }) =>
        alert_rule_test.map(({ alertname, exp_alerts }) => `${alertname} ${exp_alerts.length}`),
      );
      expect(cases).to.deep.equal(names.map((name) => [`${name} 0`, `${name} 1`]));
    });
  });

  describe('deploy/prometheus.yaml', () => {
    it('names the alerts, and the port that Kubernetes and Compose give the admin listener', () => {
      const { rule_files, scrape_configs } = parse(read('deploy/prometheus.yaml'));
      for (const file of rule_files) expect(existsSync(join(ROOT, 'deploy', file)), file).to.equal(true);
      expect(scrape_configs).to.deep.equal([
        { job_name: 'hello-server', static_configs: [{ targets: ['127.0.0.1:9464'] }] },
      ]);
      expect(read('deploy/kubernetes.yaml')).to.match(/name: ADMIN_PORT\n +value: '9464'/);
      expect(read('compose.yaml')).to.match(/ADMIN_PORT: 9464/);
    });
  });

  describe('docs/observability.md', () => {
    const page = read('docs/observability.md');
    const rows = [...page.matchAll(/^\| `([^`]+)` \| (\w+) \| ([^|]*) \| .+ \|$/gm)];

    it('has every metric that is served, with its type and its labels, and no other', () => {
      const listed = rows.map(([, name, type, labels = '']) => `${name} ${type} ${labels.trim()}`);
      const served = [...families.values()].map(({ name, type, samples }) => {
        const labels = [...new Set(samples.flatMap((sample) => Object.keys(sample.labels)))];
        return `${name} ${type} ${labels.map((label) => `\`${label}\``).join(', ')}`;
      });
      expect(listed).to.have.members(served);
    });

    it('names every value that a label takes by itself', () => {
      for (const { labels, name } of samples)
        for (const [label, value] of Object.entries(labels))
          if (['code', 'stage', 'reason', 'result', 'quantile'].includes(label))
            expect(page, name).to.include(`\`${value}\``);
    });

    it('names every alert', () => {
      const rules: readonly Rule[] = parse(read('deploy/prometheus-alerts.yaml')).groups[0].rules;
      const listed = [...page.matchAll(/^\| `(HelloServer\w+)` \| (\w+) \|/gm)].map(
        ([, alert, severity]) => `${alert} ${severity}`,
      );
      expect(listed).to.deep.equal(rules.map(({ alert, labels }) => `${alert} ${labels.severity}`));
    });

    it('names only files that exist', () => {
      const named = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path);
      const local = named.filter((path) => !path.includes('://'));
      expect(local).to.include('../deploy/grafana-dashboard.json');
      const absent = local.filter((path) => !existsSync(join(ROOT, dirname('docs/x'), path)));
      expect(absent).to.deep.equal([]);
    });
  });
});
