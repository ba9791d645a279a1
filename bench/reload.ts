// What does a reload cost the clients? The loss meter's buckets over several reloads, near and 25 ms away.

import { BUCKETS, Meter, slowProxy } from '../test/helpers/meter.ts';
import { type Running, serve } from '../test/helpers/server.ts';

/** Measures and prints one row per number of workers and distance. */
export async function reload(reloads: number): Promise<void> {
  const rows: Record<string, unknown>[] = [];
  for (const workers of [1, 2]) {
    for (const delayMs of [0, 25]) {
      process.stderr.write(`\rreload: ${workers} worker(s), ${delayMs} ms away `);
      const server = await serve({ env: { WEB_CONCURRENCY: String(workers), ACCESS_LOG: 'false' } });
      const proxy =
        delayMs > 0 ? await slowProxy(server.port, delayMs) : { port: server.port, close: () => {} };
      const meter = new Meter(proxy.port);
      for (let i = 0; i < reloads; i++) await reloaded(server, i + 2);
      const tally = await meter.stop();
      proxy.close();
      await server.stop();
      rows.push({
        workers,
        'ms away': delayMs,
        reloads,
        ...Object.fromEntries(BUCKETS.map((b) => [b, tally[b]])),
      });
    }
  }
  process.stderr.write('\n');
  console.table(rows);
}

async function reloaded(server: Running, generation: number): Promise<void> {
  server.signal('SIGHUP');
  await server.says(new RegExp(`reloaded: generation ${generation} `), 100_000);
}
