// Serves a Web-standard `fetch(request)`, by a package for that which the app has installed.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Listener, WebAdapter } from '../http/app-module.ts';
import { BootError } from './load-app.ts';

type Fetch = Parameters<WebAdapter>[0];

/** Packages that make a request listener of a fetch function, and the name of the function that does. */
const PACKAGES = [
  ['@hono/node-server', 'getRequestListener'],
  ['srvx/node', 'toNodeHandler'],
] as const;

/** The adapter for the app at `path`: the first of the packages that is installed there. */
export const webAdapter =
  (path: string): WebAdapter =>
  async (fetch) => {
    for (const [name, make] of PACKAGES) {
      const file = resolved(name, path);
      if (file === undefined) continue;
      const exports = (await import(pathToFileURL(file).href)) as Record<string, (fetch: Fetch) => Listener>;
      const adapt = exports[make];
      if (adapt) return adapt(fetch);
    }
    throw new BootError(
      `${path}: expected @hono/node-server to serve its fetch(request), got none: npm install @hono/node-server`,
    );
  };

function resolved(name: string, path: string): string | undefined {
  try {
    return createRequire(path).resolve(name);
  } catch {
    return undefined;
  }
}
