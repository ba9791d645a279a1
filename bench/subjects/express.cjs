// Express, one route.
const app = require('express')();

app.get('/', (_req, res) => res.type('html').send('Hello, World!'));
app.listen(process.env.PORT);
