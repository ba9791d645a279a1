// Requests as text, right and wrong, put together from the part that a test is about.

import { request } from './raw.ts';

export const startLine = (line: string): string => `${line}\r\nHost: localhost\r\n\r\n`;
export const target = (text: string): string => startLine(`GET ${text} HTTP/1.1`);
export const headers = (...fields: string[]): string =>
  `GET / HTTP/1.1\r\n${[...fields, ''].join('\r\n')}\r\n`;
export const field = (line: string): string => headers('Host: localhost', line);
export const chunked = (body: string): string =>
  `${request('POST', '/', 'Transfer-Encoding: chunked')}${body}`;

/** A line of the request log that no client may get into it. */
export const FORGED = '2024-01-01T12:00:00.000Z - GET /forged';

/** Requests of clients who would break or forge a line of the log; each is answered or refused. */
export const NASTY: readonly string[] = [
  target(`/%0d%0a${encodeURIComponent(FORGED)}`),
  target(`/\r\n${FORGED}\r\n`),
  target(`/\n${FORGED}\n`),
  target(`/\x1b[2J\x85${FORGED}`),
  target(`/${'"\\'.repeat(300)}`.replaceAll('\\', '%5c')),
  target(`/${'a'.repeat(15_000)}`),
  field(`X-Forwarded-For: ::1\r\nX-Forwarded-For: "},{"level":"fatal\\`),
  field(`User-Agent: \x85\xff\xad "\\" ${'\xe9'.repeat(8000)}`),
  field('User-Agent: \t\x80\x9b31m\x9f'),
  `${FORGED}\r\n\r\n`,
  `${FORGED} HTTP/1.1\n\n`,
];
