// Figures as short texts for the tables: durations, rates, times, amounts and memory; `-` for what is not known.

import { duration as inWords } from '../core/duration.ts';

/** A figure as it came: null or undefined, which an older server leaves it, = not known. */
export type Figure = number | null | undefined;

const UNKNOWN = '-';
const known = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** A length of time in words. */
export const duration = (seconds: Figure): string => (known(seconds) ? inWords(seconds) : UNKNOWN);

/** The age of a request: as a duration, but with tenths below 10 s. */
export const age = (seconds: Figure): string =>
  known(seconds) && seconds < 9.95 ? `${Math.max(0, seconds).toFixed(1)}s` : duration(seconds);

/** So many a second: with a tenth below ten, `<0.1` for next to nothing. */
export function rate(perSecond: Figure): string {
  if (!known(perSecond)) return UNKNOWN;
  if (perSecond <= 0) return '0';
  if (perSecond < 0.1) return '<0.1';
  return perSecond < 9.95 ? perSecond.toFixed(1) : count(perSecond);
}

/** A time in ms, such as `0.4ms`, `12ms` or `1.5s`. */
export function time(ms: Figure): string {
  if (!known(ms)) return UNKNOWN;
  if (ms <= 0) return '0ms';
  if (ms < 9.95) return `${ms.toFixed(1)}ms`;
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  return ms < 9950 ? `${(ms / 1000).toFixed(1)}s` : `${Math.round(ms / 1000)}s`;
}

/** A whole number of at most five characters. */
export function count(value: Figure): string {
  if (!known(value)) return UNKNOWN;
  const whole = Math.round(value);
  if (whole < 100_000) return String(whole);
  if (whole < 9_999_500) return `${Math.round(whole / 1000)}k`;
  return `${Math.round(whole / 1e6)}M`;
}

/** MiB as a whole number, without the unit. */
export const mebibytes = (mib: Figure): string => (known(mib) ? String(Math.round(mib)) : UNKNOWN);

/** Memory with its unit: `48 MiB`, or `12.3 GiB` where that is more than 9999 MiB. */
export const memory = (mib: Figure): string =>
  known(mib) && mib >= 9999.5 ? `${(mib / 1024).toFixed(1)} GiB` : `${mebibytes(mib)} MiB`;

/** `1 restart`, `2 restarts`. */
export const plural = (amount: number, one: string, many = `${one}s`): string =>
  `${amount} ${amount === 1 ? one : many}`;
