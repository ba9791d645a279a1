// An app's own output on its way to the log: by whole lines, and in json each of them an object.

/** A line up to this long stays whole; a longer one is broken, between two characters. */
const LONGEST_LINE_BYTES = 1_048_576;
const NEWLINE = 10;

/** Makes whole lines of a stream that comes in pieces. */
export class Lines {
  readonly #pass: (lines: Buffer) => void;
  /** The line that has not ended yet, in pieces, so that a long one is not copied with each of them. */
  #rest: Buffer[] = [];
  #bytes = 0;

  /** @param pass takes whole lines, one or more at a time */
  constructor(pass: (lines: Buffer) => void) {
    this.#pass = pass;
  }

  take(chunk: Buffer): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) this.#pass(this.#withRest(chunk.subarray(0, end)));
    this.#keep(chunk.subarray(end));
    while (this.#bytes > LONGEST_LINE_BYTES) this.#break();
  }

  /** There will be no more: what is left is a line. */
  end(): void {
    if (this.#bytes > 0) this.#pass(this.#withRest(Buffer.from('\n')));
  }

  /** What has been kept, with what comes after it; nothing is kept any more. */
  #withRest(last: Buffer): Buffer {
    if (this.#bytes === 0) return last;
    this.#rest.push(last);
    const whole = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#bytes = 0;
    return whole;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#rest.push(piece);
    this.#bytes += piece.length;
  }

  #break(): void {
    const line = this.#withRest(Buffer.alloc(0));
    const length = startOfCharacter(line, LONGEST_LINE_BYTES);
    this.#pass(Buffer.concat([line.subarray(0, length), Buffer.from('\n')]));
    this.#keep(line.subarray(length));
  }
}

/** The position of the UTF-8 character that has a byte at `at`; `at` itself where the bytes are no UTF-8. */
function startOfCharacter(text: Buffer, at: number): number {
  for (let start = at; start > at - 4; start--) if (((text[start] ?? 0) & 0xc0) !== 0x80) return start;
  return at;
}

/** Which of its two outputs an app wrote to. */
export type OutputName = 'stdout' | 'stderr';

/** Makes each line an object: one that is an object passes as it is, any other becomes the `msg` of a line of ours. */
export function asObjects(
  lines: Buffer,
  stream: OutputName,
  of: { readonly pid: number; readonly worker: number; readonly generation: number },
): string {
  const level = stream === 'stderr' ? 'error' : 'info';
  const wrapped = (line: string): string =>
    JSON.stringify({ level, time: new Date().toISOString(), ...of, stream, msg: line });
  const text = lines.toString('utf8').replace(/\n$/, '');
  return text
    .split('\n')
    .map((line) => `${isObject(line) ? line : wrapped(line.replace(/\r$/, ''))}\n`)
    .join('');
}

function isObject(line: string): boolean {
  if (!/^\s*\{.*\}\s*$/.test(line)) return false;
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}
