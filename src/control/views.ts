// What the primary lets be seen of its fleet, whoever asks: the control socket, or the admin listener.

import type { History, Status, Top } from './status.ts';

export interface Views {
  readonly status: () => Status;
  /** The last minutes, second by second. */
  readonly history: () => History;
  /** The metrics as Prometheus text, or as OpenMetrics. */
  readonly metrics: (openMetrics: boolean) => Promise<string>;
  /** The requests in flight; asks the workers. */
  readonly top: () => Promise<Top>;
}
