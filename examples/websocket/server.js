// A WebSocket server by ws: each message comes back, with the generation of the worker that had it.

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const generation = process.env.HELLO_SERVER_GENERATION ?? 'none';

const server = createServer((_request, response) => {
  response.end('Hello from ws: connect with a WebSocket\n');
});

new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send(`generation ${generation}: ${message}`));
});

server.listen(process.env.PORT ?? 3000);
