// A control server that answers what a test says, in the place of a running primary.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** What it answers, by path: an object as JSON, a text as it is; 404 to all else. */
export type Answers = Readonly<Record<string, () => unknown>>;

/** Listens at `path`, a Unix socket. */
export async function fakeControl(path: string, answers: Answers): Promise<Server> {
  const server = createServer((req, res) => {
    const answer = answers[req.url ?? '']?.();
    res.setHeader('Connection', 'close');
    if (answer === undefined) res.writeHead(404).end('{"error":"no such route"}\n');
    else res.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

/** Ends it and all its connections, as the end of a primary does. */
export async function endControl(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
