// Requests lost in reloads: one system under the loss meter of the tests, by its own reload.

import { BUCKETS, type Bucket, Meter, slowProxy } from '../../test/helpers/meter.ts';
import type { Measured, MetricName, Row } from '../result.ts';
import { type Subject, start } from '../subject.ts';

/** Between two reloads, and after the last one: what a reload leaves behind shows. */
const PAUSE_MS = 500;
const NAMES: Readonly<Record<Bucket, MetricName>> = {
  ok: 'ok',
  'other status': 'otherStatus',
  refused: 'refused',
  reset: 'reset',
  'cut off': 'cutOff',
  hang: 'hang',
};

/** Who is asked, what the clients are, in words. */
export const METER =
  '16 keep-alive clients, 60 that think up to 3 s between requests, 8 with a connection per request, 4 that post 16 KiB';

/** Every way in which a request can end, and how many are lost of all. */
export const LOSS_METRICS: readonly MetricName[] = ['reloads', ...Object.values(NAMES), 'lost'];

/** Some reloads of one subject, seen from `delayMs` away. */
export async function lossesOf(
  subject: Subject,
  node: string,
  { reloads, delayMs = 0 }: { readonly reloads: number; readonly delayMs?: number },
): Promise<Measured> {
  const server = await start(subject, node);
  try {
    const proxy =
      delayMs > 0 ? await slowProxy(server.port, delayMs) : { port: server.port, close: () => {} };
    const meter = new Meter(proxy.port);
    try {
      await pause(PAUSE_MS);
      for (let i = 0; i < reloads; i++) {
        await subject.reload?.(server);
        await pause(PAUSE_MS);
      }
    } finally {
      await meter.stop();
      proxy.close();
    }
    const tally = BUCKETS.map((bucket) => [NAMES[bucket], meter.tally[bucket]] as const);
    return { reloads, ...Object.fromEntries(tally), lost: meter.lost };
  } finally {
    await server.stop();
  }
}

/** What must not be: a request that a row of ours has lost. */
export function lostByUs({ subject, rounds }: Row): string[] {
  const lost = (rounds.lost ?? []).reduce((sum, each) => sum + each, 0);
  return subject.startsWith('hello-server') && lost > 0
    ? [`${subject}: ${lost} requests lost in reloads`]
    : [];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
