// Subjects side by side: all run, and take turns in short rounds, so that the machine's drift hits all alike.

import {
  type Answer,
  type Comparison,
  type Described,
  type Measured,
  type MetricName,
  rowsOf,
} from '../result.ts';
import { absence, type Server, type Subject, SubjectError, start } from '../subject.ts';
import { type Load, load } from './load.ts';

/** How the whole run goes. */
export interface Settings {
  /** The path of the Node that subjects run on. */
  readonly node: string;
  readonly quick: boolean;
  readonly rounds: number;
  /** How long each subject is loaded in a round. */
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

/** Subjects that stand in one table. */
export interface Group {
  readonly title: string;
  /** The name of the subject that the others are compared with. */
  readonly baseline: string;
  readonly subjects: readonly Subject[];
}

const WARM_UP_SECONDS = 1;
const LOAD_METRICS: readonly MetricName[] = [
  'requestsPerSecond',
  'p50Ms',
  'p99Ms',
  'p999Ms',
  'cpuUsPerRequest',
  'rssMiB',
  'workerMiB',
];
const LOAD_RATIOS: readonly MetricName[] = ['requestsPerSecond', 'cpuUsPerRequest'];

/** Loads the subjects of all groups in turn; a subject in several groups is measured once. */
export async function compareUnderLoad(
  groups: readonly Group[],
  how: Load,
  settings: Settings,
  plot: MetricName = 'requestsPerSecond',
): Promise<Answer> {
  const subjects = [...new Map(groups.flatMap((group) => group.subjects).map((s) => [s.name, s])).values()];
  const absent = absentOf(subjects, settings.node);
  const servers: Server[] = [];
  try {
    for (const subject of present(subjects, absent)) servers.push(await start(subject, settings.node));
    const round = (server: Server, seconds = settings.seconds): Promise<Measured> =>
      load(how, server.port, server.pid, seconds);
    for (const server of servers) {
      settings.progress(`warming up, ${server.subject.name}`);
      await round(server, WARM_UP_SECONDS);
    }
    const rounds = await takeTurns(
      servers,
      ({ subject }) => subject.name,
      settings,
      (server) => round(server),
    );
    return {
      comparisons: groups.map((group) => comparisonOf(group, plot, rounds, absent)),
      subjects: describe(subjects, absent, settings.node),
      failures: ours(rounds),
    };
  } finally {
    await stopAll(servers);
  }
}

/** Why subjects cannot be measured here, by name. */
export function absentOf(subjects: readonly Subject[], node: string): Map<string, string> {
  return new Map(
    subjects.flatMap((subject) => {
      const reason = absence(subject, node);
      return reason === undefined ? [] : [[subject.name, reason] as const];
    }),
  );
}

/** The subjects that can. */
export const present = (subjects: readonly Subject[], absent: ReadonlyMap<string, string>): Subject[] =>
  subjects.filter(({ name }) => !absent.has(name));

/** A B C A B C ...: measures each player once in each round. */
export async function takeTurns<Player>(
  players: readonly Player[],
  nameOf: (player: Player) => string,
  { rounds, progress }: Pick<Settings, 'rounds' | 'progress'>,
  measure: (player: Player) => Promise<Measured>,
): Promise<Map<string, Measured[]>> {
  const taken = new Map<string, Measured[]>(players.map((player) => [nameOf(player), []]));
  for (let round = 1; round <= rounds; round++) {
    for (const player of players) {
      progress(`round ${round} of ${rounds}, ${nameOf(player)}`);
      taken.get(nameOf(player))?.push(await measure(player));
    }
  }
  return taken;
}

function comparisonOf(
  { title, baseline, subjects }: Group,
  plot: MetricName,
  rounds: ReadonlyMap<string, readonly Measured[]>,
  absent: ReadonlyMap<string, string>,
): Comparison {
  const rows = rowsOf(
    subjects.map(({ name }) => name),
    rounds,
    absent,
  );
  const failed = rows.some((row) => row.rounds.errors?.some((errors) => errors > 0));
  const metrics = failed ? [...LOAD_METRICS, 'errors' as const] : LOAD_METRICS;
  return { title, metrics, baseline, ratios: LOAD_RATIOS, plot, rows };
}

/** The subjects as the report names them; versions of those that are absent are not known. */
export const describe = (
  subjects: readonly Subject[],
  absent: ReadonlyMap<string, string>,
  node: string,
): Described[] =>
  subjects.map((subject) => ({
    name: subject.name,
    version: absent.get(subject.name) ?? subject.version(subject.node ?? node),
    settings: subject.settings,
  }));

/** Every request of ours is answered, and with 200. */
function ours(rounds: ReadonlyMap<string, readonly Measured[]>): string[] {
  return [...rounds].flatMap(([name, measured]) => {
    const errors = measured.reduce((sum, round) => sum + (round.errors ?? 0), 0);
    return name.startsWith('hello-server') && errors > 0 ? [`${name}: ${errors} requests failed`] : [];
  });
}

/** Stops them all; the first that did not stop as it should is thrown, when the others are gone. */
export async function stopAll(servers: readonly Server[]): Promise<void> {
  const ended = await Promise.allSettled(servers.map((server) => server.stop()));
  for (const each of ended) if (each.status === 'rejected') throw new SubjectError(each.reason.message);
}
