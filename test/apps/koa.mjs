import { PassThrough } from 'node:stream';
import Koa from 'koa';

const app = new Koa();
app.silent = true;
app.use(async (ctx) => {
  const { path } = ctx;
  if (path === '/wait') await new Promise((resolve) => setTimeout(resolve, 500));
  if (path === '/boom') throw new Error('boom');
  if (path === '/echo') {
    let length = 0;
    for await (const chunk of ctx.req) length += chunk.length;
    ctx.body = String(length);
  } else if (path === '/stream') {
    const body = new PassThrough();
    ctx.body = body;
    for (let i = 0; i < 3; i++) setTimeout(() => (i < 2 ? body.write(`${i} `) : body.end('end')), 50 * i);
  } else ctx.body = path === '/wait' ? 'waited' : `Hello ${process.pid}`;
});
app.listen(process.env.PORT || 3000);
