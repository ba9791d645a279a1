// The bench for real, one question in short rounds, and the report as a browser shows it. Needs chromium.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { QUESTIONS } from '../../bench/questions.ts';
import { PICTURE } from '../../bench/report/loss-picture.ts';
import { page } from '../../bench/report/page.ts';
import type { Result } from '../../bench/result.ts';
import { folderOf, load } from '../../bench/results.ts';
import { startBrowser } from '../helpers/browser.ts';
import { CONTRAST, contrast, luminance, PAINTED, type Painted } from '../helpers/colours.ts';
import { eventually, ROOT } from '../helpers/server.ts';
import { madeUp } from './made-up.ts';

const RUN = join(ROOT, 'build', 'bench', 'run.js');

const folder = mkdtempSync(join(tmpdir(), 'hello-server-report-'));
after(() => rmSync(folder, { recursive: true }));

describe('the bench', () => {
  const began = Date.now();

  // A folder for temporary files of its own: what is left in it was left by the bench.
  const temporary = join(folder, 'tmp');
  // The Nodes that scripts/with-node installs stay, for whoever comes next: they are elsewhere, and only looked for in it.
  const NODES = 'hello-server-nodes';
  before(() => {
    mkdirSync(join(tmpdir(), NODES), { recursive: true });
    mkdirSync(temporary);
    symlinkSync(join(tmpdir(), NODES), join(temporary, NODES));
  });
  const leftBehind = (): string[] => readdirSync(temporary).filter((name) => name !== NODES);

  /** Runs it to its end; `path` comes before the PATH there is. */
  async function run(args: readonly string[], path = '', act = (_child: ChildProcess): void => {}) {
    const child = spawn(process.execPath, [RUN, ...args], {
      env: { ...process.env, PATH: `${path}${delimiter}${process.env.PATH}`, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
      act(child);
    });
    const [code] = await once(child, 'close');
    return { code, out, err };
  }

  it('answers a question on Node 24: progress, a table, targets, and JSON of its own', async () => {
    const { code, out, err } = await run(['--quick', 'log-cost']);
    expect(code, err).to.equal(0);
    expect(err).to.match(/^log-cost: round 3 of 3, hello-server, 1 worker, json$/m);
    expect(out)
      .to.match(/^log-cost: What does the request log cost\?$/m)
      .and.to.match(/^hello-server, 1 worker, text +1\.0\.0 +\d/m)
      .and.to.match(
        /^CPU per request with the request log against without, json +≤ \d[\d.]* × +(?:met|missed)/m,
      );
    const result = load(folderOf(true)).find(({ question }) => question === 'log-cost') as Result;
    expect(Date.parse(result.date)).to.be.greaterThan(began);
    expect(result).to.deep.include({
      question: 'log-cost',
      quick: true,
      failures: [],
    });
    expect(result.node).to.match(/^v24\./);
    expect(result.machine.cores).to.be.greaterThan(0);
    const [comparison] = result.comparisons;
    for (const { rounds } of comparison?.rows ?? []) {
      expect(rounds.requestsPerSecond).to.have.length(3);
      expect(Math.min(...(rounds.cpuUsPerRequest ?? []))).to.be.greaterThan(1);
      expect(rounds.errors).to.deep.equal([0, 0, 0]);
    }
    expect(leftBehind()).to.deep.equal([]);
  });

  it('fails with the reason in one line when a subject does not start, and stops the others', async () => {
    writeFileSync(join(folder, 'nginx'), '#!/bin/sh\necho "nginx: [emerg] broken" >&2\nexit 3\n');
    chmodSync(join(folder, 'nginx'), 0o755);
    const { code, err } = await run(['--quick', '--node', process.execPath, 'pipelining'], folder);
    expect(code).to.equal(1);
    expect(err.trim().split('\n').at(-1)).to.equal(
      'nginx, 1 worker: ended before it served, with 3: nginx: [emerg] broken',
    );
    expect(leftBehind()).to.deep.equal([]);
  });

  it('leaves nothing behind when it is cut short', async () => {
    // More than once, as a terminal and npm each send one.
    const interrupt = (child: ChildProcess): void => {
      const again = setInterval(() => child.kill('SIGINT'), 1);
      child.once('exit', () => clearInterval(again));
    };
    const { code } = await run(['--quick', '--node', process.execPath, 'log-cost'], '', interrupt);
    expect(code).to.equal(130);
    expect(leftBehind()).to.deep.equal([]);
    // With their environment, which names that folder. The watch over killed workers goes last, after SHUTDOWN_TIMEOUT.
    const processes = (): string =>
      execFileSync('ps', ['axeww', '-o', 'args'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    await eventually(() => !processes().includes(temporary), 'no process left', 12_000);
  });

  it('refuses what it does not know, in one line', async () => {
    for (const args of [['relaod'], ['--fast'], ['--node', '/nowhere/node']]) {
      const { code, out, err } = await run(args);
      expect({ code, out }).to.deep.equal({ code: 2, out: '' });
      expect(err).to.match(/^[^\n]*expected [^\n]+, got `[^\n]+`\n$/);
    }
  });
});

for (const [what, results] of [
  ['made up', madeUp()],
  ['kept', load(folderOf(false))],
  ['of quick runs', load(folderOf(true))],
] as const) {
  if (results.length === 0) continue;

  describe(`the report, its results ${what}`, () => {
    const file = join(folder, `${what}.html`);
    let browser: Browser;

    before(async () => {
      writeFileSync(file, page(results));
      browser = await startBrowser();
    });
    after(() => browser.close());

    /** Opens it; whatever the page complains of or asks for is in `said`. */
    async function open(
      width: number,
      colorScheme: 'light' | 'dark',
    ): Promise<{ tab: Page; said: string[] }> {
      const tab = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      const said: string[] = [];
      tab.on('console', (message) => said.push(message.text()));
      tab.on('pageerror', (error) => said.push(error.message));
      tab.on('request', (request) => said.push(request.url()));
      await tab.goto(pathToFileURL(file).href);
      return { tab, said };
    }

    it('asks for nothing but itself, and complains of nothing', async () => {
      const { tab, said } = await open(1280, 'light');
      expect(said).to.deep.equal([pathToFileURL(file).href]);
      await tab.close();
    });

    it('has a heading, a table and a picture for every question', async () => {
      const { tab } = await open(1280, 'light');
      const names = results.map(({ question }) => question);
      if (what !== 'of quick runs') expect(names).to.deep.equal(QUESTIONS.map(({ name }) => name));
      for (const name of names) {
        const section = tab.locator(`section#${name}`);
        expect(await section.locator('h2').count(), name).to.equal(1);
        expect(await section.locator('table').count(), name).to.be.greaterThan(1);
        const pictures = await section.locator('svg').all();
        expect(pictures, name).to.not.have.length(0);
        for (const picture of pictures) {
          const box = await picture.boundingBox();
          expect(Math.min(box?.width ?? 0, box?.height ?? 0), name).to.be.greaterThan(50);
        }
        expect(await tab.getByRole('img', { name: /./ }).count()).to.be.greaterThan(0);
      }
      expect(await tab.locator('nav a').count()).to.equal(names.length + 1);
      await tab.close();
    });

    for (const width of [360, 1280]) {
      it(`fits into ${width} px`, async () => {
        const { tab } = await open(width, 'light');
        const wide = await tab.evaluate<number>('document.documentElement.scrollWidth');
        expect(wide).to.equal(width);
        await tab.close();
      });
    }

    for (const scheme of ['light', 'dark'] as const) {
      it(`is readable in ${scheme} colours`, async () => {
        const { tab } = await open(1280, scheme);
        const found = await tab.evaluate<Painted[]>(PAINTED);
        expect(found.length).to.be.greaterThan(50);
        const faint = found.filter(({ colour, ground }) => contrast(colour, ground) < CONTRAST);
        expect(faint).to.deep.equal([]);
        const [ground] = found.map((each) => luminance(each.ground));
        expect(ground ?? 0.5, 'the ground').to.satisfy((l: number) =>
          scheme === 'dark' ? l < 0.1 : l > 0.9,
        );
        await tab.close();
      });
    }
  });
}

describe('the picture of README.md in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  for (const scheme of ['light', 'dark'] as const) {
    it(`is readable in ${scheme} colours, and has all its words within its frame and apart from each other`, async () => {
      const tab = await browser.newPage({ viewport: { width: 900, height: 600 }, colorScheme: scheme });
      await tab.setContent(readFileSync(join(ROOT, PICTURE), 'utf8'));
      const { frame, texts, ground } = await tab.evaluate<Drawn>(DRAWN);
      expect(texts.length).to.be.greaterThan(10);
      for (const { words, colour, left, right, top, bottom } of texts) {
        expect(left, words).to.be.greaterThan(frame.left);
        expect(right, words).to.be.lessThan(frame.right);
        expect(bottom, words).to.be.lessThan(frame.bottom);
        expect(contrast(colour, ground), words).to.be.at.least(CONTRAST);
        const over = texts.filter(
          (other) =>
            other.words !== words &&
            other.left < right &&
            left < other.right &&
            other.top < bottom - 2 &&
            top < other.bottom - 2,
        );
        expect(over, words).to.deep.equal([]);
      }
      expect(luminance(ground)).to.satisfy((l: number) => (scheme === 'dark' ? l < 0.1 : l > 0.9));
      await tab.close();
    });
  }
});

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Drawn {
  readonly frame: Box;
  readonly ground: string;
  readonly texts: readonly (Box & { readonly words: string; readonly colour: string })[];
}

/** What the browser makes of the picture: the frame, and each line of text with its place and colour. */
const DRAWN = `(() => {
  const box = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left, right, top, bottom };
  };
  const ground = document.querySelector('.ground');
  const texts = [...document.querySelectorAll('svg text')].map((text) => ({
    words: text.textContent, colour: getComputedStyle(text).fill, ...box(text) }));
  return { frame: box(document.querySelector('svg')), ground: getComputedStyle(ground).fill, texts };
})()`;
