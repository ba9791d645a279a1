// Node's server option `optimizeEmptyRequests` on Node 20 and 22, which ignore it: requests without a body cost less.

import type { IncomingMessage, ServerOptions } from 'node:http';

/** Node's options with the one that its types do not know yet. */
export type Options = ServerOptions & {
  /**
   * Ends the stream of a request that announces no body before the listener has it: neither `'data'` nor `'end'`
   * comes, `readableEnded` is true. Default false.
   */
  readonly optimizeEmptyRequests?: boolean;
};

/** What the stream of a request keeps of its life: the same names since Node 18. */
interface Internals {
  _dumped: boolean;
  readonly _readableState: Record<'ended' | 'endEmitted' | 'destroyed' | 'closed' | 'closeEmitted', boolean>;
}

/** Does to a request without a body what newer Nodes have done to it already. */
export function endEmpty(req: IncomingMessage): void {
  const { headers, readableEnded } = req;
  if (readableEnded || 'content-length' in headers || 'transfer-encoding' in headers) return;
  const internals = req as unknown as Internals;
  internals._dumped = true;
  const state = internals._readableState;
  state.ended = true;
  state.endEmitted = true;
  state.destroyed = true;
  state.closed = true;
  state.closeEmitted = true;
}
