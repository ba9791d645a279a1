// A Hono app as its default export, an object with `fetch`: the same file runs on Bun, Deno and Workers.

import { Hono } from 'hono';

const app = new Hono();

app.get('/', (context) => context.text('Hello from Hono\n'));

app.get('/teas/:name', (context) => context.json({ tea: context.req.param('name') }));

export default app;
