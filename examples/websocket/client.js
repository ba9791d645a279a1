// A client that says something each second, and comes back when the server ends its connection: a reload closes it with 1001.

import { WebSocket } from 'ws';

function connect() {
  const socket = new WebSocket(`ws://localhost:${process.env.PORT ?? 3000}`);
  let timer;
  socket.on('open', () => {
    socket.send('tea');
    timer = setInterval(() => socket.send('tea'), 1000);
  });
  socket.on('message', (message) => console.log(String(message)));
  socket.on('error', () => {}); // where there is no connection, 'close' says so with 1006
  socket.on('close', (code) => {
    console.log(`closed with ${code}, connecting again`);
    clearInterval(timer);
    // Not at once, and not all clients in the same moment.
    setTimeout(connect, 100 + Math.random() * 400);
  });
}

connect();
