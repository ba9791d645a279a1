// Finds in what a worker writes to its stderr that V8 has given up because its heap was full.

/** What V8 says last, and its trace of the last garbage collections: `Mark-Compact 1047.9 (1050.0) -> 1047.8 (1050.1) MB`. */
const FATAL = 'heap out of memory';
const TRACE = 'Mark-Compact';
const FATAL_LINE = /^FATAL ERROR: .*heap out of memory/m;
// V8 keeps the end of its trace alone: the first line may begin in the middle of one.
const TRACE_LINE = /\[\d+:.*Mark-Compact.* -> (\d+(?:\.\d+)?) \(/g;

/** The watch over one worker's stderr. */
export class HeapFull {
  #atMiB: number | undefined;
  #isFull = false;

  /** Takes whole lines. */
  take(lines: Buffer): void {
    if (lines.includes(TRACE)) {
      const [, atMiB] = [...lines.toString('latin1').matchAll(TRACE_LINE)].at(-1) ?? [];
      if (atMiB !== undefined) this.#atMiB = Number(atMiB);
    }
    if (lines.includes(FATAL)) this.#isFull ||= FATAL_LINE.test(lines.toString('latin1'));
  }

  /** How full it was, as far as the trace says so, MiB; undefined = V8 has not given up. */
  get found(): { readonly atMiB: number | undefined } | undefined {
    return this.#isFull ? { atMiB: this.#atMiB } : undefined;
  }
}
