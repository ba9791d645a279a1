// An Express app on PostgreSQL: each worker has a pool of its own, opened before it takes traffic and ended when it has drained.

import express from 'express';
import { Pool } from 'pg';

// Where the database is, and who asks, stand in PGHOST, PGUSER, PGPASSWORD and PGDATABASE.
const pool = new Pool({ max: 5, application_name: 'hello-server-example' });
// A connection that the database ends while nobody uses it, when it restarts say, is replaced and costs no more than this line.
pool.on('error', ({ message }) => console.error(`database: ${message}`));

/** Is awaited before this worker takes traffic: where the database does not answer, a reload keeps the old workers. */
export async function ready() {
  await pool.query('select from visits limit 1');
}

/** Is awaited when the last answer has gone. */
export async function close() {
  await pool.end();
}

const app = express();

app.get('/', async (_request, response) => {
  const { rows } = await pool.query('insert into visits default values returning id');
  response.type('text').send(`Hello, visitor ${rows[0].id}\n`);
});

app.get('/report', async (_request, response) => {
  const { rows } = await pool.query('select count(*) as visits from visits, pg_sleep(1)');
  response.json(rows[0]);
});

app.listen(process.env.PORT ?? 3000);
