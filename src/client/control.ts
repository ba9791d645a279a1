// A client of the control socket: finds the primary that answers, and asks it.

import { readdirSync, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { clientPlaces, type Surroundings } from '../core/control-places.ts';
import type { Progress } from '../core/status.ts';

/** Where to look: at CONTROL_SOCKET alone where that is given, else at the default places for the port. */
export interface Looked extends Surroundings {
  readonly explicit: string | undefined;
  readonly port: number;
}

/** How long a primary may take to answer at all. */
const ANSWER_MS = 5000;

/** The control socket of a running primary. */
export class Control {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The first place where a primary answers; a text that says where none did. */
  static async find(looked: Looked): Promise<Control | string> {
    const { explicit, port } = looked;
    const places = new Set(
      explicit === undefined ? [...clientPlaces(looked, port), ...others(looked)] : [explicit],
    );
    for (const place of places) {
      if (explicit === undefined && !trusted(place, looked.uid)) continue;
      const control = new Control(place);
      try {
        await control.get('/status');
        return control;
      } catch {
        // nobody there: the next place
      }
    }
    return `no server answers; looked at ${[...places].join(', ')}`;
  }

  /** The JSON answer to a GET. */
  async get(path: string): Promise<unknown> {
    const res = await this.#ask('GET', path);
    let text = '';
    for await (const chunk of res.setEncoding('utf8')) text += chunk;
    if (res.statusCode !== 200) throw new Error(`${path} answered ${res.statusCode}`);
    return JSON.parse(text);
  }

  /** Runs a command; `tell` gets each line of its progress. Resolves with how it ended. */
  async post(path: string, tell: (progress: Progress) => void): Promise<{ readonly ok: boolean }> {
    const res = await this.#ask('POST', path, 0);
    for await (const line of createInterface({ input: res })) {
      const progress = JSON.parse(line) as Progress | { readonly error: string };
      if ('error' in progress) throw new Error(progress.error);
      tell(progress);
      if ('ok' in progress) return progress;
    }
    throw new Error('the server went away before it was done');
  }

  #ask(method: string, path: string, timeoutMs = ANSWER_MS): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const req = request(
        { socketPath: this.#path, method, path, agent: false, timeout: timeoutMs },
        resolve,
      );
      req.on('timeout', () => req.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      req.on('error', reject);
      req.end();
    });
  }
}

/** Only root and we ourselves may tell us what our server does. */
function trusted(place: string, uid: number): boolean {
  if (uid === 0) return true;
  try {
    return [0, uid].includes(statSync(dirname(place)).uid) || [0, uid].includes(statSync(place).uid);
  } catch {
    return false;
  }
}

/** Root may use another user's. */
function others({ tmp, uid, port }: Looked): string[] {
  if (uid !== 0) return [];
  return [
    ...entries(tmp)
      .filter((name) => /^hello-server-\d+$/.test(name))
      .map((name) => `${tmp}/${name}/${port}.sock`),
    ...entries('/run/user').map((name) => `/run/user/${name}/hello-server/${port}.sock`),
  ];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
