// Asks the app, every few seconds, whether it is well: its export `healthy`.

import { describeThrown } from '../log/thrown.ts';

/** How often it is asked, and how long it may take. */
const ASK_MS = 5000;
const ANSWER_MS = 5000;
/** A worker is ready without the first answer after so long, and unwell until it comes. */
const FIRST_MS = 1000;
/** The app's own words are cut to so many characters. */
const REASON_CHARS = 200;

/** What the app said last. */
export class AppHealth {
  /** The export, which may come after the server listens. */
  readonly #healthy: () => (() => unknown) | undefined;
  readonly #changed: () => void;
  #unwell: string | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param changed is told when it says something else than before */
  constructor(healthy: () => (() => unknown) | undefined, changed: () => void) {
    this.#healthy = healthy;
    this.#changed = changed;
  }

  /** Why the app is unwell; null = it is well, or does not say. */
  get unwell(): string | null {
    return this.#unwell;
  }

  /** Asks for the first time, where there is something to ask; resolves with the first answer, or without. */
  async begin(): Promise<void> {
    if (!this.#healthy()) return;
    this.#unwell = 'healthy() has not answered yet';
    await Promise.race([this.look(), pause(FIRST_MS)]);
  }

  /** Asks from now on, without keeping the process alive, where there is something to ask by now. */
  async look(): Promise<void> {
    if (this.#timer || !this.#healthy()) return;
    this.#timer = setInterval(() => void this.#ask(), ASK_MS).unref();
    await this.#ask();
  }

  async #ask(): Promise<void> {
    const healthy = this.#healthy();
    const before = this.#unwell;
    this.#unwell = healthy ? await ask(healthy) : null;
    if (this.#unwell !== before) this.#changed();
  }
}

async function ask(healthy: () => unknown): Promise<string | null> {
  const late = pause(ANSWER_MS).then(() => `healthy() did not answer within ${ANSWER_MS / 1000} s`);
  try {
    return await Promise.race([Promise.resolve(healthy()).then(() => null), late]);
  } catch (error) {
    return describeThrown(error).message.slice(0, REASON_CHARS);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
