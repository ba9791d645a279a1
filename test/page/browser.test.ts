// The page in a real browser, against a server that sends made-up figures. Needs chromium.

import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../helpers/browser.ts';
import { CONTRAST, contrast, luminance, PAINTED, type Painted } from '../helpers/colours.ts';
import { eventually } from '../helpers/server.ts';
import { broken, MARKUP, status, worker, workers } from './made-up.ts';
import { PageServer } from './page-server.ts';

/** A status is shown before the next one comes. */
const STATUS_MS = 1000;

describe('the page', () => {
  /** In the page: the pixels of a canvas, red, green, blue and opacity of each; read from a copy. */
  const PIXELS = `(canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    return [...copy.getImageData(0, 0, canvas.width, canvas.height).data];
  }`;

  let browser: Browser;
  let server: PageServer;
  let said: string[];

  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());
  beforeEach(async () => {
    said = [];
    server = new PageServer();
    await server.start();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server.stop();
  });

  /** Opens it, and waits until it shows something; whatever it complains of is in `said`. */
  async function open(width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const tab = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    tab.on('console', (message) => said.push(message.text()));
    tab.on('pageerror', (error) => said.push(error.message));
    await tab.goto(server.url);
    await tab.locator('body.shown').waitFor();
    return tab;
  }

  const text = (tab: Page, selector: string): Promise<string> => tab.locator(selector).innerText();
  const cellsOf = (tab: Page, row: number): Promise<string[]> =>
    tab.locator('#workers tr').nth(row).locator('th, td').allInnerTexts();
  const wide = (tab: Page): Promise<number> => tab.evaluate('document.documentElement.scrollWidth');
  /** How many pixels of each plot are painted. */
  const drawn = (tab: Page): Promise<number[]> =>
    tab.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) =>
      (${PIXELS})(canvas).filter((value, i) => i % 4 === 3 && value > 200).length)`);
  /** Whether there are pixels of just this colour, as `1,2,3`, in the first plot. */
  const isDrawn = (tab: Page, colour: string): Promise<boolean> =>
    tab.evaluate(`(() => {
      const pixels = (${PIXELS})(document.querySelector('canvas'));
      return pixels.some((_, i) => i % 4 === 0 && pixels.slice(i, i + 4).join() === '${colour},255');
    })()`);

  it('shows the figures of the fleet, and that nothing is wrong', async () => {
    const tab = await open();
    expect(await text(tab, 'h1')).to.equal('hello-server 1.0.0');
    expect((await text(tab, '.states')).split(/\s*\n\s*/).join(' ')).to.match(
      /^running ?ready ?4 of 4 workers ready$/,
    );
    expect((await text(tab, '.facts')).split(/\s+/)).to.include.members(['3000', './server.js', '41199']);
    expect(await text(tab, '#fine')).to.equal('✓ Nothing is wrong.');
    expect((await tab.locator('.tile').allInnerTexts()).map((tile) => tile.split('\n')[1])).to.deep.equal([
      '1,250 /s',
      '0 /s',
      '1.8 ms',
      '13 ms',
      '12 ms',
      '12',
      '164',
      '474 MiB',
    ]);
    expect(await cellsOf(tab, 1)).to.deep.equal(
      '1,41201,3,ready,2h03m,312,1.8,13,0,3,41,2,38,4.2,42 / 2;096,118,0,–,–'
        .split(',')
        .map((cell) => cell.replace(';', ',')),
    );
    expect(await tab.locator('#events li').first().innerText()).to.contain('reloaded: generation 3');
    expect(await text(tab, '#totals')).to.contain('76 GiB');
    expect(await tab.title()).to.equal('hello-server 3000');
  });

  it('asks for nothing but its data, and complains of nothing', async () => {
    server.sends = broken(MARKUP);
    const tab = await open();
    const before = await drawn(tab);
    await tab.locator('.canvas').first().hover();
    await tab.emulateMedia({ colorScheme: 'dark' });
    await tab.setViewportSize({ width: 600, height: 800 });
    await eventually(async () => String(await drawn(tab)) !== String(before), 'plots drawn anew');
    expect(said).to.deep.equal([]);
    expect(server.asked).to.deep.equal(['/fleet/', '/fleet/events']);
  });

  it('says in words what is wrong, also in its title', async () => {
    server.sends = broken();
    const tab = await open();
    expect(await tab.locator('#wrongs strong').allInnerTexts()).to.deep.equal(
      ['not ready', '5xx answers', 'too few workers ready', 'event loop late', 'reload abandoned'].map(
        (what) => `⚠\u2009${what}`,
      ),
    );
    expect(await text(tab, '#wrongs')).to.contain('worker 0 is unwell: database: connection refused');
    expect(await tab.locator('#workers tr.wrong').count()).to.equal(2);
    expect(await tab.locator('#workers td.wrong').allInnerTexts()).to.deep.equal([
      '⚠\u2009database: connection refused',
      '⚠\u20094.3',
      '⚠\u20091,240',
    ]);
    expect(await tab.locator('#events .error .level').allInnerTexts()).to.deep.equal([
      '⚠\u2009error',
      '⚠\u2009error',
    ]);
    expect(await tab.title()).to.equal('⚠ not ready - hello-server 3000');
    server.sends = status();
    await tab.locator('#fine').waitFor();
    expect(await tab.locator('.wrong').count()).to.equal(0);
    expect(await tab.title()).to.equal('hello-server 3000');
  });

  it('says that log lines are dropped', async () => {
    const tab = await open();
    const { totals } = status();
    server.sends = status({ totals: { ...totals, logLinesDropped: 12 } });
    await tab.getByText('log lines dropped').first().waitFor();
    await eventually(
      async () => (await text(tab, '#wrongs')).includes('12 in 5 minutes'),
      'how many are dropped',
    );
  });

  it('shows what an app wrote as text, whatever it is', async () => {
    server.sends = broken(MARKUP);
    const tab = await open();
    for (const place of ['#app', '#wrongs', '#workers', '#events'])
      expect(await text(tab, place)).to.contain(MARKUP);
    expect(await tab.locator('body img, body b').count()).to.equal(0);
  });

  it('changes the rows in place, and follows workers that come and go', async () => {
    const tab = await open();
    await tab.evaluate("document.querySelectorAll('#workers tr').forEach((row, i) => { row.mark = i; })");
    server.sends = status({
      workers: [worker(0), worker(1, { stage: 'draining' }), worker(1, { pid: 50_001 }), worker(3)],
    });
    await tab.locator('#workers td', { hasText: '50001' }).waitFor();
    const marks = await tab.evaluate(
      "[...document.querySelectorAll('#workers tr')].map((row) => row.mark ?? null)",
    );
    expect(marks).to.deep.equal([0, 1, null, 3]);
    expect((await cellsOf(tab, 1))[3]).to.equal('draining');
  });

  describe('when the stream breaks', () => {
    it('says so, and shows what comes when it is there again', async () => {
      const tab = await open();
      const lost = tab.getByRole('status').filter({ hasText: 'connection lost, trying again...' });
      expect(await lost.count()).to.equal(0);
      server.refuses = 503;
      server.breakStreams();
      await lost.waitFor();
      expect(await tab.title()).to.equal('⚠ connection lost - hello-server 3000');
      expect(await text(tab, '#as-of')).to.match(/^What stands here is from \d\d:\d\d:\d\d\.$/);
      expect(await tab.locator('#fine').isVisible()).to.equal(false);
      server.sends = status({ pid: 77_777 });
      server.refuses = undefined;
      await tab.locator('#pid', { hasText: '77777' }).waitFor();
      expect(await lost.count()).to.equal(0);
      expect(await tab.title()).to.equal('hello-server 3000');
      expect(Math.max(...(await drawn(tab)))).to.be.greaterThan(1000);
    });

    it('says so when it is turned away from the start, and tries again', async () => {
      server.refuses = 503;
      const tab = await browser.newPage();
      await tab.goto(server.url);
      await tab.getByText('connection lost, trying again...').waitFor();
      server.refuses = undefined;
      await tab.locator('body.shown:not(.lost)').waitFor();
    });

    it('takes one that stands still for lost', async () => {
      const tab = await open();
      server.sends = null;
      await tab.getByText('connection lost, trying again...').waitFor();
      server.sends = status({ pid: 77_777 });
      await tab.locator('#pid', { hasText: '77777' }).waitFor();
    });

    it('loads itself anew when another version is there', async () => {
      const tab = await open();
      server.sends = status({ version: '2.0.0' });
      await tab.locator('#version', { hasText: '2.0.0' }).waitFor();
      await eventually(
        () => server.asked.filter((url) => url === '/fleet/').length === 2,
        'the page asked for again',
      );
    });
  });

  for (const scheme of ['light', 'dark'] as const) {
    it(`is readable in ${scheme} colours`, async () => {
      server.sends = broken();
      const tab = await open(1280, scheme);
      server.refuses = 503;
      server.breakStreams();
      await tab.locator('body.lost').waitFor();
      const found = await tab.evaluate<Painted[]>(PAINTED);
      expect(found.length).to.be.greaterThan(150);
      expect(found.filter(({ colour, ground }) => contrast(colour, ground) < CONTRAST)).to.deep.equal([]);
      const ground = await tab.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(luminance(ground)).to.satisfy((l: number) => (scheme === 'dark' ? l < 0.1 : l > 0.9));
    });
  }

  it('follows the colours of the system while it is open', async () => {
    const tab = await open(1280, 'light');
    // The grid of page.css.
    await eventually(() => isDrawn(tab, '221,225,230'), 'a grid for light colours');
    await tab.emulateMedia({ colorScheme: 'dark' });
    await eventually(() => isDrawn(tab, '43,50,59'), 'a grid for dark colours');
    expect(await isDrawn(tab, '221,225,230')).to.equal(false);
  });

  for (const width of [320, 900, 2560]) {
    it(`fits into ${width} px, healthy and broken, however long the texts are`, async () => {
      const tab = await open(width);
      expect(await wide(tab)).to.equal(width);
      server.sends = broken(MARKUP.repeat(4));
      await tab.locator('#wrongs li').first().waitFor();
      expect(await wide(tab)).to.equal(width);
    });
  }

  it('draws a plot of each figure, with the time and its values below the cursor', async () => {
    const tab = await open();
    const pixels = await drawn(tab);
    expect(pixels).to.have.length(6);
    expect(Math.min(...pixels)).to.be.greaterThan(300);
    const value = tab.locator('#plots .value').first();
    expect(await value.innerText()).to.equal('1,250/s');
    const box = await tab.locator('.u-over').first().boundingBox();
    const position = { x: (box?.width ?? 0) * 0.6, y: 40 };
    await tab.locator('.u-over').first().hover({ position });
    await eventually(async () => (await value.innerText()) !== '1,250/s', 'the value below the cursor');
    expect(await text(tab, '#at')).to.match(/^at \d\d:\d\d:\d\d$/);
    // All plots tell of the same time.
    expect(await tab.locator('.u-cursor-x:not(.u-off)').count()).to.equal(6);
  });

  it('takes 512 workers: changes only what is different, and is done before the next status comes', async () => {
    const many = workers(512);
    server.sends = status({ workers: many });
    const tab = await open();
    expect(await tab.locator('#workers tr').count()).to.equal(512);
    await tab.evaluate(`{
      globalThis.longest = 0;
      globalThis.touched = [];
      let before = performance.now();
      const frame = (now) => {
        longest = Math.max(longest, now - before);
        before = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
      new MutationObserver((list) => touched.push(...list.map(({ target }) => target.data ?? target.outerHTML)))
        .observe(document.querySelector('#workers'), { subtree: true, childList: true, characterData: true, attributes: true });
    }`);
    server.sends = status({ workers: many.map((each, i) => (i === 511 ? worker(511, { rss: 777 }) : each)) });
    await tab.locator('#workers td', { hasText: '777' }).waitFor();
    expect(await tab.evaluate('touched')).to.deep.equal(['777']);
    const busy = many.map((each, i) => ({ ...each, requestsPerSecond: i, rss: i, latencyP99: i, uptime: i }));
    server.sends = status({ workers: busy });
    await eventually(
      async () => (await cellsOf(tab, 511))[5] === '511',
      'a status in which all is different',
    );
    server.sends = status({ workers: many });
    await eventually(async () => (await cellsOf(tab, 511))[5] === '312', 'the next status');
    // From one frame to the next.
    expect(await tab.evaluate<number>('longest')).to.be.within(1, STATUS_MS);
    expect(await wide(tab)).to.equal(1280);
  });

  it('is used with a keyboard: from the first key to the workers, and through them', async () => {
    server.sends = status({ workers: workers(512) });
    const tab = await open(600);
    await tab.keyboard.press('Tab');
    expect(await tab.evaluate('document.activeElement.textContent')).to.equal('Skip to the workers');
    const focused = (): Promise<string> => tab.evaluate("document.activeElement.getAttribute('aria-label')");
    await tab.keyboard.press('Enter');
    expect(await focused()).to.equal('Table of workers');
    await tab.keyboard.press('Tab');
    expect(await focused()).to.equal('List of what has happened');
    await tab.keyboard.press('Shift+Tab');
    expect(await focused()).to.equal('Table of workers');
    const region = tab.getByRole('region', { name: 'Table of workers' });
    // A key that comes in the middle of a smooth scroll may be dropped by the browser: the first one is seen to its end.
    await tab.keyboard.press('End');
    await eventually(
      () =>
        region.evaluate(
          (table: { scrollTop: number; scrollHeight: number; clientHeight: number }) =>
            table.scrollTop + table.clientHeight >= table.scrollHeight - 1,
        ),
      'scrolled to the end',
    );
    await eventually(async () => {
      await tab.keyboard.press('ArrowRight');
      return region.evaluate((table: { scrollLeft: number }) => table.scrollLeft > 0);
    }, 'scrolled aside');
  });

  it('is read by a screen reader: headings, tables, pictures, and no figure that is said every second', async () => {
    server.sends = broken();
    const tab = await open();
    for (const [name, level] of [
      ['hello-server 1.0.0', 1],
      ['What is wrong', 2],
      ['Now', 2],
      ['Last 15 minutes', 2],
      ['Workers', 2],
      ['What has happened', 2],
      ['Totals since the primary began', 2],
      ['Latency', 3],
    ] as const)
      expect(await tab.getByRole('heading', { name, level, exact: true }).count(), name).to.equal(1);
    const table = tab.getByRole('table', { name: /^Workers, a row each/ });
    expect(await table.getByRole('columnheader').count()).to.equal(19);
    expect(await table.getByRole('rowheader').allInnerTexts()).to.deep.equal(['0', '1', '2', '2']);
    expect(await tab.getByRole('img', { name: /over the last 15 minutes/ }).count()).to.equal(6);
    expect(await tab.getByRole('main').count()).to.equal(1);
    expect(await tab.locator('html').getAttribute('lang')).to.equal('en');
    const live = tab.locator('[aria-live], [role=status], [role=alert], [role=log]');
    expect((await live.allInnerTexts()).join('')).to.equal(
      'reloading, not ready, 5xx answers, too few workers ready, event loop late, reload abandoned',
    );
  });
});
