// The page and the policy under which a browser may show it.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { readPage } from '../../src/control/page-file.ts';
import { ROOT } from '../helpers/server.ts';

const BUILT = pathToFileURL(join(ROOT, 'dist', 'page.html'));

describe('the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-page-'));
  after(() => rmSync(folder, { recursive: true }));

  const written = (html: string): URL => {
    const file = join(folder, 'page.html');
    writeFileSync(file, html);
    return pathToFileURL(file);
  };

  it('is one file with one script and one style, the licence of what is in it, and no address', async () => {
    const { html } = await readPage(BUILT);
    expect(html).to.match(/^<!doctype html>\n<!--[^>]*The MIT License/);
    expect(html.match(/<script\b/g)).to.have.length(1);
    expect(html.match(/<style\b/g)).to.have.length(1);
    expect(html).to.not.match(/<link[^>]*stylesheet|\s(?:src|style|on\w+)=(?!=)["']|\burl\(|@import/);
    expect(Buffer.byteLength(html)).to.be.lessThan(100_000);
  });

  it('may run its script and its style, ask its own server, and nothing else', async () => {
    const { csp } = await readPage(written('<style>a{}</style><script>let é = 1;\n</script>'));
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
    expect(csp).to.equal(
      `default-src 'none'; script-src 'sha256-${hash('let é = 1;\n')}'; style-src 'sha256-${hash('a{}')}'; ` +
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });

  it('is refused when it is not of one script and one style', async () => {
    for (const [html, reason] of [
      ['<style></style>', 'expected one script in the page, got 0'],
      ['<script></script><style></style><style></style>', 'expected one style in the page, got 2'],
    ] as const) {
      const refused = await readPage(written(html)).then(
        () => 'read',
        ({ message }: Error) => message,
      );
      expect(refused).to.equal(reason);
    }
  });

  it('is looked for beside the file that runs', async () => {
    const missed = await readPage().then(
      () => 'read',
      ({ message }: Error) => message,
    );
    // Beside main.js it is; beside this module, as the tests are built, it is not.
    expect(missed).to.contain(join('control', 'page.html'));
  });
});
