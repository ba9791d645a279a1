import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer((_req, res) => res.end(`Hello ${process.pid}`));
const io = new Server(server, { transports: ['websocket'] });
io.on('connection', (socket) => socket.on('message', (text, reply) => reply(`${process.pid} ${text}`)));
server.listen(process.env.PORT || 3000);
