// The memory of this very process, which Node reads from a file: where no file can be opened, what was read last.

let last = 0;

/** Its resident memory, bytes. Never throws, unlike Node's own when file descriptors have run out. */
export function residentBytes(): number {
  try {
    last = process.memoryUsage.rss();
  } catch {
    // The figure is old; what was to be done with it is done all the same.
  }
  return last;
}
