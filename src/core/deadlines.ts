// The policy's fixed times and counts; those a user sets are in the environment.

/** A second stop signal sooner than this is the first one, delivered twice (to the group, children first). */
export const SAME_SIGNAL_MS = 1000;
/** In a stop all workers leave the rotation before any lingers; one that does not answer is waited for so long. */
export const LEAVE_MS = 250;
/** A stop signal that reached a worker may be meant for all: what follows from it waits so long for the primary's own. */
export const OWN_SIGNAL_MS = 500;
/** So many boots in a row that did not get ready, with no worker serving, are a crash loop. */
export const CRASH_LOOP_BOOTS = 8;
/** A worker whose app has called Node's exit drains for so long at most. */
export const EXITING_MS = 10_000;
/** After a death that is not explained the workers of its slot record each request for so long. */
export const ARMED_MS = 600_000;
/** A lead that failed is called again so much later. */
export const LEAD_AGAIN_MS = 1000;
/** A drain is cut by the worker itself; the kill comes so much later. */
export const KILL_MARGIN_MS = 500;

/** At the end of the primary, workers that have exited may have output in their pipes for so long. */
export const LAST_WORDS_MS = 100;
/** Then clients of the control socket, the watch over orphans and systemd are waited for together, so long at most. */
export const GOODBYE_MS = 500;
/** At the very end a reader of the log that stalls is waited for so long. */
export const FLUSH_MS = 200;
/**
 * What a stop takes at most beyond SHUTDOWN_DELAY and SHUTDOWN_TIMEOUT: the last kill, and the three waits above.
 * Whoever supervises the primary has to give it the whole sum.
 */
export const STOP_MARGIN_MS = 1000;
