// Server-sent events: an event each second at /events, and a page that shows them.

import { createServer } from 'node:http';

const generation = process.env.HELLO_SERVER_GENERATION ?? 'none';

const page = `<!doctype html>
<title>Server-sent events</title>
<h1>Hello from an event stream</h1>
<pre></pre>
<script>
  // An EventSource comes back by itself when the server ends the stream, and says which event it had last.
  new EventSource('/events').onmessage = ({ data }) => document.querySelector('pre').append(data + '\\n');
</script>
`;

function stream(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let id = Number(request.headers['last-event-id'] ?? 0);
  const send = () => {
    id += 1;
    response.write(`id: ${id}\nretry: 500\ndata: event ${id} of generation ${generation}\n\n`);
  };
  send();
  const timer = setInterval(send, 1000);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  if (request.url === '/events') stream(request, response);
  else response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
});

server.listen(process.env.PORT ?? 3000);
