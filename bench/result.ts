// What a question has measured: data only, the same for the terminal, the JSON and the page.

/** How a figure is called, and how its rounds become one number. */
export interface Metric {
  readonly label: string;
  /** Digits behind the point. */
  readonly digits: number;
  readonly of: 'median' | 'sum' | 'max';
}

const measured = (label: string, digits: number): Metric => ({ label, digits, of: 'median' });
const counted = (label: string): Metric => ({ label, digits: 0, of: 'sum' });

/** Every figure there is, its unit in its label. */
export const METRICS = {
  requestsPerSecond: measured('requests/s', 0),
  p50Ms: measured('p50 ms', 2),
  p99Ms: measured('p99 ms', 2),
  p999Ms: measured('p99.9 ms', 2),
  cpuUsPerRequest: measured('CPU µs/request', 1),
  rssMiB: measured('RSS MiB', 1),
  primaryMiB: measured('primary MiB', 1),
  workerMiB: measured('worker MiB', 1),
  firstAnswerMs: measured('first answer ms', 0),
  stopMs: measured('stop ms', 0),
  wholeAgainMs: measured('whole again ms', 0),
  gapMs: measured('longest gap ms', 0),
  kibPerConnection: measured('KiB/connection', 1),
  p50IdleMs: measured('p50 ms, idle ones open', 2),
  p99IdleMs: measured('p99 ms, idle ones open', 2),
  primaryPercent: measured('primary, % of a core', 3),
  workerPercent: measured('a worker, % of a core', 3),
  wholeMs: measured('all listen ms', 0),
  reloadMs: measured('reload ms', 0),
  primaryMsPerWorker: measured('CPU of the primary, ms/worker', 2),
  statusMs: { label: 'longest status ms', digits: 1, of: 'max' },
  usPerBeat: measured('µs/beat', 1),
  usPerTurn: measured('µs/turn', 0),
  usPerStatus: measured('µs/status', 0),
  usPerReplaced: measured('µs/replaced worker', 0),
  worstAtOnce: measured('kept, at once: worst/mean', 2),
  worstLater: measured('kept, 5 s later: worst/mean', 2),
  worstFresh: measured('fresh: worst/mean', 2),
  connections: { label: 'idle connections', digits: 0, of: 'max' },
  reloads: counted('reloads'),
  ok: counted('ok'),
  otherStatus: counted('other status'),
  refused: counted('refused'),
  reset: counted('reset'),
  cutOff: counted('cut off'),
  hang: counted('hang'),
  lost: counted('lost'),
  errors: counted('errors'),
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

/** What one round measured. */
export type Measured = Readonly<Partial<Record<MetricName, number>>>;

/** A subject's rounds, or why there are none. */
export interface Row {
  readonly subject: string;
  /** One value per round, in the order of the rounds. */
  readonly rounds: Readonly<Partial<Record<MetricName, readonly number[]>>>;
  readonly note?: string;
}

/** Subjects that took turns. */
export interface Comparison {
  /** Unique within its question. */
  readonly title: string;
  readonly metrics: readonly MetricName[];
  /** The subject that the ratios are taken to. */
  readonly baseline?: string;
  readonly ratios: readonly MetricName[];
  /** The figure that is drawn. */
  readonly plot: MetricName;
  readonly rows: readonly Row[];
}

/** What a subject was: its version, and how it was set up. */
export interface Described {
  readonly name: string;
  readonly version: string;
  readonly settings: string;
}

/** What asking a question gives. */
export interface Answer {
  readonly comparisons: readonly Comparison[];
  readonly subjects: readonly Described[];
  /** What must not be, one line each: a request of ours that was lost. */
  readonly failures: readonly string[];
}

/** The machine it was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

/** An answer with all that belongs to it; one file of `results/`. */
export interface Result extends Answer {
  readonly question: string;
  readonly asks: string;
  readonly how: string;
  /** ISO 8601. */
  readonly date: string;
  /** The Node that the subjects ran on, as `v20.20.2`. */
  readonly node: string;
  readonly quick: boolean;
  readonly machine: Machine;
}

/** The rows of rounds: one per subject, `absent` ones with their reason. */
export function rowsOf(
  names: readonly string[],
  rounds: ReadonlyMap<string, readonly Measured[]>,
  absent: ReadonlyMap<string, string> = new Map(),
): Row[] {
  return names.map((subject) => {
    const note = absent.get(subject);
    const row = { subject, rounds: byMetric(rounds.get(subject) ?? []) };
    return note === undefined ? row : { ...row, note };
  });
}

function byMetric(rounds: readonly Measured[]): Row['rounds'] {
  const names = Object.keys(METRICS) as MetricName[];
  const series = names.map((name) => [name, rounds.flatMap((round) => kept(name, round[name]))] as const);
  return Object.fromEntries(series.filter(([, values]) => values.length > 0));
}

/** A measured value with one digit more than it is shown with; none when there is none. */
function kept(name: MetricName, value: number | undefined): number[] {
  return value === undefined || Number.isNaN(value) ? [] : [Number(value.toFixed(METRICS[name].digits + 1))];
}
