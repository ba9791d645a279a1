// fastify in one process, its logger off as by default.
const fastify = require('fastify')();

fastify.get('/', (_req, reply) => {
  reply.header('Content-Type', 'text/html; charset=utf-8').send('Hello, World!');
});
fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => fastify.close().then(() => process.exit()));
