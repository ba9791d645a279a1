// The Express tutorial, with the routes that the tests ask for.
import express from 'express';

const app = express();
const port = process.env.PORT || 3000;

app.get('/', (_req, res) => res.send(`Hello ${process.pid}`));
app.get('/wait', (_req, res) => setTimeout(() => res.send('waited'), 500));
app.get('/boom', () => {
  throw new Error('boom');
});
app.post('/echo', express.raw({ type: () => true, limit: '10mb' }), (req, res) =>
  res.send(String(req.body.length)),
);
app.get('/stream', (_req, res) => {
  for (let i = 0; i < 3; i++) setTimeout(() => (i < 2 ? res.write(`${i} `) : res.end('end')), 50 * i);
});

app.listen(port, () => console.log(`app: listening on ${port}`));
