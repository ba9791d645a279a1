// The policy's fixed times and counts; those a user sets are in the environment.

/** A second stop signal sooner than this is the first one, delivered twice (to the group, children first). */
export const SAME_SIGNAL_MS = 1000;
/** In a stop all workers leave the rotation before any lingers; one that does not answer is waited for so long. */
export const LEAVE_MS = 250;
/** A reload is over when its last worker has been ready for so long; a crash before that abandons it. */
export const SETTLE_MS = 1000;
/** A new worker that exits sooner than this after it was ready counts against its reload. */
export const EARLY_CRASH_MS = 5000;
/** A stop signal that reached a worker may be meant for all: what follows from it waits so long for the primary's own. */
export const OWN_SIGNAL_MS = 500;
/** So many boots in a row that did not get ready, with no worker serving, are a crash loop. */
export const CRASH_LOOP_BOOTS = 8;
/** A drain is cut by the worker itself; the kill comes so much later. */
export const KILL_MARGIN_MS = 500;
