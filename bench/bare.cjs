// The three-line server, in one process or, with WORKERS, under node:cluster's defaults.
const cluster = require('node:cluster');
const http = require('node:http');

const workers = Number(process.env.WORKERS);
if (cluster.isPrimary && workers > 0) {
  for (let i = 0; i < workers; i++) cluster.fork();
  process.on('SIGTERM', () => cluster.disconnect(() => process.exit()));
} else http.createServer((_req, res) => res.end('Hello, World!')).listen(process.env.PORT);
