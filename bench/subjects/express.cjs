// Express, one route. Its end on SIGINT is as the documentation of pm2 shows.
const app = require('express')();

app.all('/', (_req, res) => res.type('html').send('Hello, World!'));
const server = app.listen(process.env.PORT);
process.on('SIGINT', () => server.close(() => process.exit()));
