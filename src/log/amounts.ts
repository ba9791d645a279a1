// Amounts and names as the log says them.

import type { WorkerName } from '../core/notices.ts';

export const name = ({ worker, pid }: WorkerName): string =>
  `worker ${worker}${pid === 0 ? '' : ` (pid ${pid})`}`;
export const duration = (ms: number): string => `${(ms / 1000).toFixed(ms < 100_000 ? 1 : 0)} s`;
export const hours = (seconds: number): string => {
  const rounded = Math.round(seconds / 3600);
  return `${rounded} ${rounded === 1 ? 'hour' : 'hours'}`;
};
export const millis = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
/** With a space between thousands. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
