// What a worker answers when the primary asks it: which requests it holds, and the app's own metrics.

import type { AppMetrics, Held } from '../core/protocol.ts';
import { HOLDING, MOST_METRICS_CHARS, MOST_PROBLEM_CHARS } from '../core/protocol.ts';
import type { Service } from '../http/service.ts';
import { describeThrown } from '../log/thrown.ts';

/** The longest of the requests in flight are told, so many of them, each with so much of its target. */
const MOST_TOLD = 100;
const TARGET_CHARS = 200;

/** The requests in flight, the longest first. */
export function heldNow({ inFlight }: Service): Held {
  const now = performance.now();
  const requests = [];
  // In the order in which they began.
  for (const [{ req }, startedAt] of inFlight) {
    if (requests.length === MOST_TOLD) break;
    requests.push({
      ms: Math.round(now - startedAt),
      method: req.method ?? '-',
      target: (req.url ?? '-').slice(0, TARGET_CHARS),
      // The stream of an HTTP/2 request that is over has no connection.
      client: req.socket?.remoteAddress ?? null,
    });
  }
  return { total: inFlight.size, requests };
}

/** An export `metrics` that takes longer than this is not waited for. */
const METRICS_MS = 5000;

/** What the app's export `metrics` returns within `ms`, or why that is of no use. */
export async function metricsNow(metrics: () => unknown, ms = METRICS_MS): Promise<AppMetrics> {
  let late: NodeJS.Timeout | undefined;
  const never = new Promise<AppMetrics>((resolve) => {
    const problem = `expected metrics() to answer within ${ms / 1000} s`;
    late = setTimeout(() => resolve({ problem }), ms).unref();
  });
  const answer = await Promise.race([returned(metrics), never]);
  clearTimeout(late);
  return answer;
}

async function returned(metrics: () => unknown): Promise<AppMetrics> {
  try {
    const text = await metrics();
    if (typeof text !== 'string') return { problem: `expected a string, got ${typeof text}` };
    if (text.length <= MOST_METRICS_CHARS) return { text };
    return { problem: `expected at most ${MOST_METRICS_CHARS} characters, got ${text.length}` };
  } catch (error) {
    return { problem: describeThrown(error).message.slice(0, MOST_PROBLEM_CHARS) };
  }
}

/** Lets the primary read, through the inspector, which requests this worker holds should it hang. */
export function showHolding(service: Service): void {
  Object.assign(globalThis, { [Symbol.for(HOLDING)]: () => holding(service) });
}

/** The requests a service holds, the one it works on first. */
function holding({ current, inFlight }: Service): string[] {
  const requests = [...inFlight.keys()].map(({ req }) => req);
  if (current) requests.unshift(current);
  return requests.map(({ method, url }) => `${method} ${url}`);
}
