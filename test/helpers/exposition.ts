// Reads metrics as they are served, in Prometheus' text.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as its TYPE line names it, with its samples. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

/** The metrics in `text`, by name; throws on a line that is none of the format, or a sample without a TYPE. */
export function familiesOf(text: string): Map<string, Family> {
  const families = new Map<string, { name: string; type: string; samples: Sample[] }>();
  for (const line of text.split('\n')) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared !== undefined && type !== undefined)
      families.set(declared, { name: declared, type, samples: [] });
    if (line === '' || line.startsWith('#')) continue;
    const [, name, inBraces = '', value] = SAMPLE.exec(line) ?? [];
    const family = families.get(name ?? '') ?? families.get((name ?? '').replace(/_(bucket|sum|count)$/, ''));
    if (name === undefined || family === undefined) throw new Error(`expected a metric, got ${line}`);
    const labels = [...inBraces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
    family.samples.push({ name, labels: Object.fromEntries(labels), value: Number(value) });
  }
  return families;
}
