// A number of workers, given as such or as a share of those wanted: `2`, `25%`.

export type WorkerShare = { readonly workers: number } | { readonly percent: number };

/** How many of `wanted` that are: at least one; a percentage is rounded up. */
export const workersIn = (share: WorkerShare, wanted: number): number =>
  Math.max(1, 'workers' in share ? share.workers : Math.ceil((wanted * share.percent) / 100));
