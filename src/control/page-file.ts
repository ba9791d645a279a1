// The page as the build has made it, and the policy under which a browser may show it.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface PageFile {
  readonly html: string;
  /** The value of its header Content-Security-Policy: its own script and style, its own data, and nothing else. */
  readonly csp: string;
}

/** Reads the page; by default the one beside the file that runs, which is dist/main.js. */
export async function readPage(from: URL = new URL('page.html', import.meta.url)): Promise<PageFile> {
  const html = await readFile(from, 'utf8');
  const csp = [
    "default-src 'none'",
    `script-src ${hashOf(html, 'script')}`,
    `style-src ${hashOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, csp };
}

/** The hash of the one element of that name, as a source in a policy. */
function hashOf(html: string, name: 'script' | 'style'): string {
  const found = [...html.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))];
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Error(`expected one ${name} in the page, got ${found.length}`);
  return `'sha256-${createHash('sha256')
    .update(only[1] ?? '')
    .digest('base64')}'`;
}
