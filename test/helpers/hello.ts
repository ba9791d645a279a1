// What Hello's own answers look like.

import { expect } from 'chai';
import type { Answer } from './raw.ts';

export const HELLO = 'Hello, World!';
const IMF_DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Fails unless it is Hello's answer to everything but `/health`. */
export function expectHello({ status, headers, body }: Answer, expectedBody = HELLO): void {
  expect({ status, body }).to.deep.equal({ status: 200, body: expectedBody });
  expect(headers).to.include({
    server: 'hello-server',
    'content-type': 'text/html; charset=utf-8',
    'content-length': '13',
  });
  expect(headers.date).to.match(IMF_DATE);
}

/** Fails unless it is Hello's answer to a health check; returns the uptime it says. */
export function expectHealth({ status, headers, body }: Answer, said: 'healthy' | 'stopping'): number {
  expect(status).to.equal(said === 'healthy' ? 200 : 503);
  expect(headers).to.include({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    server: 'hello-server',
  });
  expect(headers['content-length']).to.equal(String(body.length));
  expect(body).to.match(new RegExp(`^{"status":"${said}","uptime":\\d+(\\.\\d{1,3})?}$`));
  const { uptime } = JSON.parse(body) as { uptime: number };
  expect(uptime).to.be.above(0);
  return uptime;
}
