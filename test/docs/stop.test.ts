// docs/stop.md: its commands stop a server, which answers what is in flight and says what is shown.

import { expect } from 'chai';
import { DEFAULTS } from '../../src/core/config.ts';
import { SAME_SIGNAL_MS } from '../../src/core/deadlines.ts';
import { block, page, shapeOf } from '../helpers/manual.ts';
import { Raw, request } from '../helpers/raw.ts';
import { eventually, eventuallyReceived, type Running, serve, stays } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const CLEAN = { code: 0, signal: null };
/** An app that answers when half a second is over, or never. */
const SLOW = "export default (req, res) => req.url === '/' && setTimeout(() => res.end('Tea'), 500);\n";

describe('docs/stop.md', () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
    shop.write('server.js', SLOW);
  });
  afterEach(() => shop.remove());

  /** Serves the app; both outputs are in `out`, in their order. */
  const started = (env: Readonly<Record<string, string>> = {}): Promise<Running> =>
    serve({
      cwd: shop.folder,
      args: ['./server.js'],
      env: { ACCESS_LOG: 'false', ...env },
      under: ['sh', '-c', 'exec "$@" 2>&1', 'sh'],
    });
  const inFlight = async (server: Running, path: string): Promise<Raw> => {
    const raw = (await Raw.open(server.port)).send(request('GET', path));
    await eventuallyReceived(server, raw);
    return raw;
  };
  /** What the server has said since it serves. */
  const lastLines = ({ out }: Running): string => out.slice(out.indexOf('Received'));

  it('has a command that returns when all is gone, and a request in flight is answered', async () => {
    const server = await started();
    const raw = await inFlight(server, '/');
    const { code, out } = await shop.run(block('docs/stop.md#stopping'), { PORT: String(server.port) });
    expect(code, out).to.equal(0);
    expect(server.pids()).to.deep.equal([]);
    expect((await raw.answer()).body).to.equal('Tea');
    expect(await server.end()).to.deep.equal(CLEAN);
    expect(lastLines(server)).to.equal(
      block('docs/stop.md#stopping:3').replace('Received SIGTERM', 'Received stop'),
    );
  });

  it('has a signal that does the same, and shows what the log says of it', async () => {
    const server = await started();
    const raw = await inFlight(server, '/');
    const line = block('docs/stop.md#stopping:2').replace('PID', String(server.pid));
    expect((await shop.run(line)).code).to.equal(0);
    expect((await raw.answer()).body).to.equal('Tea');
    expect(await server.end()).to.deep.equal(CLEAN);
    expect(lastLines(server)).to.equal(block('docs/stop.md#stopping:3'));
  });

  it('shows what a second signal does', async () => {
    const shown = block('docs/stop.md#a-second-signal');
    const [first = ''] = shown.split('\n');
    const server = await started({ WEB_CONCURRENCY: '1' });
    await inFlight(server, '/never');
    server.signal('SIGTERM');
    await eventually(() => server.out.includes(first), first);
    await stays(() => server.child.exitCode === null, 'it drains', SAME_SIGNAL_MS + 100);
    server.signal('SIGTERM');
    expect(await server.endOfStop(0)).to.deep.equal({ code: 143, signal: null });
    expect(shapeOf(lastLines(server))).to.equal(shapeOf(shown));
  });

  it('names the defaults of the deadlines', () => {
    for (const name of ['SHUTDOWN_DELAY', 'SHUTDOWN_TIMEOUT'] as const)
      expect(page('docs/stop.md')).to.include(`\`${name}\`, ${DEFAULTS[name]} s if you say nothing`);
  });
});
