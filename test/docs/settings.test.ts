// docs/settings.md: its commands run with the settings that they give, and what it shows is what is printed.

import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { block } from '../helpers/manual.ts';
import { get } from '../helpers/raw.ts';
import { eventually, type Running } from '../helpers/server.ts';
import { Shop } from '../helpers/shop.ts';

const CLEAN = { code: 0, signal: null };
/** Says what it finds in its environment. */
const APP = 'export default (req, res) => res.end(process.env.GREETING);\n';
/** Nothing that would come before what stands in a command or a file. */
const NONE = { PORT: undefined, WEB_CONCURRENCY: undefined };

describe('docs/settings.md', () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
    shop.write('server.js', APP);
  });
  afterEach(() => shop.remove());

  /** The text with a port that is free in the place of the page's. */
  const onFreePort = async (text: string): Promise<[text: string, port: number]> => {
    const port = await freePort();
    expect(text).to.include('PORT=8080');
    return [text.replace('PORT=8080', `PORT=${port}`), port];
  };
  const fleet = async (server: Running): Promise<number> =>
    JSON.parse((await shop.run('npx hello-server status --json', { PORT: String(server.port) })).out).wanted;

  it('has a command that gives settings in the environment', async () => {
    const [line, port] = await onFreePort(block('docs/settings.md#in-the-environment'));
    const server = await shop.serve(line, { ...NONE, GREETING: 'Hello' });
    expect([server.port, await fleet(server)]).to.deep.equal([port, 4]);
    expect((await get(server)).body).to.equal('Hello');
    expect(await shop.stop(server)).to.deep.equal(CLEAN);
  });

  it('has a file that is read at the start and at each reload, and by the other commands', async () => {
    const [text, port] = await onFreePort(block('docs/settings.md#in-a-file'));
    shop.write('shop.env', text.replace('SHUTDOWN_DELAY=5', 'SHUTDOWN_DELAY=0.1'));
    const server = await shop.serve(block('docs/settings.md#in-a-file:2'), NONE);
    expect([server.port, await fleet(server)]).to.deep.equal([port, 4]);
    expect((await get(server)).body).to.equal('Good day');
    shop.write(
      'shop.env',
      text.replace('Good day', 'Good evening').replace('CONCURRENCY=4', 'CONCURRENCY=2'),
    );
    const { code, out } = await shop.run(block('docs/settings.md#in-a-file:3'), NONE);
    expect(code, out).to.equal(0);
    expect(out)
      .to.match(/^hello-server .* running on port \d+: 4 of 4 workers ready/m)
      .and.match(/^reloaded: generation 2 serves$/m);
    await eventually(async () => (await get(server)).body === 'Good evening', 'the new environment');
    expect(await fleet(server)).to.equal(2);
    await shop.run('npx hello-server stop', { PORT: String(port) });
    expect(await server.end()).to.deep.equal(CLEAN);
  });

  it('has a command that copies the file of all settings, by which a server starts', async () => {
    expect((await shop.run(block('docs/settings.md#in-a-file:4'))).code).to.equal(0);
    expect(shop.read('shop.env')).to.match(/^#PORT=3000$/m);
    const server = await shop.serve(block('docs/settings.md#in-a-file:2'));
    expect(await shop.stop(server)).to.deep.equal(CLEAN);
  });

  it('shows the warning of a reload that finds what it cannot change', async () => {
    const warning = block('docs/settings.md#what-a-reload-changes').trim();
    const port = await freePort();
    shop.write('shop.env', `PORT=${port}\n`);
    const server = await shop.serve(block('docs/settings.md#in-a-file:2'), { ...NONE, WEB_CONCURRENCY: '1' });
    shop.write('shop.env', `PORT=${port + 1}\nLOG_FORMAT=json\n`);
    expect((await shop.run('npx hello-server reload', { PORT: String(port) })).code).to.equal(0);
    expect(server.out.split('\n')).to.include(warning);
    expect(server.port).to.equal(port);
    await shop.stop(server);
  });

  it('shows the warning of a duration that may have been meant in milliseconds', async () => {
    const warning = block('docs/settings.md#durations').trim();
    const [, name = '', value] = /^(\w+): (\d+) /.exec(warning) ?? [];
    const server = await shop.serve('npx hello-server ./server.js', { [name]: value });
    expect(server.out.split('\n')).to.include(warning);
    await shop.stop(server);
  });

  it('shows what is said of settings that are wrong, and the exit code', async () => {
    await shop.shows(block('docs/settings.md#what-is-wrong-is-said-at-once'));
    await shop.shows(block('docs/settings.md#what-is-wrong-is-said-at-once:2'));
  });
});
