import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_req, res) => res.end(`Hello ${process.pid}`));
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (data) => socket.send(`${process.pid} ${data}`));
});
server.listen(process.env.PORT || 3000);
