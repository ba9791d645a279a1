// A Fastify app that listens itself, with a hook that ends what it has opened.

import Fastify from 'fastify';

const app = Fastify();

app.get('/', async () => 'Hello from Fastify\n');

app.get('/teas/:name', async (request) => ({ tea: request.params.name }));

// The app's own shutdown is the answer to a signal, as without hello-server: it runs when this worker has drained.
process.once('SIGTERM', async () => {
  await app.close();
  console.log('Fastify closed');
});

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '::' });
