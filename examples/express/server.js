// An Express app that listens itself, as most do.

import express from 'express';

const app = express();
app.use(express.json());

app.get('/', (_request, response) => {
  response.type('text').send('Hello from Express\n');
});

app.post('/orders', (request, response) => {
  response.status(201).json({ ordered: request.body });
});

app.listen(process.env.PORT ?? 3000);
