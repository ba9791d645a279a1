// The example on a real PostgreSQL: its pools are bounded and end with their workers, and what a worker asks of the database
// is answered, in a reload and in a stop.

import { expect } from 'chai';
import { type Example, Examples } from '../helpers/example.ts';
import { KINDS, Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { Postgres } from '../helpers/postgres.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually, type Running } from '../helpers/server.ts';

const WORKERS = 2;
/** Connections that a worker's pool may have, as the example says. */
const POOL = 5;

describe('the example database', function () {
  this.timeout(60_000);
  let examples: Examples;
  let example: Example;
  let database: Postgres;
  before(async () => {
    examples = new Examples();
    database = await Postgres.start();
    example = await examples.install('database', database.env);
  });
  after(async () => {
    await database.stop();
    examples.remove();
  });

  /** Stops it, and expects that each worker has ended its pool, where a process that merely exits cuts it off. */
  const stop = async (server: Running): Promise<void> => {
    await example.stop(server);
    expect(connections()).to.equal(0);
    expect(database.log).not.to.match(/unexpected EOF on client connection|could not receive data/);
  };
  const connections = (and = 'true'): number =>
    Number(
      database.query(
        `select count(*) from pg_stat_activity where application_name = 'hello-server-example' and ${and}`,
      ),
    );
  const serve = (): Promise<Running> => example.serve({ WEB_CONCURRENCY: String(WORKERS) });
  /** Asks for as many reports as the pools have connections; resolves when the database is at all of them. */
  const reports = async ({ port }: Running, count: number): Promise<Raw[]> => {
    const raws = await Promise.all(Array.from({ length: count }, () => Raw.open(port)));
    for (const raw of raws) raw.send(request('GET', '/report'));
    await eventually(
      () => connections(`query like '%pg_sleep%' and state = 'active'`) > 0,
      'reports are made',
    );
    return raws;
  };
  const statuses = (raws: readonly Raw[]): Promise<number[]> =>
    Promise.all(raws.map(async (raw) => (await raw.answer(15_000)).status));

  it('has a pool in each worker, in a reload two generations of them, and none after a stop', async () => {
    const server = await serve();
    expect(connections()).to.be.within(WORKERS, WORKERS * POOL);
    const before = Number(database.query('select count(*) from visits'));
    const meter = new Meter(
      server.port,
      KINDS.filter(({ bodyBytes }) => bodyBytes === 0),
    );
    await eventually(() => meter.tally.ok > 300, 'load');
    expect(connections()).to.be.within(WORKERS, WORKERS * POOL);

    let most = 0;
    const reload = { ended: false };
    const reloaded = example.reload(server).finally(() => {
      reload.ended = true;
    });
    await eventually(() => {
      most = Math.max(most, connections());
      return reload.ended;
    }, 'the reload is over');
    await reloaded;
    expect(most).to.be.within(WORKERS, 2 * WORKERS * POOL);

    const { ok, ...lost } = await meter.stop();
    expect(lost).to.deep.equal(NOTHING_LOST);
    expect(Number(database.query('select count(*) from visits')) - before).to.equal(ok);
    await eventually(() => connections() <= WORKERS * POOL, 'the replaced workers have ended their pools');
    await stop(server);
    expect(server.err).to.equal('');
  });

  it('answers the reports that are being made when it is reloaded', async () => {
    const server = await serve();
    const raws = await reports(server, WORKERS * POOL);
    await example.reload(server);
    expect(await statuses(raws)).to.deep.equal(raws.map(() => 200));
    await stop(server);
  });

  it('answers the reports that are being made when it is stopped', async () => {
    const server = await serve();
    const raws = await reports(server, WORKERS * POOL);
    const answered = statuses(raws);
    await stop(server);
    expect(await answered).to.deep.equal(raws.map(() => 200));
  });

  it('keeps its old workers when the database does not answer the new ones', async () => {
    const server = await serve();
    await database.end();
    const reload = example.launch('npx hello-server reload', { PORT: String(server.port) });
    expect((await reload.end()).code).to.equal(1);
    expect(reload.err).to.match(/^reload abandoned: .*\n$/);
    expect(server.err).to.match(/^database: /m);
    await database.run();
    const raw = await Raw.open(server.port);
    expect((await raw.send(request('GET', '/')).answer()).status).to.equal(200);
    raw.destroy();
    await example.stop(server);
  });
});
