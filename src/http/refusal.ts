// Error answers written straight to the socket: after the answers still owed on it, and so that a late app harms nobody.

import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import {
  ANSWER_BEGIN,
  type Answer,
  type Connection,
  callBack,
  endAndLinger,
  muteInterim,
  unsaid,
} from './connection.ts';

/** The statuses we answer with on our own. */
export type ErrorStatus = 400 | 408 | 431 | 500;

/** Body of an error answer: just the words. */
export const errorBody = (status: ErrorStatus): string => STATUS_CODES[status] as string;

/** Headers of an error answer. */
export const errorHeaders = (status: ErrorStatus): string[] => [
  'Server',
  'hello-server',
  'Content-Type',
  'text/html; charset=utf-8',
  'Content-Length',
  String(errorBody(status).length),
];

function rawAnswer(status: ErrorStatus): string {
  const words = errorBody(status);
  const headers = errorHeaders(status);
  const date = new Date().toUTCString();
  let head = `${ANSWER_BEGIN}${status} ${words}\r\nDate: ${date}\r\nConnection: close\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n${words}`;
}

/**
 * Ends a connection with an error answer, once all answers that are owed before it are out.
 * @param owed the answer it takes the place of; undefined where the parser raised it between requests
 * @param sent called when the answer is on its way
 */
export function refuse(
  socket: Connection,
  owed: Answer | undefined,
  status: ErrorStatus,
  sent: () => void,
): void {
  if (socket.refused) return;
  socket.refused = true;
  if (owed) mute(owed);
  const head = owed?.req.method === 'HEAD';
  const proceed = (): void => {
    if (socket.destroyed) return;
    const current = socket._httpMessage;
    if (current && current !== owed) {
      current.once('close', proceed);
      return;
    }
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const answer = rawAnswer(status);
    const text = head ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer;
    endAndLinger(socket, owed ? unsaid(owed, text) : text);
    sent();
  };
  proceed();
}

/** Ends a connection without a word once the answers owed on it are out; `begun`, the last of them, only if it is ended. */
export function cut(socket: Connection, begun: ServerResponse | undefined): void {
  socket.refused = true;
  const proceed = (): void => {
    const current = socket._httpMessage;
    if (current && (current !== begun || current.writableEnded)) current.once('close', proceed);
    else socket.destroy();
  };
  proceed();
}

/** From now on whatever the app does to its answer goes nowhere, and who waits for it is told so. */
export function mute(res: ServerResponse): void {
  const self = () => res;
  const lost = (...rest: unknown[]): void => {
    const error = new Error('The answer is over: its request timed out or failed');
    callBack(rest, Object.assign(error, { code: 'ERR_STREAM_DESTROYED' }));
  };
  Object.assign(res, {
    writeHead: self,
    setHeader: self,
    setHeaders: self,
    appendHeader: self,
    removeHeader: self,
  });
  const write = (...rest: unknown[]): boolean => {
    lost(...rest);
    return true;
  };
  const end = (...rest: unknown[]): ServerResponse => {
    lost(...rest);
    return res;
  };
  Object.assign(res, { write, end, flushHeaders: () => {} });
  muteInterim(res);
}
