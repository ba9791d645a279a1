// What an error answer looks like to the byte, its date and the order of its headers apart.

import { STATUS_CODES } from 'node:http';
import { expect } from 'chai';

/** Fails unless `text` is one whole error answer of the server's own and nothing more. */
export function expectErrorAnswer(text: string, status: 400 | 408 | 431 | 500): void {
  const words = STATUS_CODES[status] ?? '';
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine, ...headers] = head.split('\r\n');
  expect({
    statusLine,
    headers: headers
      .map((line) => line.replace(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, 'Date'))
      .sort(),
    body: rest.join('\r\n\r\n'),
  }).to.deep.equal({
    statusLine: `HTTP/1.1 ${status} ${words}`,
    headers: [
      'Connection: close',
      `Content-Length: ${words.length}`,
      'Content-Type: text/html; charset=utf-8',
      'Date',
      'Server: hello-server',
    ],
    body: words,
  });
}
