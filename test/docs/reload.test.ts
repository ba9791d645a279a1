// docs/reload.md: its commands run under load, and what it shows is what is printed.

import { expect } from 'chai';
import { block, exchanges, hasShape } from '../helpers/manual.ts';
import { KINDS, Meter } from '../helpers/meter.ts';
import { get } from '../helpers/raw.ts';
import { losingNothing } from '../helpers/reload.ts';
import { eventually, type Running } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';
import { otherNode } from '../helpers/upgrade.ts';

const START = 'npx hello-server ./server.js';
const QUICK = KINDS.filter(({ thinkMs, bodyBytes }) => thinkMs < 1000 && bodyBytes === 0);
/** So few that the figures of a verdict are below a thousand, as the page shows them. */
const FEW = [{ name: 'fresh connection', clients: 6, thinkMs: 100, fresh: true, bodyBytes: 0 }];
const NODE = Number(process.versions.node.split('.')[0]);

/** An app that answers with a status, or `broken`, which serves nothing. */
const says = (status: number): string =>
  `export default (req, res) => res.writeHead(${status}).end('${status}');\n`;
const broken = 'export default 42;\n';

describe('docs/reload.md', () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
    shop.write('server.js', says(200));
  });
  afterEach(() => shop.remove());

  const started = (line: string, env: Readonly<Record<string, string>> = {}): Promise<Running> =>
    shop.serve(line, { ACCESS_LOG: 'false', DRAIN_TIMEOUT: '2', ...env });
  const at = ({ port }: Running): Readonly<Record<string, string>> => ({ PORT: String(port) });
  const reloaded = async (server: Running): Promise<void> => {
    const { code, out } = await shop.run(block('docs/reload.md#reload'), at(server));
    expect(code, out).to.equal(0);
  };
  const answer = async (server: Running): Promise<string> => (await get(server)).body;

  it('has a command that reads new code, loses nothing, and prints what is shown', async () => {
    // Long enough for the new workers to have told what they were asked.
    const server = await started(START, { WEB_CONCURRENCY: '4', SETTLE_TIME: '3' });
    await losingNothing(
      server,
      async () => {
        const { code } = await shop.shows(block('docs/reload.md#reload:3'), at(server));
        expect(code).to.equal(0);
      },
      QUICK,
    );
    shop.write('server.js', says(201));
    await reloaded(server);
    await eventually(async () => (await answer(server)) === '201', 'the new code answers');
    await shop.stop(server);
  });

  it('has a signal that does the same', async () => {
    const server = await started(START);
    const line = block('docs/reload.md#reload:2').replace('PID', String(await shop.primary(server)));
    expect((await shop.run(line)).code).to.equal(0);
    await server.says(/^reloaded: generation 2 serves/m);
    await shop.stop(server);
  });

  it('shows what is said of new code that does not start, and the exit code', async () => {
    const server = await started(START);
    shop.write('server.js', broken);
    await shop.shows(block('docs/reload.md#when-the-new-code-does-not-start'), at(server));
    expect(await answer(server)).to.equal('200');
    await shop.stop(server);
  });

  it('shows what is said of new code that answers with errors to a canary, and how to have it all the same', async () => {
    const server = await started(block('docs/reload.md#canary'), { WEB_CONCURRENCY: '3' });
    const meter = new Meter(server.port, FEW);
    await eventually(() => meter.tally.ok > 30, 'load');
    shop.write('server.js', says(500));
    const { code } = await shop.shows(block('docs/reload.md#canary:2'), at(server));
    expect(code).to.equal(1);
    await meter.stop();
    await shop.stop(server);
  });

  it('has a command that passes over the verdict, which there is without a canary, too, in a long SETTLE_TIME', async () => {
    const server = await started(START, { SETTLE_TIME: '8' });
    const meter = new Meter(server.port, QUICK);
    const rate = async (): Promise<number> =>
      JSON.parse((await shop.run('npx hello-server status --json', at(server))).out).now.requestsPerSecond;
    await eventually(async () => (await rate()) > 100, 'the server knows how the old version answers');
    shop.write('server.js', says(500));
    const taken = await shop.run('npx hello-server reload', at(server));
    expect(taken.code, taken.out).to.equal(1);
    expect((await shop.run(block('docs/reload.md#canary:3'), at(server))).code).to.equal(0);
    await meter.stop();
    expect(await answer(server)).to.equal('500');
    await shop.stop(server);
  });

  it('has a setting and a command by which the generation before comes back, as is shown', async () => {
    const server = await started(block('docs/reload.md#rollback'));
    shop.write('server.js', says(201));
    await reloaded(server);
    const { code } = await shop.shows(block('docs/reload.md#rollback:2'), at(server));
    expect(code).to.equal(0);
    expect(await answer(server)).to.equal('200');
    await shop.stop(server);
  });

  it('has a command that renews the primary, and shows what it prints for another Node', async () => {
    const server = await started(START, { WEB_CONCURRENCY: '4' });
    const { code, out } = await shop.run(block('docs/reload.md#upgrade'), at(server));
    expect(code, out).to.equal(0);
    const [{ command = '', output = '' } = {}] = exchanges(block('docs/reload.md#upgrade:2'));
    const line = command.replace(/--node \S+/, `--node '${otherNode(NODE === 24 ? 26 : 24)}'`);
    const other = await shop.run(line, at(server));
    expect(other.code, other.out).to.equal(0);
    // Workers are told of one by one, as in a reload.
    const printed = other.out.replace(/^worker .*\n/gm, '');
    expect(hasShape(printed, output), printed).to.equal(true);
    expect(await answer(server)).to.equal('200');
    await shop.run('npx hello-server stop', at(server));
    await server.end();
  });
});
