// Figures as the page writes them; their units stand in headings or beside them. Pure.

/** Stands where a figure is not known. */
export const UNKNOWN = '–';

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A figure that may have a fraction: one digit of it where it matters, below ten. */
export function figure(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value > 0 && value < 0.05) return '<0.1';
  // What rounds to 10.0 is written as 10.
  return value > 0 && value < 9.95 ? value.toFixed(1) : grouped.format(value);
}

/** A number of things. */
export const count = (value: number | null): string => (value === null ? UNKNOWN : grouped.format(value));

/** A share from 0 to 1, as per cent without the sign. */
export const percent = (share: number | null): string => count(share === null ? null : share * 100);

const SIZES = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** An amount of bytes with its unit. */
export function bytes(amount: number): string {
  if (amount < 1024) return `${count(amount)} B`;
  const power = Math.min(SIZES.length, Math.floor(Math.log2(amount) / 10));
  return `${figure(amount / 1024 ** power)} ${SIZES[power - 1]}`;
}

/** A time of day in the browser's zone, from seconds since 1970. */
export const timeOfDay = (seconds: number, precision: 'minutes' | 'seconds'): string =>
  (precision === 'minutes' ? toMinutes : toSeconds).format(seconds * 1000);

const toMinutes = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const toSeconds = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
