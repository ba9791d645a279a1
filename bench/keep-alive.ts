// What does a request on a kept connection cost, everything on and the request log in a file, against the three-line server?

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, median, type Round } from './measure.ts';
import { ONE_PROCESS, type Subject, start, TWO_WORKERS } from './subjects.ts';

/** Measures and prints both comparisons; subjects take turns, so that the machine's drift hits all alike. */
export async function keepAlive(rounds: number, seconds: number): Promise<void> {
  for (const subjects of [ONE_PROCESS, TWO_WORKERS]) await compare(subjects, rounds, seconds);
}

async function compare(subjects: readonly Subject[], rounds: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-bench-'));
  const servers = await Promise.all(subjects.map((subject, i) => start(subject, join(folder, `${i}.log`))));
  const results: Round[][] = servers.map(() => []);
  for (const { port, pid } of servers) await load(port, pid, 1); // warm
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`\rkeep-alive: round ${round} of ${rounds} `);
    for (const [i, { port, pid }] of servers.entries()) results[i]?.push(await load(port, pid, seconds));
  }
  process.stderr.write('\n');
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true });
  console.table(
    servers.map(({ name }, i) => {
      const mine = results[i] ?? [];
      const base = results[0] ?? [];
      const of = (key: keyof Round): number => median(mine.map((round) => round[key]));
      const ratio = (key: keyof Round): number =>
        median(mine.map((round, k) => round[key] / (base[k]?.[key] ?? 1)));
      return {
        subject: name,
        'requests/s': Math.round(of('requestsPerSecond')),
        'p99 ms': of('p99Ms'),
        'CPU µs/request': Number(of('cpuUsPerRequest').toFixed(1)),
        'requests/s ratio': Number(ratio('requestsPerSecond').toFixed(2)),
        'CPU ratio': Number(ratio('cpuUsPerRequest').toFixed(2)),
      };
    }),
  );
}
