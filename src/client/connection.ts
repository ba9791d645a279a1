// A client of the control socket: finds the primary that answers, and asks it.

import { readdirSync, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { clientPlaces, isOwnPlace, PORT_HEADER, pathProblem, type Surroundings } from '../control/places.ts';
import type { Progress, Status } from '../control/status.ts';

/** Where to look: at CONTROL_SOCKET alone where that is given, else at the default places for the port. */
export interface Looked extends Surroundings {
  readonly explicit: string | undefined;
  readonly port: number;
  /** HOST, where it is given: servers on different addresses may have the same port. */
  readonly host: string | undefined;
}

/** How long a primary may take to answer at all. */
const ANSWER_MS = 5000;

/** The control socket of a running primary. */
export class Control {
  readonly #path: string;
  /** The port of the server that is meant, which tells it so; undefined = whoever is at the path. */
  readonly #port: number | undefined;

  constructor(path: string, port: number | undefined) {
    this.#path = path;
    this.#port = port;
  }

  /** The server that is meant, at the first place where it answers; a text that says where it did not, and who else did. */
  static async find(looked: Looked): Promise<Control | string> {
    const { explicit, port, host } = looked;
    if (explicit !== undefined && pathProblem(explicit)) return `CONTROL_SOCKET: ${pathProblem(explicit)}`;
    const places = new Set(
      explicit === undefined ? [...clientPlaces(looked, port), ...others(looked)] : [explicit],
    );
    const strangers: string[] = [];
    for (const place of places) {
      if (explicit === undefined && (pathProblem(place) || !trusted(place, looked.uid))) continue;
      const itself = explicit !== undefined || isOwnPlace(looked, place);
      const found = await Control.#statusAt(place);
      if (!found) continue;
      const meant = found.port === port && (host === undefined || found.host === host);
      if (itself || meant) return new Control(place, itself ? undefined : port);
      strangers.push(`${place} is the server on ${addressOf(found)} (pid ${found.pid}), left alone`);
    }
    const whom =
      strangers.length > 0 ? `no server on ${addressOf({ port, host })} answers` : 'no server answers';
    return [`${whom}; looked at ${[...places].join(', ')}`, ...strangers].join('; ');
  }

  static async #statusAt(place: string): Promise<Status | undefined> {
    try {
      return (await new Control(place, undefined).get('/status')) as Status;
    } catch {
      return undefined; // nobody there
    }
  }

  /** The JSON answer to a GET. */
  async get(path: string): Promise<unknown> {
    const text = await this.getText(path);
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`expected JSON from ${path}, got something else`);
    }
  }

  /** The answer to a GET as it is. */
  async getText(path: string): Promise<string> {
    const res = await this.#ask('GET', path);
    let text = '';
    for await (const chunk of res.setEncoding('utf8')) text += chunk;
    if (res.statusCode === 404) throw new Error(`this server is older than the command and has no ${path}`);
    if (res.statusCode !== 200) throw new Error(`${path} answered ${res.statusCode}`);
    return text;
  }

  /** Runs a command; `tell` gets each line of its progress. Resolves with how it ended. */
  async post(path: string, tell: (progress: Progress) => void): Promise<Exclude<Progress, { text: string }>> {
    const res = await this.#ask('POST', path, 0);
    for await (const line of createInterface({ input: res })) {
      const progress = JSON.parse(line) as Progress | { readonly error: string };
      if ('error' in progress) throw new Error(progress.error);
      tell(progress);
      if (!('text' in progress)) return progress;
    }
    throw new Error('the server went away before it was done');
  }

  /** The answer to a POST as it comes; throws with what the server says where it is no 200. */
  async stream(path: string): Promise<IncomingMessage> {
    const res = await this.#ask('POST', path, 0);
    if (res.statusCode === 200) return res;
    let text = '';
    for await (const chunk of res.setEncoding('utf8')) text += chunk;
    throw new Error((JSON.parse(text) as { readonly error: string }).error);
  }

  #ask(method: string, path: string, timeoutMs = ANSWER_MS): Promise<IncomingMessage> {
    const headers = this.#port === undefined ? {} : { [PORT_HEADER]: String(this.#port) };
    return new Promise((resolve, reject) => {
      const req = request(
        { socketPath: this.#path, method, path, headers, agent: false, timeout: timeoutMs },
        resolve,
      );
      req.on('timeout', () => req.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      req.on('error', reject);
      req.end();
    });
  }
}

const addressOf = ({
  port,
  host,
}: {
  readonly port: number;
  readonly host?: string | null | undefined;
}): string => `port ${port}${host ? ` of ${host}` : ''}`;

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
