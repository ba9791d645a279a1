// The primary's process as its caller sees it: started, asked and told over one channel, and heard of to its very end.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fromPrimary, type Question, sealed, type ToCaller } from '../core/caller.ts';
import type { Exit } from '../core/fleet-events.ts';
import type { Launch } from './options.ts';

/** What was said last before the end is waited for so long. */
const LAST_WORDS_MS = 1000;
const GONE = 'the fleet has stopped';

type Wish<Q> = Q extends Question ? Omit<Q, 'id'> : never;

export class PrimaryProcess {
  readonly child: ChildProcess;
  /** Resolves when it has ended and all that it said was heard; `error` = it could not be started. */
  readonly ended: Promise<Exit & { readonly error?: Error }>;
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  #asked = 0;
  #hasEnded = false;

  /**
   * Starts it.
   * @param main the file of the primary
   * @param told is told what it says, answers apart
   */
  constructor(main: string, { node, args, env, cwd, stdio }: Launch, told: (message: ToCaller) => void) {
    this.child = spawn(node, ['--', main, ...args], {
      cwd,
      env,
      // A session of its own: a Ctrl-C in the terminal, and a signal to the group of this process, are this process's alone.
      detached: true,
      stdio: ['ignore', stdio, stdio, 'ipc'],
    });
    this.child.on('message', (raw) => {
      const message = fromPrimary(raw);
      if (message?.type === 'answer') this.#answered(message);
      else if (message) told(message);
    });
    this.ended = this.#end();
  }

  /** Asks it something; rejects with its reason where it does not do so, or has gone. */
  ask(question: Wish<Question>): Promise<unknown> {
    if (this.#hasEnded || !this.child.connected) return Promise.reject(new Error(GONE));
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // One that cannot be sent has met the end of the process, which rejects all that waits.
      this.child.send(sealed({ ...question, id } as Question), () => {});
    });
  }

  #answered({ id, ok, result }: Extract<ToCaller, { type: 'answer' }>): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (ok) waiting?.resolve(result);
    else waiting?.reject(new Error(String(result)));
  }

  async #end(): Promise<Exit & { readonly error?: Error }> {
    const exit = await new Promise<Exit & { readonly error?: Error }>((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
      // Of a process that there is, an error is a message that came too late: its exit tells the rest.
      this.child.on('error', (error) => {
        if (this.child.pid === undefined) resolve({ code: null, signal: null, error });
      });
    });
    // What it said last may still be in the channel when its exit is known.
    if (this.child.pid !== undefined && this.child.connected) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), LAST_WORDS_MS);
      await once(this.child, 'disconnect', { signal: late.signal }).catch(() => {});
      clearTimeout(timer);
    }
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(GONE));
    this.#waiting.clear();
    return exit;
  }
}
