import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { streamText } from 'hono/streaming';

const app = new Hono();
app.get('/', (c) => c.text(`Hello ${process.pid}`));
app.get('/wait', async (c) => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return c.text('waited');
});
app.get('/boom', () => {
  throw new Error('boom');
});
app.post('/echo', async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)));
app.get('/stream', (c) =>
  streamText(c, async (stream) => {
    for (const piece of ['0 ', '1 ', 'end']) {
      await stream.write(piece);
      await stream.sleep(50);
    }
  }),
);

serve({ fetch: app.fetch, port: Number(process.env.PORT || 3000) });

export { app };
