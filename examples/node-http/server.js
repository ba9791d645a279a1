// A server as `node server.js` runs it, too: it listens itself.

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`Hello from node:http, you asked for ${request.url}\n`);
});

server.listen(process.env.PORT ?? 3000);
