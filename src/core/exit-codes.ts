// The exit codes of the primary and of the commands; the README's table is compared with this list.

/** Stopped as asked; a command that did what it was told. */
export const OK = 0;
/** Cannot serve: port taken, no permission, boot failure of the first generation, crash loop; a command that failed. */
export const CANNOT_SERVE = 1;
/** Wrong usage of the command line. */
export const WRONG_USAGE = 2;
/** What was configured cannot be: environment, permissions, APP, sockets, pm2's cluster mode. EX_CONFIG of sysexits.h. */
export const BAD_CONFIG = 78;

const SIGNAL_NUMBERS = { SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** The signals that stop the primary. */
export type StopSignal = keyof typeof SIGNAL_NUMBERS;

/** A second signal cut the drain short: 128 + the signal's number. */
export const cutShortBy = (signal: StopSignal): number => 128 + SIGNAL_NUMBERS[signal];
