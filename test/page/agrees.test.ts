// The page of a real server in a real browser, under load: what it shows is what the status and the metrics say, over
// reloads, a killed worker and a restart. Needs chromium. With SCREENSHOT=FILE it leaves a picture of what it saw.

import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../helpers/browser.ts';
import { freePort } from '../helpers/free-port.ts';
import { Meter } from '../helpers/meter.ts';
import { reload } from '../helpers/reload.ts';
import { samplesAt, statusAt } from '../helpers/seen.ts';
import { eventually, type Running, serve } from '../helpers/server.ts';

/** How long it is under load before the picture: the plots have something to show. */
const PICTURE_S = Number(process.env.SCREENSHOT_SECONDS ?? 0);

describe('the page of a server', () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  const start = (port: number): Promise<Running> =>
    serve({
      env: { ADMIN_PORT: String(port), DRAIN_TIMEOUT: '3', ACCESS_LOG: 'false' },
    });

  async function open(admin: string): Promise<Page> {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await tab.goto(`${admin}/`);
    await tab.locator('body.shown').waitFor();
    return tab;
  }

  /** The figure behind these words among the totals of the page. */
  const total = async (tab: Page, what: string): Promise<number> => {
    const text = await tab.locator('#totals').innerText();
    const [, figure = ''] = new RegExp(`^${what}\\s+([\\d,]+)`, 'im').exec(text) ?? [];
    return Number(figure.replaceAll(',', ''));
  };

  it('shows the same numbers as the status and the metrics, and what happens as it happens', async () => {
    const port = await freePort();
    const admin = `http://127.0.0.1:${port}`;
    const server = await start(port);
    const tab = await open(admin);
    const meter = new Meter(server.port, [
      { name: 'keep-alive', clients: 12, thinkMs: 20, fresh: false, bodyBytes: 0 },
      { name: 'fresh connection', clients: 4, thinkMs: 20, fresh: true, bodyBytes: 0 },
    ]);
    const hasRun = (seconds: number): Promise<void> =>
      eventually(async () => (await statusAt(admin)).uptime >= seconds, 'it has run for a while', 600_000);
    await hasRun(PICTURE_S);
    await reload(server, 2);
    await eventually(
      async () => /reloaded: generation 2/.test(await tab.locator('#events').innerText()),
      'the reload is shown',
    );
    const victim = (await statusAt(admin)).workers.find(({ stage }) => stage === 'ready');
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await eventually(
      async () => /crashed/.test(await tab.locator('#events').innerText()),
      'the crash is shown',
    );
    await eventually(
      async () => /SIGKILL/.test(await tab.locator('#workers').innerText()),
      'its last exit is shown',
    );
    await hasRun(PICTURE_S * 1.3);
    if (process.env.SCREENSHOT) await tab.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
    const { ok } = await meter.stop();
    await eventually(async () => {
      const [status, samples, shown] = [
        await statusAt(admin),
        await samplesAt(admin),
        await total(tab, 'all'),
      ];
      const { requests } = status.totals;
      return (
        requests > 0.75 * ok &&
        shown === requests &&
        samples.get('http_requests_total{code="2xx"}') === requests
      );
    }, 'the page, the status and the metrics have the same number');
    const shown = await tab.locator('#workers').innerText();
    for (const { pid } of (await statusAt(admin)).workers) expect(shown).to.include(String(pid));
  });

  it('comes back by itself when the server is started anew', async () => {
    const port = await freePort();
    const admin = `http://127.0.0.1:${port}`;
    const first = await start(port);
    const tab = await open(admin);
    await first.stop();
    await tab.getByText('connection lost').first().waitFor();
    const second = await start(port);
    await tab.getByText(String(second.pid)).first().waitFor();
    await tab.getByText('connection lost').first().waitFor({ state: 'hidden' });
  });
});
