// docs/observability.md: its commands show what it says, and its apps are seen as it says. Its tables are compared with what
// is served in test/deploy/observability.test.ts.

import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { SPAN_SECONDS } from '../../src/page/series.ts';
import { runCurl } from '../helpers/curl.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, exchanges, expectShape, page, rowsBelow } from '../helpers/manual.ts';
import { get } from '../helpers/raw.ts';
import { samplesAt } from '../helpers/seen.ts';
import { eventually, ROOT, type Running } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const PAGE = 'docs/observability.md';
const TEA = "export default (req, res) => res.end('Tea');\n";

describe(PAGE, () => {
  let shop: Shop;
  let admin: number;
  beforeEach(async () => {
    shop = new Shop();
    admin = await freePort();
  });
  afterEach(() => shop.remove());

  /** The app of the project, by the page's command, whose port of the admin listener is one that is free. */
  const serve = (): Promise<Running> =>
    shop.serve(block('docs/observability.md#switch-it-on').replace('9464', String(admin)), {
      WEB_CONCURRENCY: '4',
    });
  const at = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${admin}${path}`);
  const answers = async (text: string): Promise<void> => {
    for (const { printed, shown } of await runCurl(text, admin)) expectShape(printed, shown);
  };

  it('has a command that opens the admin listener, with all that it lists', async () => {
    const server = await serve();
    const types: Record<string, string> = {};
    for (const [path = ''] of rowsBelow(PAGE, 'switch-it-on')) {
      const { status, headers } = await at(path);
      expect(status, path).to.equal(200);
      types[path] = (headers.get('content-type') ?? '').split(';')[0] ?? '';
    }
    expect(types).to.deep.equal({
      '/': 'text/html',
      '/metrics': 'text/plain',
      '/livez': 'application/json',
      '/readyz': 'application/json',
      '/status': 'application/json',
    });
    await answers(block('docs/observability.md#health'));
    await shop.stop(server);
  });

  it('has commands that need no admin listener', async () => {
    const server = await shop.serve('npx hello-server ./server.js');
    await get(server, '/');
    const said: string[] = [];
    for (const { command } of exchanges(block('docs/observability.md#from-a-shell'))) {
      const { code, out } = await shop.run(command, { PORT: String(server.port) });
      expect(code, `${command}\n${out}`).to.equal(0);
      said.push(out);
    }
    const [status, top, metrics] = said;
    expect(status).to.match(/^hello-server \S+ running on port \d+: 2 of 2 workers ready/);
    expect(top).to.equal('no requests in flight\n');
    expect(metrics).to.match(/^http_requests_total\{code="2xx"\} \d+$/m);
    await shop.stop(server);
  });

  it('has an export by which an app says that it is unwell, and shows who is told', async () => {
    const database =
      "const ping = () => { throw new Error('connect ECONNREFUSED 127.0.0.1:5432'); };\nconst database = { ping };\n";
    shop.write('server.js', database + block('docs/observability.md#health:2') + TEA);
    const server = await serve();
    await answers(block('docs/observability.md#health:3'));
    expect((await at('/readyz')).status).to.equal(503);
    expect((await at('/livez')).status).to.equal(200);
    expect((await shop.run('npx hello-server status', { PORT: String(server.port) })).out).to.include(
      'unwell: connect ECONNREFUSED 127.0.0.1:5432',
    );
    await shop.stop(server);
  });

  it('has an export by which an app counts, in all of its workers', async () => {
    symlinkSync(join(ROOT, 'node_modules', 'prom-client'), join(shop.folder, 'node_modules', 'prom-client'));
    const counts =
      "export default (req, res) => {\n  orders.inc({ kind: 'tea' });\n  res.end(String(process.pid));\n};\n";
    shop.write('server.js', block('docs/observability.md#metrics-of-the-app') + counts);
    const server = await serve();
    const pids = new Set<string>();
    let asked = 0;
    await eventually(async () => {
      pids.add((await get(server, '/')).body);
      asked += 1;
      return pids.size > 1;
    }, 'two workers have answered');
    const samples = await samplesAt(`http://127.0.0.1:${admin}`);
    expect(samples.get('orders_total{kind="tea"}')).to.equal(asked);
    await shop.stop(server);
  });

  it('has a configuration of Prometheus that is the beginning of the delivered one', () => {
    const shown = parse(block('docs/observability.md#prometheus'));
    const { scrape_configs } = parse(page('deploy/prometheus.yaml'));
    expect(shown).to.deep.equal({ scrape_configs });
  });

  it('says how far the plots go back', () => {
    expect(page(PAGE)).to.include(`The plots go back ${SPAN_SECONDS / 60} minutes.`);
  });
});
