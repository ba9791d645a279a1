// One request on a connection of its own.

import { get } from 'node:http';

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

const REPLY_MS = 5000;

/** Asks a port of this machine, or a Unix socket; resolves with undefined when there was no whole answer within 5 s. */
export function ask(where: number | string, path = '/'): Promise<Reply | undefined> {
  const target = typeof where === 'number' ? { host: '127.0.0.1', port: where } : { socketPath: where };
  return new Promise((resolve) => {
    const none = (): void => resolve(undefined);
    const request = get({ ...target, path, agent: false, timeout: REPLY_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
      response.on('error', none);
    });
    request.on('error', none);
    request.on('timeout', () => request.destroy());
  });
}
