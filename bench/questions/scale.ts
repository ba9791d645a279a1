// What does a large fleet cost its primary: its start, a reload, and what it does all the time?

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownCpuNs } from '../measure/process-tree.ts';
import { simulated } from '../measure/simulated.ts';
import { describe, type Settings, takeTurns } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { type Answer, type Comparison, type Measured, rowsOf } from '../result.ts';
import { type Server, type Subject, SubjectError, start } from '../subject.ts';
import { bareCluster, hello, status } from '../subjects.ts';

const LARGE = 64;
const RELOADED = [4, 16, LARGE];
const SIMULATED = [4, LARGE, 512];
const ROUNDS = 2;
/** What the two print when all their workers listen. */
const WHOLE = /^(all listen|Server listening on port)/m;
const RELOADED_LINE = /reloaded/;
const POLL_MS = 10;
const LATEST_MS = 120_000;
const STATUS_EVERY_MS = 500;

export const scale: Question = {
  name: 'scale',
  asks: 'What does a large fleet cost its primary?',
  how: 'The start until every worker listens, and the CPU of the primary meanwhile, fork included. A reload by HUP, with the CPU of the primary for each replaced worker, and how long its status takes at worst, asked twice a second. Then fleets without processes, whose workers are objects: the CPU of the primary for a beat, a turn of its policy, a status, and a replaced worker; these run on the Node of the bench.',
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const pair = [bareCluster(LARGE), hello(LARGE)];
  const reloaded = RELOADED.map((size) => hello(size));
  const few = { ...settings, rounds: settings.quick ? 1 : ROUNDS };
  const name = (subject: Subject): string => subject.name;
  const starts = await takeTurns(pair, name, few, (subject) => startOf(subject, settings));
  const reloads = await takeTurns(reloaded, name, few, (subject) => reloadOf(subject, settings));
  const sizes = await takeTurns(SIMULATED, simulatedName, few, simulated);
  const comparisons: Comparison[] = [
    {
      title: `start of ${LARGE} workers`,
      metrics: ['wholeMs', 'primaryMsPerWorker'],
      baseline: bareCluster(LARGE).name,
      ratios: ['wholeMs', 'primaryMsPerWorker'],
      plot: 'wholeMs',
      rows: rowsOf(pair.map(name), starts),
    },
    {
      title: 'a reload',
      metrics: ['reloadMs', 'primaryMsPerWorker', 'statusMs'],
      ratios: [],
      plot: 'primaryMsPerWorker',
      rows: rowsOf(reloaded.map(name), reloads),
    },
    {
      title: `a fleet of ${LARGE}`,
      metrics: ['primaryMsPerWorker'],
      ratios: [],
      plot: 'primaryMsPerWorker',
      rows: rowsOf(
        ['its start', 'its reload'],
        new Map([
          ['its start', starts.get(hello(LARGE).name) ?? []],
          ['its reload', reloads.get(hello(LARGE).name) ?? []],
        ]),
      ),
    },
    {
      title: 'fleets without processes',
      metrics: ['usPerBeat', 'usPerTurn', 'usPerStatus', 'usPerReplaced'],
      ratios: [],
      plot: 'usPerReplaced',
      rows: rowsOf(SIMULATED.map(simulatedName), sizes),
    },
  ];
  const subjects = [...pair, ...reloaded.filter((subject) => subject.name !== hello(LARGE).name)];
  return { comparisons, subjects: describe(subjects, new Map(), settings.node), failures: [] };
}

const simulatedName = (workers: number): string => `${workers} workers, simulated`;

const workersIn = ({ name }: Subject): number => Number(/(\d+) workers/.exec(name)?.[1]);

async function startOf(subject: Subject, { node }: Settings): Promise<Measured> {
  const server = await start(subject, node);
  try {
    await printed(server, WHOLE);
    const wholeMs = performance.now() - server.spawnedAt;
    return { wholeMs, primaryMsPerWorker: ownCpuNs(server.pid) / 1e6 / workersIn(subject) };
  } finally {
    await server.stop();
  }
}

async function reloadOf(subject: Subject, { node }: Settings): Promise<Measured> {
  const server = await start(subject, node);
  try {
    await printed(server, WHOLE);
    await sleep(1000);
    let statusMs = 0;
    let over = false;
    const asking = (async () => {
      while (!over) {
        const asked = performance.now();
        await status(server);
        statusMs = Math.max(statusMs, performance.now() - asked);
        await sleep(STATUS_EVERY_MS);
      }
    })();
    const [before, began] = [ownCpuNs(server.pid), performance.now()];
    process.kill(server.pid, 'SIGHUP');
    await printed(server, RELOADED_LINE);
    const reloadMs = performance.now() - began;
    const used = ownCpuNs(server.pid) - before;
    over = true;
    await asking;
    return { reloadMs, primaryMsPerWorker: used / 1e6 / workersIn(subject), statusMs };
  } finally {
    await server.stop();
  }
}

/** Waits until a server has printed a line. */
async function printed({ folder, subject }: Server, line: RegExp): Promise<void> {
  const path = join(folder, 'stdout');
  const deadline = performance.now() + LATEST_MS;
  while (!existsSync(path) || !line.test(readFileSync(path, 'utf8'))) {
    if (performance.now() > deadline) throw new SubjectError(`${subject.name}: expected it to print ${line}`);
    await sleep(POLL_MS);
  }
}
