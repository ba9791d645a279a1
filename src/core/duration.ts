// A length of time in words, as people read it: not for a log, whose times are exact.

/** Seconds as `12s`, `3m20s`, `5h03m`, `2d4h` or, from a hundred days on, `123d`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two(Math.floor((s % 3600) / 60))}m`;
  const days = Math.floor(s / 86_400);
  return days < 100 ? `${days}d${Math.floor((s % 86_400) / 3600)}h` : `${days}d`;
}

const two = (value: number): string => String(value).padStart(2, '0');
