import { PassThrough } from 'node:stream';
import Fastify from 'fastify';

const app = Fastify({ bodyLimit: 10_000_000 });
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_req, body, done) => done(null, body));
app.get('/', async () => `Hello ${process.pid}`);
app.get('/wait', async () => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return 'waited';
});
app.get('/boom', async () => {
  throw new Error('boom');
});
app.post('/echo', async (req) => String(req.body.length));
app.get('/stream', (_req, reply) => {
  const body = new PassThrough();
  for (let i = 0; i < 3; i++) setTimeout(() => (i < 2 ? body.write(`${i} `) : body.end('end')), 50 * i);
  return reply.send(body);
});

try {
  await app.listen({ port: process.env.PORT || 3000, host: process.env.BIND });
} catch (error) {
  app.log.error(error);
  process.exit(1);
}
