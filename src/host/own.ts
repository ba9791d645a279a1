// What the system says of this very process.

import { readdirSync, readFileSync } from 'node:fs';
import type { OwnProcess } from '../core/figures.ts';
import { residentBytes } from './resident.ts';

let startSeconds: number | undefined;

export function ownProcess(): OwnProcess {
  const { user, system } = process.cpuUsage();
  // Asked once: a clock that is set meanwhile would seem a new start.
  startSeconds ??= Math.round(Date.now() / 1000 - process.uptime());
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: residentBytes(),
    startSeconds,
    openFds: orNull(() => readdirSync('/proc/self/fd').length),
    maxFds: orNull(() => {
      const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
      return Number(soft ?? Number.NaN);
    }),
  };
}

function orNull(read: () => number): number | null {
  try {
    const value = read();
    return Number.isFinite(value) ? value : null;
  } catch {
    return null;
  }
}
