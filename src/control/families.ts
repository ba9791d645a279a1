// Metrics by families: what prom-client makes text of, what of it counts, and which names it takes.

/** The kinds of metric that the text knows. */
export const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'] as const;
export type MetricType = (typeof TYPES)[number];

/** One sample; `metricName` where it is not the family's, as of a histogram's buckets. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly metricName?: string;
}

/** A metric with all its samples, in the form in which prom-client has it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly values: readonly Sample[];
  /** How prom-client adds it up over processes. */
  readonly aggregator: Aggregator;
}
export type Aggregator = 'sum' | 'first' | 'omit' | 'average';

/** What counts, so that it stays when who counted has gone; a family of these without a type is taken by its name. */
const COUNTING: ReadonlySet<MetricType> = new Set(['counter', 'histogram', 'summary']);
const COUNTING_NAME = /_(?:total|bucket|sum|count)$/;

/** Of families what has been counted, without what was measured: gauges and quantiles. */
export function countedOf(families: readonly Family[]): Family[] {
  return families
    .filter(counts)
    .map((family) =>
      family.type === 'summary'
        ? { ...family, values: family.values.filter(({ metricName }) => metricName !== undefined) }
        : family,
    );
}

/** Whether a family counts. */
export const counts = ({ type, name }: Family): boolean =>
  COUNTING.has(type) || (type === 'untyped' && COUNTING_NAME.test(name));

/** A family's name in OpenMetrics: a counter's is without the ending that its samples have. */
export const openName = ({ type, name }: Family): string =>
  type === 'counter' ? name.replace(/_total$/, '') : name;

const PARTS: Readonly<Record<MetricType, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
  untyped: [''],
};

/** The names that a family's samples have in one text or the other. */
export function sampleNames(family: Family): Set<string> {
  const { name, type, values } = family;
  const names = new Set(PARTS[type].map((ending) => name + ending));
  for (const { metricName = name } of values) names.add(metricName);
  if (type === 'counter') names.add(`${openName(family)}_total`);
  return names;
}
