// Reads Prometheus text, as an app's metrics come, into the families of which prom-client makes such text.

import { type Aggregator, type Family, type MetricType, type Sample, TYPES } from './families.ts';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const COMMENT = new RegExp(`^#[ \\t]*(HELP|TYPE)[ \\t]+(${NAME})(?:[ \\t]+(.*))?$`, 's');
const ENDINGS: Readonly<Partial<Record<MetricType, RegExp>>> = {
  histogram: /_(?:bucket|sum|count|created)$/,
  summary: /_(?:sum|count|created)$/,
  counter: /_(?:total|created)$/,
};
/** The samples of OpenMetrics' histogram of what is, rather than of what has been: they are gauges. */
const OF_GAUGE_HISTOGRAM = /_(?:bucket|gsum|gcount)$/;
/** A longer line is not read. */
const MOST_LINE_CHARS = 65_536;

/** Metrics of Node that prom-client itself does not add up, by name: in text it does not say so. */
const NOT_SUMMED: readonly (readonly [RegExp, Aggregator])[] = [
  [/^nodejs_eventloop_lag_/, 'average'],
  [/^nodejs_version_info$/, 'first'],
  [/^process_start_time_seconds$/, 'omit'],
];

/** What is built of a family while its text is read. */
interface Draft {
  help: string;
  type: MetricType;
  readonly values: Sample[];
}

/** The families in `text`, Prometheus' or OpenMetrics; a string says which line is of neither. */
export function familiesIn(text: string): Family[] | string {
  const drafts = new Drafts();
  for (const [at, raw] of text.split('\n').entries()) {
    const line = withoutBlanks(raw);
    if (line === '') continue;
    if (line.length > MOST_LINE_CHARS)
      return `line ${at + 1} is too long: expected at most ${MOST_LINE_CHARS} characters, got ${line.length}`;
    if (line.startsWith('#')) {
      const [, word, name = '', rest = ''] = COMMENT.exec(line) ?? [];
      if (word === 'HELP') drafts.of(name).help = unescaped(rest);
      if (word === 'TYPE') drafts.declare(name, rest);
      continue;
    }
    const sample = sampleIn(line);
    if (!sample) return `line ${at + 1} is no Prometheus text: ${line.slice(0, 80)}`;
    drafts.add(sample);
  }
  return drafts.families();
}

/** The families by name, while their text is read. */
class Drafts {
  readonly #drafts = new Map<string, Draft>();
  readonly #gaugeHistograms = new Set<string>();

  of(name: string): Draft {
    const draft = this.#drafts.get(name) ?? { help: '', type: 'untyped', values: [] };
    this.#drafts.set(name, draft);
    return draft;
  }

  /** A type that this file does not know, such as OpenMetrics has more of, is none. */
  declare(name: string, type: string): void {
    this.of(name).type = TYPES.find((known) => known === type) ?? 'untyped';
    if (type === 'gaugehistogram') this.#gaugeHistograms.add(name);
  }

  add({ name, labels, value }: Written): void {
    if (this.#drafts.has(name)) {
      this.of(name).values.push({ labels, value });
      return;
    }
    const owner = this.#ownerOf(name);
    if (owner === undefined) {
      const draft = this.of(name);
      if (this.#gaugeHistograms.has(name.replace(OF_GAUGE_HISTOGRAM, ''))) draft.type = 'gauge';
      draft.values.push({ labels, value });
      return;
    }
    // When something was counted first, no sum can say.
    if (name.endsWith('_created')) return;
    const { type, help, values } = this.of(owner);
    // OpenMetrics names a counter without the ending that its samples have, Prometheus names it as them.
    if (type === 'counter') Object.assign(this.of(name), { type, help }).values.push({ labels, value });
    else values.push({ labels, value, metricName: name });
  }

  /** The histogram, summary or counter that a sample of another name belongs to. */
  #ownerOf(name: string): string | undefined {
    for (const [type, ending] of Object.entries(ENDINGS)) {
      const base = name.replace(ending, '');
      if (base !== name && this.#drafts.get(base)?.type === type) return base;
    }
    return undefined;
  }

  families(): Family[] {
    return [...this.#drafts]
      .filter(([, { values }]) => values.length > 0)
      .map(([name, { help, type, values }]) => {
        const aggregator = NOT_SUMMED.find(([names]) => names.test(name))?.[1] ?? 'sum';
        return { name, help: help || name, type, values, aggregator };
      });
  }
}

/** A sample as it is written, a timestamp and an exemplar apart: a sum has no use for them. */
interface Written {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads a line once from its beginning to its end, so that no line takes long. */
function sampleIn(line: string): Written | undefined {
  const reader = new Reader(line);
  const name = reader.take(METRIC_NAME);
  if (name === '') return undefined;
  reader.take(BLANKS);
  const labels = labelsIn(reader);
  reader.take(BLANKS);
  const value = numberIn(reader.take(WORD));
  reader.take(BLANKS);
  if (!reader.at('#') && !reader.atEnd() && numberIn(reader.take(WORD)) === undefined) return undefined;
  reader.take(BLANKS);
  const ended = reader.at('#') || reader.atEnd();
  return labels && value !== undefined && ended ? { name, labels, value } : undefined;
}

/** The labels in braces, none without braces; undefined for what is written otherwise. */
function labelsIn(reader: Reader): Record<string, string> | undefined {
  // Without a prototype: a label may be named `__proto__`.
  const labels: Record<string, string> = Object.create(null);
  if (!reader.skip('{')) return labels;
  for (;;) {
    reader.take(BLANKS);
    if (reader.skip('}')) return labels;
    const name = reader.take(LABEL_NAME);
    reader.take(BLANKS);
    if (name === '' || !reader.skip('=')) return undefined;
    reader.take(BLANKS);
    if (!reader.skip('"')) return undefined;
    labels[name] = unescaped(reader.take(QUOTED));
    if (!reader.skip('"')) return undefined;
    reader.take(BLANKS);
    if (!reader.skip(',') && !reader.at('}')) return undefined;
  }
}

// Each of these matches in one way only, so that it never goes back.
const METRIC_NAME = /(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?/y;
const LABEL_NAME = /(?:[a-zA-Z_][a-zA-Z0-9_]*)?/y;
const BLANKS = /[ \t]*/y;
const WORD = /[^ \t]*/y;
const QUOTED = /[^"\\]*(?:\\.[^"\\]*)*/sy;

/** A place in a line. */
class Reader {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  /** What is here of this kind, which is passed over. */
  take(kind: RegExp): string {
    kind.lastIndex = this.#at;
    const [taken = ''] = kind.exec(this.#line) ?? [];
    this.#at += taken.length;
    return taken;
  }

  at(char: string): boolean {
    return this.#line[this.#at] === char;
  }

  skip(char: string): boolean {
    if (!this.at(char)) return false;
    this.#at += 1;
    return true;
  }

  atEnd(): boolean {
    return this.#at >= this.#line.length;
  }
}

/** The line without the blanks around it, which are fewer in this format than in JavaScript. */
function withoutBlanks(line: string): string {
  let from = 0;
  let to = line.length;
  while (from < to && isBlank(line[from])) from += 1;
  while (to > from && isBlank(line[to - 1])) to -= 1;
  return line.slice(from, to);
}

const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t' || char === '\r';

const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char));

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['+inf', Infinity],
  ['inf', Infinity],
  ['-inf', -Infinity],
  ['nan', Number.NaN],
]);

function numberIn(text: string): number | undefined {
  const special = SPECIAL.get(text.toLowerCase());
  if (special !== undefined) return special;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
