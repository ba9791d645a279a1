// fastify, its logger off as by default. Its end is as its documentation shows.
const fastify = require('fastify')();

const handler = (_req, reply) => {
  reply.header('Content-Type', 'text/html; charset=utf-8').send('Hello, World!');
};
fastify.get('/', handler);
fastify.post('/', handler);
// The meter posts without a type.
fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_req, body, done) => done(null, body));
fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => fastify.close().then(() => process.exit()));
