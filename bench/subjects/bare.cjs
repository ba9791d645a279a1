// The three-line server, or the APP that listens itself, in one process or, with WORKERS, under node:cluster's defaults.
const cluster = require('node:cluster');
const http = require('node:http');

const { APP, WORKERS, PORT, KEEP_ALIVE_MS } = process.env;
if (cluster.isPrimary && Number(WORKERS) > 0) {
  let listening = 0;
  cluster.on('listening', () => ++listening === Number(WORKERS) && console.log('all listen'));
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork();
  process.on('SIGTERM', () => cluster.disconnect(() => process.exit()));
} else if (APP) {
  require(APP);
} else {
  const server = http.createServer((_req, res) => res.end('Hello, World!')).listen(PORT);
  if (KEEP_ALIVE_MS) server.keepAliveTimeout = Number(KEEP_ALIVE_MS);
}
