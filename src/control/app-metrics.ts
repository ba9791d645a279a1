// The app's own metrics, added up over all workers; what a worker that has gone had counted stays in the sums.

import { type AppMetrics, MOST_METRICS_CHARS, MOST_PROBLEM_CHARS } from '../core/protocol.ts';
import { countedOf, counts, type Family, openName, type Sample, sampleNames } from './families.ts';
import { textOf } from './metrics.ts';
import { familiesIn } from './prometheus-text.ts';

/** What of prom-client adds up. */
interface Library {
  readonly AggregatorRegistry: Pick<typeof import('./prometheus.ts')['AggregatorRegistry'], 'aggregate'>;
}

/** So many metrics are named in warnings, in case each scrape has a new one. */
const MOST_NAMED = 20;
/** The counts of so many workers that have gone are kept apart before they are added up. */
const MOST_APART = 32;
/** So many series are kept of all workers that have gone: a label such as a pid makes new ones with each. */
const MOST_KEPT = 10_000;

/** Why metrics are left out. Each kind is told once, with a name once for each name: its words may differ every time. */
type Problem = 'no text' | 'bad text' | 'name' | 'too many' | 'no sum';

/** The sums of one fleet's app; prom-client is loaded for it. */
export const newAppMetricsSum = async (problem: (problem: string) => void): Promise<AppMetricsSum> =>
  new AppMetricsSum(await import('./prometheus.ts'), problem);

/** The metrics of one fleet's app. */
export class AppMetricsSum {
  readonly #library: Library;
  readonly #problem: (problem: string) => void;
  readonly #live = new Map<number, readonly Family[]>();
  #gone: (readonly Family[])[] = [];
  /** Problems that were told already, and the names told with them. */
  readonly #told = new Set<Problem>();
  readonly #named = new Set<string>();

  /** @param problem is told why metrics are left out, each reason once */
  constructor(library: Library, problem: (problem: string) => void) {
    this.#library = library;
    this.#problem = problem;
  }

  /** Takes what a worker has answered, in the place of what it had answered before. */
  take(id: number, answer: AppMetrics): void {
    const families = 'text' in answer ? read(answer.text) : answer.problem;
    if (typeof families !== 'string') {
      this.#live.set(
        id,
        families.filter((family) => this.#isUsable(family)),
      );
      return;
    }
    this.#tell('text' in answer ? 'bad text' : 'no text', families);
    // What it measured a while ago it does not measure now.
    const last = this.#live.get(id);
    if (last) this.#live.set(id, countedOf(last));
  }

  /** prom-client keeps metrics in a plain object, which has names of its own. */
  #isUsable(family: Family): boolean {
    const usable = !(family.name in Object.prototype || openName(family) in Object.prototype);
    if (!usable) this.#tellName(family.name, 'is a name that cannot be served');
    return usable;
  }

  /** A worker has gone: what it had counted stays, what it measured goes with it. */
  forget(id: number): void {
    const last = this.#live.get(id);
    this.#live.delete(id);
    if (last) this.#gone.push(countedOf(last));
    if (this.#gone.length > MOST_APART) this.#addUpGone();
  }

  #addUpGone(): void {
    const sums = this.#sum(this.#gone);
    const kept = keptOf(sums, MOST_KEPT);
    this.#gone = [kept];
    if (kept !== sums)
      this.#tell('too many', `of workers that have gone ${MOST_KEPT} series are kept, and no more`);
  }

  /** The sums; without families of a name that `own` has, or another of the app's. */
  families(own: readonly Family[]): Family[] {
    this.#addUpGone();
    const names = new Names();
    for (const family of own) names.claim(family, 'own');
    // What counts is first, as it is when all that is left are the counts of workers that have gone.
    const sums = this.#sum([...this.#gone, ...this.#live.values()]);
    return [...sums.filter(counts), ...sums.filter((family) => !counts(family))].filter((family) => {
      const other = names.claim(family, family.name);
      if (other === undefined) return true;
      this.#tellName(family.name, other === 'own' ? 'is one of its own' : `has a name of ${other}`);
      return false;
    });
  }

  /** The text of `own` and of the sums; of `own` alone where the sums, of whatever the app has written, make none. */
  async textWith(own: readonly Family[], openMetrics: boolean): Promise<string> {
    try {
      return await textOf([...own, ...this.families(own)], openMetrics);
    } catch (error) {
      const text = await textOf(own, openMetrics);
      this.#tell('no sum', String(error));
      return text;
    }
  }

  /** Adds families of the same name up. */
  #sum(all: readonly (readonly Family[])[]): readonly Family[] {
    // Its types want objects of its own making, of which it takes what a family has.
    const registry = this.#library.AggregatorRegistry.aggregate(all as unknown as object[]);
    return registry.getMetricsAsArray() as unknown as Family[];
  }

  #tell(kind: Problem, problem: string): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#problem(problem.slice(0, MOST_PROBLEM_CHARS));
  }

  #tellName(name: string, problem: string): void {
    if (this.#named.size >= MOST_NAMED || this.#named.has(name)) return;
    this.#named.add(name);
    this.#problem(`${name.slice(0, MOST_PROBLEM_CHARS)} ${problem}`);
  }
}

const read = (text: string): Family[] | string =>
  text.length > MOST_METRICS_CHARS
    ? `expected at most ${MOST_METRICS_CHARS} characters, got ${text.length}`
    : familiesIn(text);

/** The names in a text: no two families may have the same, as a family or as a sample, in either form of the text. */
class Names {
  readonly #families = new Map<string, string>();
  readonly #samples = new Map<string, string>();

  /** Gives `family` its names, as `owner`; where one is another's already says whose, and gives none. */
  claim(family: Family, owner: string): string | undefined {
    const base = openName(family);
    const samples = [...sampleNames(family)];
    const taken = [this.#families.get(base), ...samples.map((name) => this.#samples.get(name))];
    const other = taken.find((name) => name !== undefined);
    if (other !== undefined) return other;
    this.#families.set(base, owner);
    for (const name of samples) this.#samples.set(name, owner);
    return undefined;
  }
}

/** `families` itself where they have at most so many samples; else each cut to a fair share, the longest first. */
function keptOf(families: readonly Family[], most: number): readonly Family[] {
  let left = most;
  if (families.reduce((sum, { values }) => sum + values.length, 0) <= most) return families;
  const shares = new Map<string, number>();
  const byLength = families.toSorted((a, b) => a.values.length - b.values.length);
  for (const [at, { name, values }] of byLength.entries()) {
    const share = Math.min(values.length, Math.floor(left / (byLength.length - at)));
    shares.set(name, share);
    left -= share;
  }
  return families.map((family) => ({
    ...family,
    values: firstOf(family.values, shares.get(family.name) ?? 0),
  }));
}

/** The first samples, at most so many; those of one histogram or summary, which belong together, all or none. */
function firstOf(values: readonly Sample[], most: number): Sample[] {
  const series = new Map<string, Sample[]>();
  for (const sample of values) {
    const labels = Object.entries(sample.labels).filter(([label]) => label !== 'le');
    const key = JSON.stringify(labels.toSorted());
    const samples = series.get(key) ?? [];
    samples.push(sample);
    series.set(key, samples);
  }
  const first: Sample[] = [];
  for (const samples of series.values()) {
    if (first.length + samples.length > most) break;
    first.push(...samples);
  }
  return first;
}
