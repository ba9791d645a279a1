// What do 10 000 idle connections cost: memory each, and the latency of those that are not idle?

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { KEEP_ALIVE, type Load, load } from '../measure/load.ts';
import { rssMiB, workersOf } from '../measure/process-tree.ts';
import { describe, type Settings, takeTurns } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { type Answer, type Measured, rowsOf } from '../result.ts';
import { type Server, type Subject, start } from '../subject.ts';
import { bareHttp, hello } from '../subjects.ts';

const WANTED = 10_000;
/** File descriptors for all else. */
const SPARE = 500;
/** Opened at once; fewer than a queue of connections holds. */
const BATCH = 250;
const ACTIVE: Load = { ...KEEP_ALIVE, connections: 8 };
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

export const idleConnections: Question = {
  name: 'idle-connections',
  asks: 'What do 10 000 idle connections cost?',
  how: 'Each has had one answer and waits for the next. Memory is the growth of the process that serves, divided by their number; latency is that of 8 more connections, each asking again as soon as it is answered, before and while the idle ones are open.',
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  // Its own 5 s would close them before they are all open.
  const bare = bareHttp({ env: { KEEP_ALIVE_MS: '65000' } });
  const subjects = [bare, hello(1)];
  const count = Math.min(WANTED, descriptors() - SPARE);
  const measured = await takeTurns(
    subjects,
    ({ name }) => name,
    settings,
    (subject) => withIdle(subject, count, settings),
  );
  return {
    comparisons: [
      {
        title:
          count === WANTED
            ? 'idle connections'
            : `idle connections: as many as the limit on open files allows, not ${WANTED}`,
        metrics: ['connections', 'kibPerConnection', 'p50Ms', 'p50IdleMs', 'p99Ms', 'p99IdleMs'],
        baseline: bare.name,
        ratios: ['kibPerConnection'],
        plot: 'kibPerConnection',
        rows: rowsOf([bare.name, hello(1).name], measured),
      },
    ],
    subjects: describe(subjects, new Map(), settings.node),
    failures: [],
  };
}

/** Open files that this process may have; Node takes the hard limit, and so do the servers. */
function descriptors(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1024);
}

async function withIdle(subject: Subject, count: number, { node, seconds }: Settings): Promise<Measured> {
  const server = await start(subject, node);
  const sockets: Socket[] = [];
  try {
    const without = await load(ACTIVE, server.port, server.pid, seconds);
    const before = rssMiB(serving(server));
    while (sockets.length < count) {
      const batch = Math.min(BATCH, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: batch }, () => answered(server.port)))));
    }
    const kibPerConnection = ((rssMiB(serving(server)) - before) * 1024) / count;
    const during = await load(ACTIVE, server.port, server.pid, seconds);
    return {
      connections: sockets.filter((socket) => !socket.destroyed && socket.readable).length,
      kibPerConnection,
      p50Ms: without.p50Ms,
      p50IdleMs: during.p50Ms,
      p99Ms: without.p99Ms,
      p99IdleMs: during.p99Ms,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

/** The process that serves: the one worker, or the root where there is none. */
const serving = ({ pid }: Server): number => workersOf(pid)[0] ?? pid;

/** A connection that has had its first answer. */
async function answered(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(REQUEST);
  await once(socket, 'data');
  socket.resume();
  return socket;
}
