// The image's HEALTHCHECK: is the server ready? The admin listener knows (ADMIN_PORT); without one /health is asked, and
// an app that has no such path answers 404 and is healthy.

import { get } from 'node:http';

const TIMEOUT_MS = 4000;
/** The address at which a server that listens on all addresses is asked. */
const LOOPBACK = { '0.0.0.0': '127.0.0.1', '::': '::1' };

const unhealthy = (reason) => {
  console.error(reason);
  process.exit(1);
};

const { ADMIN_PORT, ADMIN_HOST, PORT, HOST } = process.env;
const [host, port, path] = ADMIN_PORT
  ? [ADMIN_HOST || '127.0.0.1', ADMIN_PORT, '/readyz']
  : [HOST || '127.0.0.1', PORT || 3000, '/health'];

get({ host: LOOPBACK[host] ?? host, port, path, agent: false, timeout: TIMEOUT_MS }, (res) => {
  if (res.statusCode >= 500) unhealthy(`${path} answered ${res.statusCode}`);
  console.log(`${path} answered ${res.statusCode}`);
  process.exit(0);
})
  .on('timeout', () => unhealthy(`${path} did not answer within ${TIMEOUT_MS / 1000} s`))
  .on('error', (error) => unhealthy(`${path} cannot be asked: ${error.message}`));
