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
  /** Why the app is unwell; null = it is well, or does not say. */
  unwell: string | null = null;

  constructor(healthy: () => (() => unknown) | undefined) {
    this.#healthy = healthy;
  }

  /** Asks for the first time, and from then on without keeping the process alive; resolves with the first answer, or without. */
  async begin(): Promise<void> {
    if (this.#healthy()) this.unwell = 'healthy() has not answered yet';
    const first = this.#look();
    setInterval(() => void this.#look(), ASK_MS).unref();
    await Promise.race([first, pause(FIRST_MS)]);
  }

  async #look(): Promise<void> {
    const healthy = this.#healthy();
    this.unwell = healthy ? await ask(healthy) : null;
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
