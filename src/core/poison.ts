// Poison: a request that was being worked on when several workers died is likely to be what kills them.
// It remembers who was held when a worker died, for a while and in bounded memory, and says what is to be said, once.

/** Deaths are remembered for so long, and a request that is poison is named once in so long, ms. */
export const POISON_MS = 600_000;
/** A request is poison when it was held in so many deaths. */
export const POISON_DEATHS = 2;
/** So many requests are remembered, the latest. */
const MOST_REQUESTS = 100;

/** What is remembered of one request. */
interface Held {
  /** As `GET /path`, without a query. */
  readonly request: string;
  /** When workers died that held it, ms, the latest last. */
  readonly deaths: readonly number[];
  /** When it was named. */
  readonly namedAt: number;
}

/** What is remembered, the latest last. */
export type Poison = readonly Held[];

export const NO_POISON: Poison = [];

/**
 * A worker died at `now` (ms) that held these requests. Returns what is remembered from now on, and the requests to be
 * named as poison, each with how often workers died that held it.
 */
export function noteDeath(
  before: Poison,
  holding: readonly string[],
  now: number,
): { poison: Poison; named: readonly { readonly request: string; readonly deaths: number }[] } {
  const since = now - POISON_MS;
  const known = new Map(before.map((held) => [held.request, held]));
  const named: { readonly request: string; readonly deaths: number }[] = [];
  const held = [...new Set(holding)].map((request): Held => {
    const { deaths = [], namedAt = -Infinity } = known.get(request) ?? {};
    const recent = [...deaths.filter((at) => at > since), now];
    const isNamed = recent.length >= POISON_DEATHS && namedAt <= since;
    if (isNamed) named.push({ request, deaths: recent.length });
    return { request, deaths: recent.slice(-POISON_DEATHS), namedAt: isNamed ? now : namedAt };
  });
  const again = new Set(held.map(({ request }) => request));
  const others = before.filter(({ request, deaths }) => !again.has(request) && (deaths.at(-1) ?? 0) > since);
  return { poison: [...others, ...held].slice(-MOST_REQUESTS), named };
}
