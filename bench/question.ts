// What a question is: its words, and how it is asked.

import type { Settings } from './measure/turns.ts';
import type { Answer } from './result.ts';

export interface Question {
  /** As the command line has it. */
  readonly name: string;
  readonly asks: string;
  /** How it is measured, for the report. */
  readonly how: string;
  readonly ask: (settings: Settings) => Promise<Answer>;
}
