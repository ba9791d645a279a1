// A Koa app that listens itself, with a middleware that measures each request.

import Koa from 'koa';

const app = new Koa();

app.use(async (context, next) => {
  const began = performance.now();
  await next();
  context.set('Server-Timing', `app;dur=${(performance.now() - began).toFixed(1)}`);
});

app.use((context) => {
  context.body = 'Hello from Koa\n';
});

app.listen(process.env.PORT ?? 3000);
