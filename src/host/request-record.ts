// A file in which an armed worker records each request before the app has it, so that the primary knows what the worker
// held although it died in the middle of it. Nobody else can open it: it has no name, only the two have its descriptor.

import { closeSync, constants, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A record is of this length, and there are so many: of more requests at a time the oldest are forgotten. */
const RECORD_BYTES = 256;
const RECORDS = 256;
/** A record begins with a 1 if it holds a request, else with a 0; the length of its text; its number, six bytes. */
const TEXT_AT = 8;
const FREE = Buffer.from([0]);

/** Opens a file without a name for reading and writing; undefined where there is no place for one. */
export function openRecord(folders: readonly string[] = ['/dev/shm', tmpdir()]): number | undefined {
  for (const folder of folders) {
    const path = join(folder, `hello-server-${process.pid}-${++opened}`);
    try {
      // Of our own making, and never what somebody else has put there.
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      rmSync(path, { force: true });
      return fd;
    } catch {
      // the next folder
    }
  }
  return undefined;
}
let opened = 0;

/** The requests that are held according to the file, the latest first; none where it cannot be read. */
export function readRecord(fd: number): string[] {
  const all = Buffer.alloc(RECORDS * RECORD_BYTES);
  try {
    readSync(fd, all, 0, all.length, 0);
  } catch {
    return [];
  }
  const held: { readonly number: number; readonly text: string }[] = [];
  for (let at = 0; at < all.length; at += RECORD_BYTES) {
    if (all[at] !== 1) continue;
    const end = at + TEXT_AT + (all[at + 1] ?? 0);
    held.push({ number: all.readUIntBE(at + 2, 6), text: all.toString('utf8', at + TEXT_AT, end) });
  }
  return held.toSorted((a, b) => b.number - a.number).map(({ text }) => text);
}

/** Closes it; what was recorded is gone. */
export const closeRecord = (fd: number): void => closeSync(fd);

/** The worker's side. */
export class RecordWriter {
  readonly #fd: number;
  readonly #record = Buffer.alloc(RECORD_BYTES);
  readonly #holders: (object | undefined)[] = new Array(RECORDS).fill(undefined);
  readonly #free = Array.from({ length: RECORDS }, (_, i) => RECORDS - 1 - i);
  #number = 0;
  #isOpen = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether requests are recorded. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Records a request, before anything else is done with it; `end` is called with what this returns. */
  begin(holder: object, text: string): number {
    const number = ++this.#number;
    const place = this.#free.pop() ?? number % RECORDS;
    this.#holders[place] = holder;
    const record = this.#record;
    record[0] = 1;
    record[1] = record.write(text, TEXT_AT);
    record.writeUIntBE(number, 2, 6);
    this.#write(record, TEXT_AT + record[1], place);
    return place;
  }

  /** The request is over. */
  end(holder: object, place: number): void {
    // Its place may have gone to another.
    if (!this.#isOpen || this.#holders[place] !== holder) return;
    this.#holders[place] = undefined;
    this.#free.push(place);
    this.#write(FREE, 1, place);
  }

  /** Nothing is recorded from now on, and nothing counts as held. */
  close(): void {
    if (!this.#isOpen) return;
    for (const [place, holder] of this.#holders.entries()) if (holder) this.#write(FREE, 1, place);
    this.#isOpen = false;
  }

  /** A record that cannot be written, as its file system is full, is the last. */
  #write(bytes: Buffer, length: number, place: number): void {
    if (!this.#isOpen) return;
    try {
      writeSync(this.#fd, bytes, 0, length, place * RECORD_BYTES);
    } catch {
      this.#isOpen = false;
    }
  }
}
