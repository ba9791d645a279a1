// Words how workers share the memory, and what of it one of them has passed.

import { LEAST_SHARE_MIB, type Sharing } from '../core/memory-share.ts';
import type { Passed, ReplaceReason } from '../core/notices.ts';

/** What a worker has passed: `its RSS of 402 MiB is above its share of 226 MiB`; else the reason as it is. */
export function replaceText(why: ReplaceReason, passed: Passed | undefined): string {
  if (!passed) return why;
  const [used, limit] = [Math.round(passed.usedMiB), Math.round(passed.limitMiB)];
  if (why === 'heap limit') return `its heap of ${used} MiB is above 85 % of its limit of ${limit} MiB`;
  return `its RSS of ${used} MiB is above its share of ${limit} MiB`;
}

export function sharingText(sharing: Sharing): string {
  const { limitMiB, workers } = sharing;
  const many = `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  if (sharing.fits) {
    const { rssMiB, heap } = sharing.share;
    const ofHeap = heap ? `, ${heap.oldMiB + 3 * heap.semiMiB} MiB of it for its heap` : '';
    return `each of ${many} has a share of ${rssMiB} MiB of the ${limitMiB} MiB of memory${ofHeap}`;
  }
  const { eachMiB, surge, would } = sharing;
  const instead = 'workers' in would ? `WEB_CONCURRENCY=${would.workers}` : `${would.limitMiB} MiB`;
  return (
    `${limitMiB} MiB of memory are ${eachMiB} MiB for each of ${many} and ${surge} more in a reload, too few to keep them ` +
    `from being killed for it: ${LEAST_SHARE_MIB} MiB each would do, that is ${instead}`
  );
}
