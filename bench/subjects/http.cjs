// What pm2 and Watt run: it ends on SIGINT as the documentation of pm2 shows, after its requests.
const http = require('node:http');

const HEADERS = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': 13 };
// For the question how soon a new worker serves.
if (process.env.TELL_PID) HEADERS.Worker = process.pid;

const server = http
  .createServer((_req, res) => res.writeHead(200, HEADERS).end('Hello, World!'))
  .listen(process.env.PORT);
process.on('SIGINT', () => server.close(() => process.exit()));
