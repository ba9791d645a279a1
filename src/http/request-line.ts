// The line of one request: plain in text, pino's in json. On the hot path, so spelled out rather than composed.

/** Bytes up to which a write into a pipe is atomic; no request line is longer. */
export const MAX_LINE_BYTES = 4096;
/** Target and header values are cut to so many characters in a line too long otherwise; escaped, one takes up to six bytes. */
const CUT_CHARS = 180;

let dayAndMinute = '';
let minute = -1;
let lastMs = -1;
let lastTime = '';

/** The time `now` (ms since the epoch) as `2024-01-01T12:00:00.000Z`; kept, as many requests come within one. */
export function isoTime(now: number): string {
  if (now === lastMs) return lastTime;
  const current = Math.floor(now / 60_000);
  if (current !== minute) {
    minute = current;
    dayAndMinute = new Date(now).toISOString().slice(0, 17);
  }
  const ms = now - current * 60_000;
  const seconds = Math.floor(ms / 1000);
  const rest = Math.floor(ms - seconds * 1000);
  lastMs = now;
  lastTime = `${dayAndMinute}${seconds < 10 ? '0' : ''}${seconds}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  return lastTime;
}

/** The text line of a request; `method` and `target` are `-` for one that the parser refused. */
export function textLine(now: number, method: string, target: string): string {
  // V8 copies short strings and links long ones: what is short is put together first.
  const line = `${isoTime(now)} - ${`${method} ${target}\n`}`;
  return line.length <= MAX_LINE_BYTES
    ? line
    : `${isoTime(now)} - ${method} ${target.slice(0, MAX_LINE_BYTES - 100)}...\n`;
}

/** What a request's json line says. */
export interface RequestRecord {
  readonly method: string;
  readonly url: string;
  readonly remoteAddress: string | undefined;
  readonly forwardedFor: string | undefined;
  readonly userAgent: string | undefined;
  readonly statusCode: number;
  readonly responseTimeMs: number;
}

/** A maker of json lines in pino's shape, with `bindings` (pid, worker, generation) on each. */
export function jsonLines(
  bindings: Readonly<Record<string, unknown>>,
): (now: number, record: RequestRecord) => string {
  const fixed = `","${JSON.stringify(bindings).slice(2, -1)},"req":{"method":"`;
  const render = (
    now: number,
    r: RequestRecord,
    url: string,
    forwardedFor?: string,
    userAgent?: string,
  ): string =>
    `{"level":"info","time":"${isoTime(now)}${fixed}${r.method}","url":${quote(url)}` +
    (r.remoteAddress === undefined ? '' : `,"remoteAddress":"${r.remoteAddress}"`) +
    (forwardedFor === undefined ? '' : `,"forwardedFor":${quote(forwardedFor)}`) +
    (userAgent === undefined ? '' : `,"userAgent":${quote(userAgent)}`) +
    `},"res":{"statusCode":${r.statusCode}},"responseTime":${Math.round(r.responseTimeMs * 1000) / 1000},"msg":"request"}\n`;
  return (now, r) => {
    const line = render(now, r, r.url, r.forwardedFor, r.userAgent);
    // A character takes at most two bytes here: header values are Latin-1.
    if (line.length * 2 <= MAX_LINE_BYTES || Buffer.byteLength(line) <= MAX_LINE_BYTES) return line;
    return render(now, r, cut(r.url), r.forwardedFor && cut(r.forwardedFor), r.userAgent && cut(r.userAgent));
  };
}

const cut = (value: string): string =>
  value.length <= CUT_CHARS ? value : `${value.slice(0, CUT_CHARS)}...`;

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const quote = (value: string): string =>
  PLAIN.test(value)
    ? `"${value}"`
    : JSON.stringify(value).replace(/\p{Cc}/gu, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
