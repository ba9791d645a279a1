// Words what an upgrade does: which programs, how many workers, and why there is none.

import type { Variable } from '../core/config.ts';
import type { Program } from '../core/succession.ts';

export const workersText = (workers: number): string => `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
export const programText = ({ version, node }: Program): string => `hello-server ${version} on Node ${node}`;

/** `upgraded from hello-server 1.0.0 on Node v24.1.0 to hello-server 1.1.0 on Node v24.2.0`. */
export const upgradedText = (from: Program, to: Program): string =>
  from.version === to.version && from.node === to.node
    ? `renewed ${programText(to)}`
    : `upgraded from ${programText(from)} to ${programText(to)}`;

export const upgradeFailed = (begun: boolean, reason: string): string =>
  `${begun ? 'upgrade abandoned' : 'no upgrade'}: ${reason}`;

/** How to have a variable that has changed take effect: the socket outlives an upgrade, and its place with it. */
export const needsRestart = (variables: readonly Variable[]): string =>
  variables.some((name) => name === 'PORT' || name === 'HOST') ? 'a restart' : 'an upgrade or a restart';
