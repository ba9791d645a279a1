// The image's HEALTHCHECK: does the server answer /health? An app that has no such path answers 404 and is healthy.

import { get } from 'node:http';

const TIMEOUT_MS = 4000;

const unhealthy = (reason) => {
  console.error(reason);
  process.exit(1);
};

const host = process.env.HOST || '127.0.0.1';
const port = process.env.PORT || 3000;
get({ host, port, path: '/health', agent: false, timeout: TIMEOUT_MS }, (res) => {
  if (res.statusCode >= 500) unhealthy(`/health answered ${res.statusCode}`);
  console.log(`/health answered ${res.statusCode}`);
  process.exit(0);
})
  .on('timeout', () => unhealthy(`/health did not answer within ${TIMEOUT_MS / 1000} s`))
  .on('error', (error) => unhealthy(`/health cannot be asked: ${error.message}`));
