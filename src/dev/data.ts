// Tells a file that is to be loaded anew from one that is not: one that has gone, or data that says what it said before.

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** A JSON file that is larger is no configuration. */
const MOST_BYTES = 1_048_576;

/**
 * What was said by the JSON files that were written. Apps write such files, too, some each time they boot: a reload for
 * each of these would never end.
 */
export class Data {
  readonly #said = new Map<string, string>();

  /** Whether a file that was written, moved or removed says something new. */
  isNew(file: string): boolean {
    try {
      const stat = statSync(file);
      if (!file.endsWith('.json')) return stat.isFile();
      if (!stat.isFile() || stat.size > MOST_BYTES) return false;
      const says = createHash('sha256').update(readFileSync(file)).digest('base64');
      const isNew = this.#said.get(file) !== says;
      this.#said.set(file, says);
      return isNew;
    } catch {
      // One that has gone is no new version of anything: editors remove a file before they write it anew.
      return false;
    }
  }
}
