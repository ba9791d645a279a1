// A client's connection: what is kept on it, how it ends without a reset, and how one that is half closed is answered.

import type { ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import { Socket } from 'node:net';

/** A socket of ours; what Node keeps on it stands below. */
export type Connection = Socket & {
  /** True from the moment its last answer is decided to be an error answer. */
  refused?: boolean;
  /** The answer to the request that came last. */
  latest?: ServerResponse;
  /** Whether an answer has said, or will say, that it is the last: no later request is run. */
  lastSaid?: boolean;
  /** Whether a request on it ever came before the answer to the one before it was out. */
  pipelined?: boolean;
  /** The protocol that its request was an upgrade to, if the app took it; in small letters. */
  protocol?: string;
  /** Whether it is closed for our part, and still read. */
  lingers?: boolean;
  /** Whether we cut it: what was open on it is not lost by its client. */
  isCut?: boolean;
  /** With HTTP/2, its session, and since when (ms of `performance.now()`). */
  session?: ServerHttp2Session;
  sessionSince?: number;
  /** Itself, as what Node shows of it with HTTP/2 only stands in for it. */
  self?: Connection;
  _httpMessage?: Answer | null;
  parser?: { incoming?: { complete: boolean } | null } | null;
};

/** An answer, with what Node keeps on it, and what {@link halfClosed} does. */
export type Answer = ServerResponse & {
  _header?: string | null;
  _headerSent?: boolean;
  _last?: boolean;
  /** How much of {@link ANSWER_BEGIN} is out already. */
  begun?: number;
};

/** Closing a socket with unread input resets it, and a reset can take the answer away from a client that still sends. */
const LINGER_STEP_MS = 1000;
/** Nothing is read for longer after the last answer. */
const LINGER_STEPS = 30;
/** A half-close so soon after its request came together with it, and not from a client that has seen the answer begin. */
const TOGETHER_MS = 20;
/** When a half-closed client is asked whether it is there, and how long after that TCP begins to ask. */
const PROBES_MS = [0, 25, 250, 2500];
const KEEP_ALIVE_MS = 15_000;

/** What every answer begins with, in as many pieces as there are probes. */
const PIECES = ['HTTP', '/1', '.1', ' '];
export const ANSWER_BEGIN = PIECES.join('');

/** Ends the connection for our part, with `last` if given, and reads on for as long as its client goes on sending. */
export function endAndLinger(socket: Connection, last?: string): void {
  if (socket.lingers) return;
  socket.lingers = true;
  if (last === undefined) socket.end();
  else socket.end(last);
  socket.resume();
  let seen = socket.bytesRead;
  let steps = 0;
  const look = setInterval(() => {
    steps += 1;
    if (socket.bytesRead === seen || steps === LINGER_STEPS) socket.destroy();
    seen = socket.bytesRead;
  }, LINGER_STEP_MS).unref();
  socket.once('close', () => clearInterval(look));
}

/** What takes the place of `socket.destroySoon`, by which Node closes a connection after its last answer. */
export function destroySoon(this: Connection): void {
  const { incoming } = this.parser ?? {};
  if (this.pipelined || (incoming && !incoming.complete)) endAndLinger(this);
  else nativeDestroySoon.call(this);
}

const nativeDestroySoon = (Socket.prototype as unknown as { destroySoon: (this: Socket) => void })
  .destroySoon;

/**
 * The client has sent its FIN while an answer is owed to it: it may want the answer, or have gone. Only data tells: a
 * client that has gone answers it with a reset, which the next write finds. So what is sure to come is written ahead:
 * the beginning that every answer has, or, between two chunks, a zero before the length of the next.
 * @param startedAt when the request of the answer came, in ms of `performance.now()`
 */
export function halfClosed(socket: Connection, startedAt: number): void {
  const answer = socket._httpMessage;
  if (!answer || socket.refused || !socket.writable || answer.writableEnded) return;
  const canProbe = !answer._headerSent || answer.chunkedEncoding;
  if (canProbe || performance.now() - startedAt <= TOGETHER_MS) probe(socket, answer, 0);
  else socket.end();
}

function probe(socket: Connection, answer: Answer, times: number): void {
  if (socket.destroyed || !socket.writable || answer.writableEnded || socket._httpMessage !== answer) return;
  if (!answer._headerSent) begin(socket, answer, PIECES[times] ?? '');
  else if (answer.chunkedEncoding) socket.write('0');
  const [now = 0, next] = PROBES_MS.slice(times);
  if (next === undefined) socket.setKeepAlive(true, KEEP_ALIVE_MS);
  else setTimeout(probe, next - now, socket, answer, times + 1).unref();
}

function begin(socket: Connection, answer: Answer, piece: string): void {
  if (answer.begun === undefined) muteInterim(answer); // one would come in the midst of the answer
  // The pieces are written one by one and in order; a head that is made already loses the piece now.
  answer.begun = (answer.begun ?? 0) + piece.length;
  if (answer._header) answer._header = answer._header.slice(piece.length);
  socket.write(piece, 'latin1');
}

/** From now on the app's interim answers go nowhere. */
export function muteInterim(answer: Answer): void {
  const nothing = (...rest: unknown[]): void => callBack(rest, undefined);
  Object.assign(answer, { writeContinue: nothing, writeProcessing: nothing });
  Object.assign(answer, { writeEarlyHints: nothing, writeInformation: nothing });
}

/** The rest of an answer's head or text, of which the beginning may be out. */
export const unsaid = ({ begun = 0 }: Answer, text: string): string => text.slice(begun);

/** Calls the function among the arguments of a write, as Node does: later, with the error if there is one. */
export function callBack(rest: readonly unknown[], error: Error | undefined): void {
  const callback = rest.find((argument) => typeof argument === 'function');
  if (callback) process.nextTick(callback as (error?: Error) => void, error);
}
